"""The cytokine composite: the mean of z scores of ln values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ember.endotypes.cuts import BoolArray, FloatArray, IntArray


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
