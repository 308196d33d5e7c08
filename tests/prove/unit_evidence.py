"""Units: how often a wrong one is found, and how often a right one is accused, by prevalence of inflammation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import cache

import numpy as np
import polars as pl

from ember.harmonise.evidence import find_suspicions
from ember.harmonise.evidence_counts import count_values
from ember.harmonise.evidence_suspicion import Suspicion
from ember.registry.load import PROJECT
from ember.registry.registry import Registry, read_registry
from tests.prove.proof import Proof, Record
from tests.prove.unit_evidence_figure import publish
from tests.prove.unit_sites import (
    MECHANISMS,
    Mechanism,
    draw_cytokine,
    draw_laboratory,
    draw_people,
    neutrophils,
    reported,
)

SIZES = (50, 200, 1000)
EXPONENTS = (0, 1, -1, 3, -3)
GROUPED = ("batch", "period", "source_file")
SCATTERED = (1, -1, 2, -2, 3, -3)
STRATA = 10
LOWEST, HIGHEST = 0.10, 0.60
BEYOND = (0.05, 0.70, 0.80)
BY_MECHANISM = ("whole", "bare", "prevalence")

# Least sensitivity and most false alarms of a factor of ten or more in a whole column, by number of values.
CLAIMS = {50: (0.95, 0.02), 200: (0.99, 0.01), 1000: (0.99, 0.01)}
LEAST_MIXED = 0.95


@cache
def _registry() -> Registry:
    return read_registry(PROJECT / "config" / "registry")


def prevalence_of(seed: int, generator: np.random.Generator) -> float:
    """Return a true prevalence between 10 and 60 %: each tenth of the range equally often, at random within it."""
    stratum = (seed // len(MECHANISMS)) % STRATA
    return LOWEST + (HIGHEST - LOWEST) * (stratum + float(generator.random())) / STRATA


def case(seed: int) -> Record:
    """Draw sites with one prevalence and return what is found in each."""
    generator = np.random.default_rng([20261123, seed])
    mechanism = MECHANISMS[seed % len(MECHANISMS)]
    prevalence = prevalence_of(seed, generator)
    found = []
    for n in SIZES:
        people = draw_people(generator, n, prevalence, mechanism)
        laboratory = draw_laboratory(generator, people)
        beside = neutrophils(generator, people) if generator.random() < 0.5 else None
        for exponent in EXPONENTS:
            column = reported(generator, people, laboratory, exponent, bool(generator.random() < 0.5))
            found.append(["whole", n, exponent, _grade(_found(column, beside), exponent)])
            if abs(exponent) <= 1:
                bare = column.drop("limit_reported", "decimals")
                found.append(["bare", n, exponent, _grade(_found(bare), exponent)])
            if exponent == 0 and n == SIZES[-1]:
                found += _grouped(generator, column) + _scattered(generator, column)
    found += _beyond(generator, mechanism) + _cytokines(generator)
    return {"mechanism": mechanism, "prevalence": round(prevalence, 4), "found": found}


def _found(*columns: pl.DataFrame | None) -> list[Suspicion]:
    rows = pl.concat([column for column in columns if column is not None], how="diagonal")
    return find_suspicions(count_values(rows), _registry(), {})


def _grade(found: Sequence[Suspicion], exponent: float, label: str = "all") -> str:
    """Return the severity of what names the slip; without a slip, of anything that is said."""
    severities = {
        one.severity
        for one in found
        if exponent == 0 or (one.label == label and one.exponent * exponent > 0)
    }  # fmt: skip
    return next((grade for grade in ("error", "warning") if grade in severities), "none")


def _grade_part(found: Sequence[Suspicion], exponent: float) -> str:
    """Return the severity of what names a part of the site in the direction of the slip.

    A month may be named by the batches in it: the finest part that is large enough is looked at first.
    """
    severities = {one.severity for one in found if one.group is not None and one.exponent * exponent > 0}
    return next((grade for grade in ("error", "warning") if grade in severities), "none")


def _grouped(generator: np.random.Generator, column: pl.DataFrame) -> list[list[object]]:
    """Return what is found where one batch, month or file of 50 values carries a factor of ten."""
    found: list[list[object]] = []
    for group in GROUPED:
        for exponent in (1, -1):
            start = int(generator.integers(0, column.height - 50))
            inside = np.zeros(column.height, dtype=bool)
            inside[start : start + 50] = True
            marked = _with_factor(column, inside, exponent).with_columns(
                pl.when(pl.Series(inside)).then(pl.lit("X")).otherwise(pl.lit("Y")).alias(group)
            )
            found.append([group, 50, exponent, _grade_part(_found(marked), exponent)])
    return found


def _scattered(generator: np.random.Generator, column: pl.DataFrame) -> list[list[object]]:
    """Return what is found where 5 % of the values, anywhere, carry a factor."""
    found: list[list[object]] = []
    for exponent in SCATTERED:
        inside = np.zeros(column.height, dtype=bool)
        inside[generator.choice(column.height, column.height // 20, replace=False)] = True
        label = "mixed_high" if exponent > 0 else "mixed_low"
        grade = _grade(_found(_with_factor(column, inside, exponent)), exponent, label)
        found.append(["scattered", column.height, exponent, grade])
    return found


def _with_factor(column: pl.DataFrame, inside: np.ndarray, exponent: int) -> pl.DataFrame:
    factor = np.where(inside, 10.0**exponent, 1.0)
    return column.with_columns(pl.col("value") * pl.Series(factor), pl.col("limit_reported") * pl.Series(factor))


def _beyond(generator: np.random.Generator, mechanism: Mechanism) -> list[list[object]]:
    """Return what is said of right units where more or fewer people are inflamed than the registry expects."""
    found: list[list[object]] = []
    for prevalence in BEYOND:
        people = draw_people(generator, 200, prevalence, mechanism)
        column = reported(generator, people, draw_laboratory(generator, people), 0)
        found.append([f"prevalence {100 * prevalence:.0f} %", 200, 0, _grade(_found(column), 0)])
    return found


def _cytokines(generator: np.random.Generator) -> list[list[object]]:
    found: list[list[object]] = []
    for analyte in ("il6", "tnf"):
        for exponent in EXPONENTS:
            column = draw_cytokine(generator, analyte, 200, exponent)
            found.append([analyte, 200, exponent, _grade(_found(column), exponent)])
    return found


def summarise(records: Sequence[Record]) -> Record:
    """Count what was found: by kind, number of values and factor, by mechanism, and by prevalence."""
    overall: dict[str, dict[str, int]] = defaultdict(_blank)
    curve: dict[str, dict[str, int]] = defaultdict(_blank)
    for record in records:
        low = LOWEST + 0.05 * min(STRATA - 1, int((record["prevalence"] - LOWEST) / 0.05 + 1e-9))
        for kind, n, exponent, grade in record["found"]:
            names = [kind, f"{kind} {record['mechanism']}"] if kind.split()[0] in BY_MECHANISM else [kind]
            for name in names:
                overall[f"{name} n={n} factor=1e{exponent}"][grade] += 1
            if kind == "whole" and abs(exponent) <= 1:
                curve[f"{record['mechanism']} n={n} factor=1e{exponent} prevalence={low:.2f}-{low + 0.05:.2f}"][
                    grade
                ] += 1
    shares = {line: _shares(counts) for line, counts in overall.items()}
    failures = [*_broken_claims(overall)]
    return {
        "sites": sum(len(record["found"]) for record in records),
        "claims_not_met": failures,
        "operating_curve": shares,
        "by_prevalence": {line: _shares(curve[line]) for line in sorted(curve)},
        "passed": not failures,
    }


def _blank() -> dict[str, int]:
    return {"error": 0, "warning": 0, "none": 0}


def _shares(counts: dict[str, int]) -> dict[str, float | int]:
    total = sum(counts.values())
    return {"sites": total, "error": round(counts["error"] / total, 4), "warning": round(counts["warning"] / total, 4)}


def _broken_claims(overall: dict[str, dict[str, int]]) -> list[str]:
    broken = []
    for n, (sensitivity, false_alarms) in CLAIMS.items():
        for exponent in EXPONENTS:
            line = f"whole n={n} factor=1e{exponent}"
            counts = overall[line]
            bound = false_alarms if exponent == 0 else 1 - sensitivity
            wrong = counts["error"] if exponent == 0 else sum(counts.values()) - counts["error"]
            broken += [line] if _exceeds(wrong, sum(counts.values()), bound) else []
    lines = [f"{group} n=50 factor=1e{exponent}" for group in GROUPED for exponent in (1, -1)]
    lines += [f"scattered n=1000 factor=1e{exponent}" for exponent in (3, -3)]
    for line in lines:
        total = sum(overall[line].values())
        broken += [line] if _exceeds(total - overall[line]["error"], total, 1 - LEAST_MIXED) else []
    return broken


def _exceeds(wrong: int, total: int, bound: float) -> bool:
    """Return whether a share of wrong answers exceeds its bound; in a sample by three standard errors and one case."""
    slack = 3 * (bound * (1 - bound) * total) ** 0.5 + 1 if total < 1000 else 0.0
    return wrong > bound * total + slack


unit_evidence = Proof(
    name="unit_evidence",
    claim="A wrong unit is named and a right one is not, over true prevalences of inflammation from 10 to 60 %: whole "
    "columns, batches, months and files, and scattered values a thousand times off.",
    modules=("ember.harmonise.evidence", "ember.harmonise.evidence_findings", "ember.harmonise.evidence_sites"),
    count=2000,
    sample=40,
    case=case,
    summarise=summarise,
    publish=publish,
)
