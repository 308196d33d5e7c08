"""Two humps a conversion factor apart: scattered rows in another unit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ember.harmonise.evidence_counts import centres, histogram, quantile, spread
from ember.harmonise.evidence_demands import Demands
from ember.harmonise.evidence_suspicion import MIXED, Suspicion, usual_unit


def suspect_mixture(
    counts: pl.DataFrame, analyte: str, exponents: Sequence[float], demands: Demands
) -> list[Suspicion]:
    """Return the second humps of one analyte of a site.

    Parameters
    ----------
    counts : DataFrame
        Counts of one analyte without the groups that are already in doubt (`count_values`).

    Notes
    -----
    Values in another unit repeat the distribution a factor away. They are counted beyond the middle between the two
    humps, and their median has to lie near the factor from that of all values (measured ones alone: a limit moves
    with its hump): a long tail of acute values would have its median close to that middle instead. It needs humps
    that hardly overlap, so the factor must be many robust standard deviations: for hsCRP 1,000, for white cells 10.
    A factor of 10 to 100 in a few rows of CRP resembles acute infection: a warning at most, and no claim.
    """
    measured = histogram(counts.filter(pl.col("censoring") == "none"))
    n = float(measured.sum())
    if n < demands.least_in_group:
        return []
    centre = float(quantile(measured[None, :], 0.5)[0])
    lower = (centre - float(quantile(measured[None, :], 0.25)[0])) / 0.6745
    deviation = max(float(spread(measured[None, :])[0]), lower)
    found = []
    for sign in (1, -1):
        humps: dict[float, Suspicion] = {}
        for exponent in [one for one in exponents if one * sign > 0]:
            middle = centre + exponent / 2
            far = measured * (centres() > middle if sign > 0 else centres() < middle)
            size, severity = float(far.sum()), grade_humps(exponent, deviation, demands)
            if severity is None or size < max(demands.mixed_least, demands.mixed_share * n):
                continue
            misfit = abs(float(quantile(far[None, :], 0.5)[0]) - centre - exponent)
            if misfit <= demands.mixed_misfit:
                humps[misfit] = _hump(counts, analyte, exponent, middle, int(size), int(n - size), severity)
        found += [humps[min(humps)]] if humps else []
    return found


def grade_humps(exponent: float, deviation: float, demands: Demands) -> str | None:
    """Return how sure a second hump would be, from the factor and the robust standard deviation of the analyte."""
    separation = abs(exponent) / deviation
    wide = abs(exponent) >= demands.mixed_error_decades and separation >= demands.mixed_error_separation
    if wide or separation >= demands.mixed_narrow_separation:
        return "error"
    return "warning" if separation >= demands.mixed_warning_separation else None


def _hump(
    counts: pl.DataFrame, analyte: str, exponent: float, middle: float, n: int, others: int, severity: str
) -> Suspicion:
    above, below = (10**middle, None) if exponent > 0 else (None, 10**middle)
    unit, label = usual_unit(counts), MIXED[int(np.sign(exponent))]
    return Suspicion(
        analyte, None, None, label, exponent, unit, n, others, severity, "itself", above=above, below=below
    )
