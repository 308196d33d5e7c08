"""Further evidence about a unit where size is in doubt: limits, numbers of decimals, other analytes of the site."""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import polars as pl

from ember.harmonise.evidence_counts import EDGES, STEP, histogram, quantile
from ember.harmonise.evidence_demands import Demands
from ember.harmonise.units import find_conversion
from ember.registry.registry import Registry


def further_odds(
    counts: pl.DataFrame,
    analyte: str,
    exponent: float,
    registry: Registry,
    factors: Mapping[str, Fraction],
    demands: Demands,
) -> dict[str, float]:
    """Return the log odds (natural) of a factor against none that are not in the size of the values, by their kind.

    Parameters
    ----------
    counts : DataFrame
        Counts of one site, all analytes (`count_values`).
    exponent : float
        The factor in question, in decades.
    factors : mapping
        Factor of each unit of the analyte to the canonical one.

    Notes
    -----
    A wrong unit multiplies a limit that the file gives, and the smallest step of the numbers, by the same factor as
    the values. Known limits are those of `assays.csv`, usual steps those of `unit_populations.csv`. Another analyte
    that rises with this one (`unit_companions.csv`) says whether the people are inflamed. Each is weak and bounded:
    laboratories have habits, and software rewrites numbers.
    """
    own = counts.filter(pl.col("analyte") == analyte)
    found = {
        "limits": limit_odds(own, known_limits(registry, analyte), exponent, demands),
        "decimals": decimal_odds(own, usual_steps(registry, analyte), exponent, factors, demands),
        "other analytes": companion_odds(counts, analyte, exponent, registry, demands),
    }
    return {kind: odds for kind, odds in found.items() if odds}


def total_of(further: Mapping[str, float], demands: Demands) -> float:
    """Return the sum of further evidence, at most `further_most` either way."""
    return float(np.clip(sum(further.values()), -demands.further_most, demands.further_most))


def known_limits(registry: Registry, analyte: str) -> list[float]:
    """Return log10 of the lower limits of the analyte's assays in the canonical unit."""
    found = []
    for row in registry.rows("assays"):
        if row["analyte"] == analyte and row["limit_low"].strip():
            conversion = find_conversion(registry, analyte, row["unit"])
            if conversion is not None:
                found.append(math.log10(float(row["limit_low"]) * float(conversion.factor)))
    return found


def usual_steps(registry: Registry, analyte: str) -> list[float]:
    """Return log10 of the usual smallest steps of reported numbers in the canonical unit."""
    if not registry.has("unit_populations", analyte):
        return []
    text = registry.row("unit_populations", analyte)["usual_resolution"]
    return [math.log10(float(step)) for step in text.split(";") if step]


def limit_odds(counts: pl.DataFrame, known: list[float], exponent: float, demands: Demands) -> float:
    """Return what the file's own most frequent lower limit says; 0 where the file gives none."""
    given = counts.filter(pl.col("own_limit"))
    if not given.height or not known:
        return 0.0
    totals = histogram(given)
    limit = float(EDGES[int(totals.argmax())]) + STEP / 2
    return _usualness(limit - exponent, known, demands.limit_spread, demands) - _usualness(
        limit, known, demands.limit_spread, demands
    )


def decimal_odds(
    counts: pl.DataFrame, usual: list[float], exponent: float, factors: Mapping[str, Fraction], demands: Demands
) -> float:
    """Return what the most frequent number of decimals says; 0 unless half of the measured values share it."""
    measured = counts.filter(pl.col("decimals").is_not_null() & (pl.col("censoring") == "none"))
    totals = measured.group_by("from_unit", "decimals").agg(pl.col("n").sum())
    if not totals.height or not usual:
        return 0.0
    unit, decimals, n = totals.sort(["n", "from_unit", "decimals"], descending=True).row(0)
    if 2 * n < totals["n"].sum() or unit not in factors:
        return 0.0
    step = math.log10(float(factors[unit])) - decimals
    # Half a decade: the next number of decimals is as far as the kernel reaches.
    width = 0.25
    return _usualness(step - exponent, usual, width, demands) - _usualness(step, usual, width, demands)


def _usualness(place: float, known: list[float], width: float, demands: Demands) -> float:
    """Return the log density of a laboratory's habit: near what is usual, or anywhere."""
    near = max(math.exp(-0.5 * ((place - one) / width) ** 2) for one in known) / (width * math.sqrt(2 * math.pi))
    return math.log(demands.usual_share * near + (1 - demands.usual_share) / demands.unusual_range)


def companion_odds(counts: pl.DataFrame, analyte: str, exponent: float, registry: Registry, demands: Demands) -> float:
    """Return what the first companion says that the site has measured and that lies where people can be.

    Notes
    -----
    The companion is expected at its reference + slope x (analyte - its reference), all ln. The factor moves the
    analyte, not the companion. A companion further than three spreads from both expectations is itself in doubt.
    """
    own = _median(counts, analyte)
    for row in registry.rows("unit_companions"):
        other = _median(counts, row["companion"]) if row["analyte"] == analyte else None
        references = [registry.row("analytes", name)["reference_ln_mean"] for name in (analyte, row["companion"])]
        if own is None or other is None or not all(references):
            continue
        reference, of_companion = (float(text) for text in references)
        ln = math.log(10)
        scores = [
            (ln * other - of_companion - float(row["slope"]) * (ln * (own - shift) - reference)) / float(row["spread"])
            for shift in (0.0, exponent)
        ]
        if min(abs(score) for score in scores) <= 3:
            difference = (scores[0] ** 2 - scores[1] ** 2) / 2
            return float(np.clip(difference, -demands.companion_most, demands.companion_most))
    return 0.0


def _median(counts: pl.DataFrame, analyte: str) -> float | None:
    chosen = counts.filter(pl.col("analyte") == analyte)
    return float(quantile(histogram(chosen)[None, :], 0.5)[0]) if chosen["n"].sum() >= 20 else None
