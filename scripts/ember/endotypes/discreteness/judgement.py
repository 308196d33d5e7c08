"""A verdict on a panel: the witnesses in every variant of the data, and the rule."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ember.endotypes.discreteness.panel import Panel, standardised, without_bmi
from ember.endotypes.discreteness.rule import VARIANTS, Holding, decide
from ember.endotypes.discreteness.witnesses import Needs, Witnesses, look


@dataclass(frozen=True)
class Judgement:
    """A verdict and everything behind it; `witnesses` and `told` by variant."""

    verdict: str
    holdings: list[Holding]
    witnesses: dict[str, Witnesses]
    told: dict[str, dict[str, float | None]]


def needs_of(plan: Mapping[str, Any]) -> Needs:
    """Return what verdicts/<verdict>.yaml says about the data that the witnesses need."""
    needs, samples = plan["needs"], plan["samples"]
    return Needs(
        markers=needs["markers"],
        people=needs["people"],
        site_people=needs["site_people"],
        site_p_value=needs["site_p_value"],
        base_rate=(needs["base_rate"]["least"], needs["base_rate"]["greatest"]),
        bootstrap=samples["bootstrap"],
        sites=samples["sites"],
        comparison=samples["comparison"],
    )


def judge(
    panel: Panel,
    plan: Mapping[str, Any],
    seed: int,
    beside: Mapping[str, Mapping[str, float | None]] | None = None,
    markers: bool = True,
) -> Judgement:
    """Return the verdict on a panel.

    Parameters
    ----------
    panel : Panel
        Natural logarithms.
    plan : mapping
        Content of verdicts/<verdict>.yaml.
    seed : int
        Of the study; each variant has its own stream.
    beside : mapping, optional
        Further witnesses by variant, for example `ln_vr_high`.
    markers : bool
        Whether every marker is judged by itself as well; the rule does not ask for it.
    """
    needs = needs_of(plan)
    variants = variants_of(panel)
    found, told = {}, {}
    for variant in VARIANTS:
        found[variant] = look(variants[variant], needs, stream(seed, plan["verdict"], variant), markers)
        told[variant] = {**found[variant].told(needs), **dict((beside or {}).get(variant, {}))}
    verdict, holdings = decide(plan["rule"], told)
    return Judgement(verdict, holdings, found, told)


def variants_of(panel: Panel) -> dict[str, Panel]:
    """Return the scores of every variant, each standardised anew within site and assay."""
    everybody, not_acute = standardised(panel), standardised(panel.of(~panel.acute))
    scores = (everybody, without_bmi(everybody), not_acute, without_bmi(not_acute))
    return dict(zip(VARIANTS, scores, strict=True))


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return random numbers that depend on the study's seed and on what they are for."""
    text = "/".join([str(seed), *names])
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))
