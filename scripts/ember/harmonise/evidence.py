"""Unit evidence: does the size of a batch's values, or of a whole site's, contradict the unit in the header?"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.harmonise.units import DeclaredFactors, unit_factors
from ember.registry.model import Site, Study
from ember.registry.registry import Registry
from ember.tables.store import conform, empty_table

Floats = NDArray[np.float64]

# Decades by which prefixes go wrong whatever the units of the analyte: a slipped decimal point, m for u, m for n.
USUAL_DECADES = (1.0, 3.0, 6.0)

WHOLE_SITE = "all"


@dataclass(frozen=True)
class Demands:
    """What the evidence must amount to before it is called an error. Shifts are in decades (log10)."""

    least_in_batch: int = 20
    least_in_others: int = 40
    batch_distance: float = 0.25
    standard_errors: float = 4.0
    least_site_shift: float = 0.8
    site_distance: float = 0.3


@dataclass(frozen=True)
class Suspicion:
    """A group of values whose size points to another unit than the declared one."""

    analyte: str
    batch: str | None
    label: str
    exponent: float
    declared_unit: str
    n: int
    n_others: int | None

    def finding(self, site: str) -> str:
        """Return the id of the finding."""
        return f"unit:{site}:{self.analyte}:{self.label}"


def find_suspicions(
    measurements: pl.DataFrame, registry: Registry, declared: DeclaredFactors, demands: Demands | None = None
) -> list[Suspicion]:
    """Return the batches and analytes of one site whose values contradict their unit.

    Parameters
    ----------
    measurements : DataFrame
        One site; columns analyte, batch, from_unit, value (canonical unit; the limit where censored), censoring.
    declared : mapping
        Molar factors of the site (units.declared_factors).

    Notes
    -----
    A wrong unit multiplies every value of a batch by the ratio of two conversion factors, so on the log scale it
    shifts the median by a known exponent and leaves the spread alone. Medians of logarithms, because the values are
    skewed and a few acute ones must not decide; standard error of a median 1.2533 SD / sqrt(n) (normal theory), SD
    as 1.4826 x the median absolute deviation. A batch is held against the other batches of the same site and analyte;
    the whole site against the registry's reference population, with a wide tolerance because populations differ.
    Where half of the values are censored, the median is a limit of the laboratory and no evidence. It fails
    where all batches of an analyte without a reference carry the same wrong unit, and where two halves of a site
    disagree it names both: which one is right is not in the data.
    """
    demands = demands or Demands()
    usable = measurements.filter(pl.col("value").is_finite() & (pl.col("value") > 0))
    found: list[Suspicion] = []
    for analyte in usable["analyte"].unique(maintain_order=True):
        rows = usable.filter(pl.col("analyte") == analyte).select("batch", "from_unit", "value", "censoring")
        exponents = possible_exponents(unit_factors(registry, analyte, declared))
        found.extend(_suspect_batches(analyte, rows, exponents, demands))
        reference = registry.row("analytes", analyte)["reference_ln_mean"]
        if reference.strip():
            found.extend(_suspect_site(analyte, rows, float(reference) / math.log(10), exponents, demands))
    return found


def possible_exponents(factors: Mapping[str, Fraction]) -> list[float]:
    """Return the shifts in decades, other than none, that a mix-up of two units of an analyte can make."""
    ratios = {one / other for one in factors.values() for other in factors.values() if one != other}
    usual = {sign * decades for decades in USUAL_DECADES for sign in (-1, 1)}
    return sorted({round(math.log10(ratio), 9) for ratio in ratios} | usual)


def nearest_exponent(shift: float, exponents: Iterable[float], distance: float) -> float | None:
    """Return the exponent closest to a shift if it lies within `distance` and nearer than no shift at all."""
    nearest = min(exponents, key=lambda exponent: abs(shift - exponent))
    near = abs(shift - nearest) < min(distance, abs(shift))
    return nearest if near else None


def batch_labels(batches: Iterable[str]) -> dict[str, str]:
    """Return a label of letters, digits, "_", "." and "-" for each batch, as an answer in study.yaml may name it.

    Labels that would fall together, or with `all`, are numbered in the order of the batches.
    """
    labels: dict[str, str] = {}
    taken = {WHOLE_SITE}
    for batch in batches:
        plain = re.sub(r"[^A-Za-z0-9_.-]", "_", batch) or "_"
        label, number = plain, 2
        while label in taken:
            label, number = f"{plain}_{number}", number + 1
        labels[batch] = label
        taken.add(label)
    return labels


def standard_error(values: Floats) -> float:
    """Return the robust standard error of the median of `values`."""
    deviation = 1.4826 * float(np.median(np.abs(values - np.median(values))))
    return 1.2533 * deviation / math.sqrt(len(values))


def _suspect_batches(analyte: str, rows: pl.DataFrame, exponents: list[float], demands: Demands) -> Iterator[Suspicion]:
    values, censored = _logarithms(rows)
    labels = batch_labels(rows["batch"].drop_nulls().unique(maintain_order=True))
    for batch, label in labels.items():
        inside = (rows["batch"] == batch).fill_null(False).to_numpy()
        n, n_others = int(inside.sum()), int((~inside).sum())
        if n < demands.least_in_batch or n_others < demands.least_in_others:
            continue
        if max(censored[inside].mean(), censored[~inside].mean()) >= 0.5:
            continue
        own, others = values[inside], values[~inside]
        shift = float(np.median(own) - np.median(others))
        exponent = nearest_exponent(shift, exponents, demands.batch_distance)
        if exponent is None:
            continue
        if abs(shift) >= demands.standard_errors * math.hypot(standard_error(own), standard_error(others)):
            yield Suspicion(analyte, batch, label, exponent, _usual_unit(rows.filter(inside)), n, n_others)


def _suspect_site(
    analyte: str, rows: pl.DataFrame, reference: float, exponents: list[float], demands: Demands
) -> Iterator[Suspicion]:
    values, censored = _logarithms(rows)
    if len(values) < demands.least_in_batch or censored.mean() >= 0.5:
        return
    shift = float(np.median(values)) - reference
    exponent = nearest_exponent(shift, exponents, demands.site_distance)
    if exponent is not None and abs(shift) >= demands.least_site_shift:
        yield Suspicion(analyte, None, WHOLE_SITE, exponent, _usual_unit(rows), len(values), None)


def _logarithms(rows: pl.DataFrame) -> tuple[Floats, NDArray[np.bool_]]:
    return np.log10(rows["value"].to_numpy()), (rows["censoring"] != "none").to_numpy()


def _usual_unit(rows: pl.DataFrame) -> str:
    counts = rows.group_by("from_unit", maintain_order=True).len()
    return str(counts.sort("len", descending=True, maintain_order=True)["from_unit"][0])


def describe(suspicion: Suspicion, factors: Mapping[str, Fraction]) -> str:
    """Return what a study lead reads: how far off, against what, and which mix-up would explain it. No values."""
    times = f"{float(f'{10 ** abs(suspicion.exponent):.3g}'):,.12g}"
    direction = "higher" if suspicion.exponent > 0 else "lower"
    declared = suspicion.declared_unit
    explaining = [
        unit
        for unit, factor in factors.items()
        if math.isclose(math.log10(factors[declared] / factor), suspicion.exponent, abs_tol=1e-6)
    ]
    if suspicion.batch is None:
        group, against, counts = "the site's values", "the registry's reference population", f"n {suspicion.n}"
    else:
        group, against = f"values of batch {suspicion.label}", "the site's other batches"
        counts = f"n {suspicion.n} v {suspicion.n_others}"
    cause = (
        f"as if {explaining[0]} stood under a {declared} header" if explaining else "no other unit of it explains that"
    )
    return f"{suspicion.analyte}: {group} lie about {times} times {direction} than {against} ({counts}): {cause}"


def findings_table(
    study: Study, site: Site, suspicions: list[Suspicion], registry: Registry, declared: DeclaredFactors, stage: str
) -> pl.DataFrame:
    """Return the findings of a site with the study's answers, and a warning for each answer to what did not arise."""
    rows = []
    for suspicion in suspicions:
        message = describe(suspicion, unit_factors(registry, suspicion.analyte, declared))
        finding = suspicion.finding(site.id)
        rows.append(_finding(study, finding, "value.unit_suspect", "error", suspicion.n, message))
    arisen = {row["finding"] for row in rows}
    for answer in study.answers:
        if answer.finding.startswith(f"unit:{site.id}:") and answer.finding not in arisen:
            message = f"study.yaml answers {answer.finding}, which does not arise: the answer changes nothing"
            rows.append(
                _finding(study, f"unanswerable:{answer.finding}", "finding.not_found", "warning", None, message)
            )
    if not rows:
        return empty_table("findings")
    return conform(
        pl.DataFrame([{**row, "stage": stage, "site": site.id} for row in rows], infer_schema_length=None), "findings"
    )


def _finding(
    study: Study, finding: str, rule_id: str, severity: str, n: int | None, message: str
) -> dict[str, str | int | bool | None]:
    answer = study.answer(finding)
    return {
        "finding": finding,
        "rule_id": rule_id,
        "severity": severity,
        "n": n,
        "message": message,
        "answered": answer is not None,
        "action": answer.action if answer else None,
        "reason": answer.reason if answer else None,
    }
