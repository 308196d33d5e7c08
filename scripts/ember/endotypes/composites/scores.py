"""z scores of ln values within groups of rows, and their mean over the analytes that are there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ember.endotypes.composites.censored_normal import mills
from ember.endotypes.cuts import BoolArray, FloatArray, IntArray
from ember.endotypes.results import FILLS

CONDITIONAL = "conditional_mean"
"""A censored result counts with the mean of the part of the reference distribution in which it lies."""


def z_of_ln(value: FloatArray, group: IntArray, counted: BoolArray) -> FloatArray:
    """Return z scores of ln values within groups.

    Parameters
    ----------
    value : ndarray, shape (n,)
        Canonical values, none censored any more; nan where missing.
    group : ndarray of int, shape (n,)
        Rows with one number are standardised together.
    counted : ndarray of bool, shape (n,)
        Rows from which mean and standard deviation (divisor n - 1) are taken and for which z is returned.

    Returns
    -------
    ndarray, shape (n,)
        nan where the value is missing or not positive, or its group has no spread.
    """
    usable = counted & (np.nan_to_num(value) > 0)
    z = np.full(value.size, np.nan)
    for number in np.unique(group[usable]):
        rows = usable & (group == number)
        ln = np.log(value[rows])
        spread = float(np.std(ln, ddof=1)) if ln.size > 1 else 0.0
        if spread > 0:
            z[rows] = (ln - np.mean(ln)) / spread
    return z


def z_against(
    value: FloatArray, left: BoolArray, right: BoolArray, mean: FloatArray, sd: FloatArray, method: str
) -> FloatArray:
    """Return z scores of ln values against given means and standard deviations.

    Parameters
    ----------
    value : ndarray, shape (n,)
        Canonical values; the limit where censored; nan where missing.
    left, right : ndarray of bool, shape (n,)
        Known only to lie below, or above, the value.
    mean, sd : ndarray, shape (n,)
        Of the ln values of the reference of each row; nan where it has none.
    method : str
        "conditional_mean": a censored result counts with the expected z of its side of the limit under the reference,
        -phi(a)/Phi(a) below a limit with z = a, and phi(a)/(1 - Phi(a)) above it. Otherwise a key of FILLS: that
        share of the limit stands for a result below it; one above its limit stays at the limit.

    Notes
    -----
    The conditional expectation keeps the mean of the z scores at 0 in the reference; their variance stays below 1
    by what is not known of the censored results. At later visits it still is an expectation under the baseline
    distribution: many results below the limit then pull the composite towards baseline.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ln = np.where(value > 0, np.log(value), np.nan)
    if method != CONDITIONAL:
        return np.asarray((ln + np.where(left, np.log(FILLS[method]), 0.0) - mean) / sd, dtype=np.float64)
    z = (ln - mean) / sd
    known = ~np.isnan(z)
    for side, sign in ((left, -1.0), (right, 1.0)):
        rows = side & known
        z[rows] = sign * mills(-sign * z[rows])
    return np.asarray(z, dtype=np.float64)


def group_numbers(frame: pl.DataFrame, columns: Sequence[str]) -> IntArray:
    """Return one number for each combination of columns, in order of first appearance; nulls are equal."""
    first = frame.select(pl.struct(columns).alias("key")).with_row_index("row")
    seen = first.unique("key", keep="first", maintain_order=True).select("key", pl.col("row").alias("number"))
    joined = first.join(seen, on="key", how="left", maintain_order="left", nulls_equal=True)
    return joined["number"].to_numpy().astype(np.int64)


def mean_of_present(scores: Sequence[FloatArray], minimum: int) -> tuple[FloatArray, IntArray]:
    """Return the mean of the z scores that are there, and how many are.

    Parameters
    ----------
    scores : sequence of ndarray, each of shape (n,)
        z scores, one array an analyte; nan where missing.
    minimum : int
        Fewer than this many and the mean is nan.

    Notes
    -----
    The mean of fewer analytes has a larger variance than that of all, so a cut on it labels people with fewer
    results inflamed more often at the extremes; `n_analytes` is kept beside it for that reason.
    """
    present = np.column_stack([~np.isnan(score) for score in scores])
    number = present.sum(axis=1).astype(np.int64)
    total = np.zeros(present.shape[0])
    for score in scores:  # in the declared order, so that sums round alike on every run
        total += np.nan_to_num(score)
    enough = number >= max(minimum, 1)
    mean = np.full(total.size, np.nan)
    mean[enough] = total[enough] / number[enough]
    return mean, number
