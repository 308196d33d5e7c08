"""Unit evidence: does the size of a site's values, or of a part of them, contradict the unit in the header?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import polars as pl

from ember.harmonise.evidence_demands import Demands, read_demands
from ember.harmonise.evidence_further import further_odds, total_of
from ember.harmonise.evidence_groups import suspect_groups
from ember.harmonise.evidence_mixed import suspect_mixture
from ember.harmonise.evidence_populations import Populations, populations_of
from ember.harmonise.evidence_size import Size, size_odds
from ember.harmonise.evidence_suspicion import (
    WHOLE_SITE,
    Suspicion,
    possible_exponents,
    reserved_labels,
    usual_unit,
)
from ember.harmonise.units import DeclaredFactors, unit_factors
from ember.registry.registry import Registry


def find_suspicions(counts: pl.DataFrame, registry: Registry, declared: DeclaredFactors) -> list[Suspicion]:
    """Return the values of one site that contradict their unit, by group; errors and warnings.

    Parameters
    ----------
    counts : DataFrame
        Counts of all values of the site (`evidence_counts.count_values`, `add_counts`).
    declared : mapping
        Molar factors of the site (`units.declared_factors`).

    Notes
    -----
    Three questions in this order, each about values that no error names yet: does a batch, file, unit header, month
    or visit lie a factor away from the rest of the site; are there two humps a factor apart; does what remains lie a
    factor away from every plausible population of the registry. Nothing is corrected: which of two halves is right,
    and whether a population is unusual, is not in the data.
    """
    demands = read_demands(registry)
    found: list[Suspicion] = []
    for analyte in counts["analyte"].unique().sort():
        rows = counts.filter(pl.col("analyte") == analyte)
        factors = unit_factors(registry, analyte, declared)
        exponents = possible_exponents(factors, demands.least_exponent)
        populations = populations_of(registry, analyte, demands)
        groups = suspect_groups(rows, analyte, exponents, demands, reserved_labels())
        if populations is not None:
            groups = _without_cleared(groups, rows, populations, demands)
        rest = _without_errors(rows, groups)
        mixed = suspect_mixture(rest, analyte, exponents, demands) if rest.height else []
        found += [*groups, *mixed]
        if populations is not None and not any(one.severity == "error" for one in mixed):
            others = pl.concat([rest, counts.filter(pl.col("analyte") != analyte)])
            found += suspect_site(others, analyte, exponents, populations, registry, factors, demands)
    return found


def _without_errors(rows: pl.DataFrame, found: Sequence[Suspicion]) -> pl.DataFrame:
    errors = [one.counts() for one in found if one.severity == "error"]
    return rows.filter(~pl.any_horizontal(errors)) if errors else rows


def _without_cleared(
    groups: Sequence[Suspicion], rows: pl.DataFrame, populations: Populations, demands: Demands
) -> list[Suspicion]:
    """Return the groups without those that the reference clears while it accuses what they were held against.

    Where two halves of a site disagree both are named; the half that fits the reference is not in doubt if the
    other one does not fit.
    """

    def odds(chosen: pl.Expr, exponent: float) -> float:
        return size_odds(rows.filter(chosen), populations, [exponent], demands.largest_weight).odds[exponent]

    return [
        one
        for one in groups
        if odds(one.counts(), one.exponent) > -demands.group_error
        or odds(~one.counts(), -one.exponent) < demands.size_error
        or not any(other.exponent == -one.exponent for other in groups)
    ]


def suspect_site(
    counts: pl.DataFrame,
    analyte: str,
    exponents: Sequence[float],
    populations: Populations,
    registry: Registry,
    factors: Mapping[str, Fraction],
    demands: Demands,
) -> list[Suspicion]:
    """Return the suspicion that all values of an analyte at a site carry a wrong unit, or nothing.

    Parameters
    ----------
    counts : DataFrame
        Counts of the site, all analytes; of `analyte` only the values that are judged.

    Notes
    -----
    Size decides alone where it is clear. In the grey zone, where few inflamed people and a factor of ten look like
    many inflamed people, limits, decimals and other analytes add to it, and what stays in doubt is a warning.
    """
    own = counts.filter(pl.col("analyte") == analyte)
    if own["n"].sum() < demands.least_in_group:
        return []
    size = size_odds(own, populations, exponents, demands.largest_weight)
    near = [one for one in exponents if size.odds[one] >= demands.size_warning - demands.further_most]
    if not near:
        return []
    totals = {}
    for exponent in near:
        further = total_of(further_odds(counts, analyte, exponent, registry, factors, demands), demands)
        totals[exponent] = size.odds[exponent] + further
    best = max(near, key=lambda exponent: totals[exponent])
    severity = grade_size(size, best, totals[best], demands)
    if severity is None:
        return []
    return [Suspicion(analyte, None, None, WHOLE_SITE, best, usual_unit(own), size.n, None, severity, "reference")]


def grade_size(size: Size, exponent: float, total: float, demands: Demands) -> str | None:
    """Return "error", "warning" or None from the evidence of size and all evidence together."""
    if total >= demands.size_error and size.odds[exponent] >= demands.size_warning:
        return "error"
    return "warning" if max(size.odds[exponent], total) >= demands.size_warning else None
