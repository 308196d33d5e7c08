"""Tails and quantiles of the reference distributions, from survival functions (no 1 - x), without scipy.stats."""

from __future__ import annotations

import math

import numpy as np
from scipy import special


def two_sided_p(statistic: float, df: float) -> float:
    """Return the two-sided p value of a t statistic; normal if `df` is infinite, NaN if `df` <= 0."""
    if math.isnan(statistic) or math.isnan(df) or df <= 0:
        return float("nan")
    if math.isinf(df):
        return float(2.0 * special.ndtr(-abs(statistic)))
    return float(2.0 * special.stdtr(df, -abs(statistic)))


def critical_value(df: float, level: float = 0.95) -> float:
    """Return the two-sided critical value of t; normal if `df` is infinite, NaN if `df` <= 0."""
    tail = (1.0 - level) / 2.0
    if math.isnan(df) or df <= 0:
        return float("nan")
    if math.isinf(df):
        return float(-special.ndtri(tail))
    return float(-special.stdtrit(df, tail))


def chi_square_p(statistic: float, df: float) -> float:
    """Return the upper tail of the chi-square distribution."""
    return float(special.chdtrc(df, statistic)) if df > 0 and np.isfinite(statistic) else float("nan")


def chi_square_quantile(upper_tail: float, df: float) -> float:
    """Return the value that chi-square exceeds with probability `upper_tail`."""
    return float(special.chdtri(df, upper_tail))


def f_p(statistic: float, df_numerator: float, df_denominator: float) -> float:
    """Return the upper tail of F; chi-square over its df if `df_denominator` is infinite."""
    if df_denominator <= 0 or not np.isfinite(statistic):
        return float("nan")
    if math.isinf(df_denominator):
        return chi_square_p(statistic * df_numerator, df_numerator)
    return float(special.fdtrc(df_numerator, df_denominator, statistic))
