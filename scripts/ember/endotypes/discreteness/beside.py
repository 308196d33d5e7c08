"""The variability of people beside that of a comparison group measured with the same assay at the same site."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ember.endotypes.discreteness.judgement import variants_of
from ember.endotypes.discreteness.panel import Panel
from ember.endotypes.discreteness.rule import VARIANTS
from ember.endotypes.discreteness.variability import LogRatio, compare_variability, pooled

RAW_VARIANTS = ("all", "without_acute")
"""lnCVR needs the raw scale, from which BMI cannot be taken away."""


@dataclass(frozen=True)
class Variability:
    """lnVR or lnCVR of one marker in one variant, pooled over the sites and assays in which both groups are."""

    variant: str
    marker: int
    witness: str
    ratio: LogRatio
    n: int


def variabilities(panel: Panel) -> list[Variability]:
    """Return the ratios that can be had; none without a comparison group.

    Notes
    -----
    Pooling is by inverse variance over strata of site and assay, within each of which both groups were measured alike.
    """
    if not panel.compared.any():
        return []
    found = []
    for variant, scores in variants_of(panel).items():
        raw = panel if variant == "all" else panel.of(~panel.acute)
        for marker in range(scores.markers):
            found += _pooled(variant, marker, "ln_vr", scores)
            if variant in RAW_VARIANTS:
                found += _pooled(variant, marker, "ln_cvr", raw)
    return found


def _pooled(variant: str, marker: int, witness: str, panel: Panel) -> list[Variability]:
    ratios, n = [], 0
    for stratum in np.unique(panel.stratum[:, marker]):
        rows = (panel.stratum[:, marker] == stratum) & ~np.isnan(panel.value[:, marker])
        told = compare_variability(
            panel.value[rows, marker], panel.left[rows, marker], panel.right[rows, marker], ~panel.compared[rows]
        )
        if told is not None:
            ratios.append(told[witness])
            n += int(rows.sum())
    together = pooled(ratios)
    return [] if together is None else [Variability(variant, marker, witness, together, n)]


def of_screen(found: list[Variability]) -> dict[str, dict[str, float | None]]:
    """Return, by variant, the ends of the intervals of the screening marker, as the rule names them."""
    told: dict[str, dict[str, float | None]] = {variant: {} for variant in VARIANTS}
    for one in found:
        if one.marker == 0:
            ends = {f"{one.witness}_low": one.ratio.conf_low, f"{one.witness}_high": one.ratio.conf_high}
            told[one.variant].update(ends)
    return told
