"""What a study lead reads about a suspicion, and the study's answer to it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

import polars as pl

from ember.harmonise.evidence_suspicion import AMONG_SITES, Suspicion
from ember.harmonise.units import DeclaredFactors, unit_factors
from ember.registry.model import Site, Study
from ember.registry.registry import Registry
from ember.tables.store import conform, empty_table

RULES = {"error": "value.unit_suspect", "warning": "value.unit_doubt"}
PARTS = {
    "batch": "values of batch", "source_file": "values of file", "from_unit": "values reported in",
    "period": "values of month", "visit": "values of visit",
}  # fmt: skip
AGAINST = {
    "others": "the site's other values",
    "reference": "the registry's reference population",
    "itself": "the rest of the site's values",
    "sites": "the other sites",
}


def describe(suspicion: Suspicion, factors: Mapping[str, Fraction]) -> str:
    """Return what a study lead reads: how far off, against what, and which mix-up would explain it. No values."""
    times = f"{float(f'{10 ** abs(suspicion.exponent):.3g}'):,.12g}"
    direction = "higher" if suspicion.exponent > 0 else "lower"
    against = "the site's other batches" if suspicion.group == "batch" else AGAINST[suspicion.against]
    counts = f"n {suspicion.n}" if suspicion.n_others is None else f"n {suspicion.n} v {suspicion.n_others}"
    text = (
        f"{suspicion.analyte}: {_part(suspicion)} lie about {times} times {direction} than {against} ({counts}): "
        f"{_cause(suspicion, factors)}"
    )
    doubt = "; in doubt: people who differ that much would look the same" if suspicion.severity == "warning" else ""
    return text + doubt


def _part(suspicion: Suspicion) -> str:
    if suspicion.against == "itself":
        return "a second hump of values"
    if suspicion.group is None:
        return "the site's values"
    # A batch is named by its label: its own name may be anything that a laboratory writes.
    name = suspicion.label if suspicion.group == "batch" else suspicion.value
    return f"{PARTS[suspicion.group]} {name}"


def _cause(suspicion: Suspicion, factors: Mapping[str, Fraction]) -> str:
    declared = suspicion.declared_unit
    explaining = [
        unit
        for unit, factor in factors.items()
        if declared in factors
        and math.isclose(math.log10(factors[declared] / factor), suspicion.exponent, abs_tol=1e-6)
    ]
    if explaining:
        return f"as if {explaining[0]} stood under a {declared} header"
    return "no other unit of it explains that"


def findings_table(
    study: Study,
    site: Site,
    suspicions: Sequence[Suspicion],
    registry: Registry,
    declared: DeclaredFactors,
    stage: str,
) -> pl.DataFrame:
    """Return the findings of a site with the study's answers, and a warning for each answer to what did not arise.

    Whether a finding against the other sites arises is known only where all sites are seen (`unit_findings`).
    """
    rows = [finding_row(study, site.id, one, registry, declared) for one in suspicions]
    arisen = {row["finding"] for row in rows}
    for answer in study.answers:
        among_sites = answer.finding.split(":")[-1] == AMONG_SITES
        if answer.finding.startswith(f"unit:{site.id}:") and answer.finding not in arisen and not among_sites:
            rows.append(unanswerable(answer.finding, site.id))
    return as_findings(rows, stage)


FindingRow = dict[str, str | int | bool | None]


def as_findings(rows: Sequence[FindingRow], stage: str) -> pl.DataFrame:
    """Return rows as a table that meets the contract `findings`."""
    if not rows:
        return empty_table("findings")
    table = pl.DataFrame([{**row, "stage": stage} for row in rows], infer_schema_length=None)
    return conform(table, "findings")


def finding_row(
    study: Study, site: str, suspicion: Suspicion, registry: Registry, declared: DeclaredFactors
) -> FindingRow:
    """Return one suspicion as a finding, with the study's answer."""
    finding = suspicion.finding(site)
    answer = study.answer(finding)
    return {
        "finding": finding,
        "site": site,
        "rule_id": RULES[suspicion.severity],
        "severity": suspicion.severity,
        "n": suspicion.n,
        "message": describe(suspicion, unit_factors(registry, suspicion.analyte, declared)),
        "answered": answer is not None,
        "action": answer.action if answer else None,
        "reason": answer.reason if answer else None,
    }


def unanswerable(finding: str, site: str) -> FindingRow:
    """Return the warning that an answer changes nothing."""
    return {
        "finding": f"unanswerable:{finding}",
        "site": site,
        "rule_id": "finding.not_found",
        "severity": "warning",
        "n": None,
        "message": f"study.yaml answers {finding}, which does not arise: the answer changes nothing",
        "answered": False,
        "action": None,
        "reason": None,
    }
