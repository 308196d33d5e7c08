"""Is a group more, or less, variable than its comparison group? lnCVR on the raw scale, lnVR on the log scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ember.endotypes.composites.censored_normal import fit_normals
from ember.endotypes.cuts import BoolArray, FloatArray

TWO_SIDED = 1.959963984540054
FEWEST = 10


@dataclass(frozen=True)
class LogRatio:
    """The natural logarithm of a ratio of two groups, with its standard error."""

    value: float
    std_error: float

    @property
    def conf_low(self) -> float:
        return self.value - TWO_SIDED * self.std_error

    @property
    def conf_high(self) -> float:
        return self.value + TWO_SIDED * self.std_error


def log_variability_ratio(sd: tuple[float, float], n: tuple[int, int]) -> LogRatio:
    """Return lnVR, the log ratio of the standard deviations of two independent groups.

    Parameters
    ----------
    sd, n : tuple
        Of the group and of its comparison group.

    Notes
    -----
    Nakagawa and others (2015, Methods in Ecology and Evolution 6:143, equations 8 and 9). A subgroup that the
    comparison group lacks makes lnVR positive; a shift of everybody leaves it at zero. It supposes normal values:
    with heavy tails the standard error is too small.
    """
    parts = [1 / (2 * (size - 1)) for size in n]
    return LogRatio(float(np.log(sd[0] / sd[1]) + parts[0] - parts[1]), float(np.sqrt(sum(parts))))


def log_coefficient_ratio(mean: tuple[float, float], sd: tuple[float, float], n: tuple[int, int]) -> LogRatio:
    """Return lnCVR, the log ratio of the coefficients of variation of two independent groups.

    Notes
    -----
    Nakagawa and others (2015, equations 11 and 12), without the correlation of mean and SD. For values on the raw
    scale only: a logarithm has no natural zero, so its coefficient of variation means nothing. Under a log-normal
    distribution a pure shift leaves it at zero.
    """
    spread = log_variability_ratio(sd, n)
    extra = [(s / m) ** 2 / size for s, m, size in zip(sd, mean, n, strict=True)]
    return LogRatio(float(spread.value - np.log(mean[0] / mean[1])), float(np.sqrt(spread.std_error**2 + sum(extra))))


def compare_variability(
    log_value: FloatArray, left: BoolArray, right: BoolArray, cases: BoolArray
) -> dict[str, LogRatio] | None:
    """Return `ln_vr` and `ln_cvr` of one marker measured with one assay in cases and in a comparison group.

    Parameters
    ----------
    log_value : ndarray, shape (n,)
        Natural logarithms; the limit where censored; nan where missing.
    cases : ndarray of bool, shape (n,)
        False for the comparison group.

    Returns
    -------
    dict or None
        None with fewer than ten values of either group, or without spread.

    Notes
    -----
    The SD on the log scale is that of a censored normal likelihood; its standard error counts every value, which is
    a little too small where many are censored. On the raw scale a value below the limit stands at limit / sqrt 2.
    """
    groups = [cases & ~np.isnan(log_value), ~cases & ~np.isnan(log_value)]
    n = (int(groups[0].sum()), int(groups[1].sum()))
    fits = fit_normals(log_value, left, right, np.where(cases, 0, 1), 2)
    if min(n) < FEWEST or not (fits.sd > 0).all():
        return None
    raw = np.exp(log_value) * np.where(left, 1 / np.sqrt(2), 1.0)
    mean = (float(raw[groups[0]].mean()), float(raw[groups[1]].mean()))
    sd = (float(raw[groups[0]].std(ddof=1)), float(raw[groups[1]].std(ddof=1)))
    return {
        "ln_vr": log_variability_ratio((float(fits.sd[0]), float(fits.sd[1])), n),
        "ln_cvr": log_coefficient_ratio(mean, sd, n),
    }


def pooled(ratios: list[LogRatio]) -> LogRatio | None:
    """Return the mean of independent ratios weighted by inverse variance, or None without any."""
    if not ratios:
        return None
    weights = np.array([1 / ratio.std_error**2 for ratio in ratios])
    values = np.array([ratio.value for ratio in ratios])
    return LogRatio(float((weights * values).sum() / weights.sum()), float(1 / np.sqrt(weights.sum())))
