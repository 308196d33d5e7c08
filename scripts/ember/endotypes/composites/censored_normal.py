"""Mean and standard deviation of groups of normal values, some of them known only to lie below or above a limit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr

from ember.endotypes.cuts import BoolArray, FloatArray, IntArray

LOG_ROOT_TWO_PI = 0.5 * float(np.log(2 * np.pi))
MOST_STEPS = 200
CLOSE = 1e-11


@dataclass(frozen=True)
class NormalFits:
    """One entry a group, in the order of their numbers.

    Attributes
    ----------
    mean, sd : ndarray
        Maximum likelihood estimates (the standard deviation without a censored value has the divisor n); nan where
        they are not identified.
    n, n_left, n_right : ndarray of int
        Values that took part, and how many of them were censored on each side.
    log_likelihood : ndarray
        At the estimates; nan where they are not identified.
    """

    mean: FloatArray
    sd: FloatArray
    n: IntArray
    n_left: IntArray
    n_right: IntArray
    log_likelihood: FloatArray


@dataclass(frozen=True)
class _Sample:
    """Values of the groups that can be fitted, centred and scaled within each group, exact and censored apart."""

    exact: FloatArray
    exact_group: IntArray
    bound: FloatArray
    bound_group: IntArray
    sign: FloatArray
    number: int

    def total(self, exact: FloatArray, bound: FloatArray) -> FloatArray:
        """Return sums by group, of exact values first, in the order of the rows."""
        of_exact = np.bincount(self.exact_group, exact, self.number)
        return np.asarray(of_exact + np.bincount(self.bound_group, bound, self.number), dtype=np.float64)


def fit_normals(value: FloatArray, left: BoolArray, right: BoolArray, group: IntArray, number: int) -> NormalFits:
    """Return the maximum likelihood estimates of every group.

    Parameters
    ----------
    value : ndarray, shape (n,)
        Values, for example natural logarithms; the limit where censored. Rows with nan take no part.
    left, right : ndarray of bool, shape (n,)
        Known only to lie below, or above, the value.
    group : ndarray of int, shape (n,)
        From 0 to `number` - 1; a negative one takes no part.

    Returns
    -------
    NormalFits
        A group with fewer than two different exact values is not identified.

    Notes
    -----
    The likelihood of a sample with censored values (Cohen 1959, Technometrics 1:217) in the parameters mean / SD and
    1 / SD of Olsen (1978, Econometrica 46:1211) is concave, so Newton's method with halved steps finds its only
    maximum from any start; all groups take their steps together. A fill (limit / sqrt 2) would bias the mean and
    shrink or stretch the SD, the more the larger the censored share. The price is the normal shape: a tail below the
    limit that is not that of a log-normal is not seen in the data that are there.
    """
    used = ~np.isnan(value) & (group >= 0)
    value, left, right, group = value[used], left[used], right[used], group[used]
    exact = ~left & ~right
    counts = [np.bincount(group[rows], minlength=number) for rows in (slice(None), left, right)]
    centre, scale = _start(value[exact], group[exact], number)
    fitted = scale > 0
    safe = np.where(fitted, scale, 1.0)
    standard = (value - centre[group]) / safe[group]
    inside = fitted[group]
    sample = _Sample(
        standard[exact & inside],
        group[exact & inside],
        standard[~exact & inside],
        group[~exact & inside],
        np.where(left, 1.0, -1.0)[~exact & inside],
        number,
    )
    ratio, precision, log_likelihood = _maximise(sample)
    mean, sd = centre + safe * ratio / precision, safe / precision
    n, n_left, n_right = (count.astype(np.int64) for count in counts)
    shift = np.bincount(group[exact], minlength=number) * np.log(safe)
    unknown = ~fitted
    for array in (mean, sd, log_likelihood):
        array[unknown] = np.nan
    return NormalFits(mean, sd, n, n_left, n_right, log_likelihood - shift)


def mills(at: FloatArray) -> FloatArray:
    """Return the normal density over its distribution function, phi(x) / Phi(x), without underflow.

    Notes
    -----
    A standard normal variable known to lie below x has the mean -mills(x), one known to lie above it mills(-x).
    """
    return np.asarray(np.exp(-0.5 * at * at - LOG_ROOT_TWO_PI - log_ndtr(at)), dtype=np.float64)


def _start(exact: FloatArray, group: IntArray, number: int) -> tuple[FloatArray, FloatArray]:
    """Return mean and SD of the exact values of each group; an SD of 0 where they do not differ."""
    n = np.maximum(np.bincount(group, minlength=number), 1)
    mean = np.bincount(group, exact, number) / n
    spread = exact - mean[group]
    sd = np.sqrt(np.bincount(group, spread * spread, number) / n)
    low, high = np.full(number, np.inf), np.full(number, -np.inf)
    np.minimum.at(low, group, exact)
    np.maximum.at(high, group, exact)
    return mean, np.where(high > low, sd, 0.0)


def _maximise(sample: _Sample) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return mean / SD, 1 / SD and the log-likelihood of each group on the scaled values."""
    ratio, precision = np.zeros(sample.number), np.ones(sample.number)
    best = _log_likelihood(sample, ratio, precision)
    for _ in range(MOST_STEPS):
        to_ratio, to_precision = _newton(sample, ratio, precision)
        share = np.ones(sample.number)
        for _ in range(60):
            next_ratio, next_precision = ratio + share * to_ratio, precision + share * to_precision
            told = _log_likelihood(sample, next_ratio, np.where(next_precision > 0, next_precision, 1.0))
            worse = (next_precision <= 0) | ~(told >= best - 1e-9 * np.abs(best) - 1e-12)
            if not worse.any():
                break
            share[worse] /= 2
        moved = ~worse
        ratio, precision = np.where(moved, next_ratio, ratio), np.where(moved, next_precision, precision)
        best = np.where(moved, told, best)
        size = share * np.maximum(np.abs(to_ratio), np.abs(to_precision))
        if (size <= CLOSE * np.maximum(1.0, np.maximum(np.abs(ratio), precision))).all():
            break
    return ratio, precision, best


def _log_likelihood(sample: _Sample, ratio: FloatArray, precision: FloatArray) -> FloatArray:
    """Return the log-likelihood by group; a right-censored value is a left-censored one seen in the mirror."""
    residual = precision[sample.exact_group] * sample.exact - ratio[sample.exact_group]
    exact = np.log(precision)[sample.exact_group] - 0.5 * residual * residual - LOG_ROOT_TWO_PI
    return sample.total(exact, np.asarray(log_ndtr(_reach(sample, ratio, precision))))


def _reach(sample: _Sample, ratio: FloatArray, precision: FloatArray) -> FloatArray:
    inside = precision[sample.bound_group] * sample.bound - ratio[sample.bound_group]
    return np.asarray(sample.sign * inside, dtype=np.float64)


def _newton(sample: _Sample, ratio: FloatArray, precision: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return Newton's step for each group; no step where there is nothing to fit."""
    y, bound, sign = sample.exact, sample.bound, sample.sign
    residual = precision[sample.exact_group] * y - ratio[sample.exact_group]
    reach = _reach(sample, ratio, precision)
    slope = mills(reach)
    bend = slope * (slope + reach)
    ones = np.ones_like(y)
    of_ratio = sample.total(residual, -sign * slope)
    of_precision = sample.total(1 / precision[sample.exact_group] - residual * y, sign * slope * bound)
    ratio_ratio = sample.total(ones, bend)
    ratio_precision = sample.total(-y, -bend * bound)
    curved = 1 / (precision * precision)
    precision_precision = sample.total(curved[sample.exact_group] + y * y, bend * bound * bound)
    determinant = ratio_ratio * precision_precision - ratio_precision * ratio_precision
    solvable = determinant > 0
    safe = np.where(solvable, determinant, 1.0)
    to_ratio = (precision_precision * of_ratio - ratio_precision * of_precision) / safe
    to_precision = (ratio_ratio * of_precision - ratio_precision * of_ratio) / safe
    return np.where(solvable, to_ratio, 0.0), np.where(solvable, to_precision, 0.0)
