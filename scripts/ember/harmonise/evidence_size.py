"""The size of a site's values: under which factor do they look like a plausible population?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.harmonise.evidence_counts import N_BINS, STEP, histogram
from ember.harmonise.evidence_populations import Populations

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Size:
    """Log odds (natural) of each factor against none, and the number of values behind them."""

    odds: dict[float, float]
    n: int


def size_odds(counts: pl.DataFrame, populations: Populations, exponents: Sequence[float], most: float) -> Size:
    """Return how much better each factor explains the values than no factor does.

    Parameters
    ----------
    counts : DataFrame
        Counts of one analyte (`count_values`).
    exponents : sequence of float
        Candidate factors in decades: the values would be 10**exponent times too high.
    most : float
        Number of values that the evidence may count for.

    Notes
    -----
    A likelihood ratio: for each factor the probability of the values, divided by the factor, is averaged over all
    plausible populations with equal weight. A censored value counts with the probability of lying below (above) its
    limit. The logarithm is scaled to at most `most` values, because with many values the ratio would be decided by
    how well the shape of the reference fits and not by the place of the values. It fails in the grey zone, where a
    population with few inflamed people and a factor of ten looks like one with many and no factor; and beyond the
    plausible prevalences.
    """
    n = int(counts["n"].sum())
    scale = min(1.0, most / n) if n else 0.0
    kinds = {kind: histogram(counts.filter(pl.col("censoring") == kind)) for kind in ("none", "left", "right")}
    tables = _logarithms(populations.functions)
    found = {exponent: scale_mean(tables, kinds, exponent, scale) for exponent in (0.0, *exponents)}
    return Size({exponent: found[exponent] - found[0.0] for exponent in exponents}, n)


def _logarithms(functions: Floats) -> dict[str, Floats]:
    tiny = np.finfo(np.float64).tiny
    return {
        "none": np.log(np.maximum(np.diff(functions, axis=1), tiny)),
        "left": np.log(np.maximum(functions[:, 1:], tiny)),
        "right": np.log(np.maximum(1 - functions[:, :-1], tiny)),
    }


def scale_mean(tables: dict[str, Floats], kinds: dict[str, Floats], exponent: float, scale: float) -> float:
    """Return the logarithm of the mean likelihood over the populations if the values are 10**exponent too high."""
    steps = round(exponent / STEP)
    total = sum(tables[kind] @ moved(counts, -steps) for kind, counts in kinds.items())
    likelihoods = np.asarray(total, dtype=np.float64) * scale
    top = float(likelihoods.max())
    return top + float(np.log(np.mean(np.exp(likelihoods - top))))


def moved(counts: Floats, steps: int) -> Floats:
    """Return a histogram moved by a number of bins; what would leave the grid stays in its last bin."""
    place = np.clip(np.arange(N_BINS) + steps, 0, N_BINS - 1)
    return np.bincount(place, weights=counts, minlength=N_BINS).astype(np.float64)
