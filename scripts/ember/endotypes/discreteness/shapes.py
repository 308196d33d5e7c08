"""Two explanations of one histogram: a single skewed component, and two normal ones."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from ember.endotypes.cuts import FloatArray
from ember.endotypes.discreteness.cells import INNER, Cells, maximise

ROOT_TWO_PI = float(np.sqrt(2 * np.pi))
FARTHEST = 30.0
LOG_SCALES = (-20.0, 20.0)
LEAST_SHARE = 0.02
SPREAD_RATIO = 3.0
STARTS = ((0.5, -0.8, 0.8), (0.75, -0.5, 1.4), (0.25, -1.4, 0.5), (0.93, -0.15, 2.4))
"""Share, mean of the lower and mean of the upper component, in standard deviations of the whole."""

FIRST_STEPS, KEPT = 6, 2
"""After the first steps from every start only the best starts go on."""


def sinh_arcsinh(parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the distribution function of the sinh-arcsinh family at the inner edges, and its slopes.

    Parameters
    ----------
    parameters : ndarray, shape (r, 4)
        Location, ln scale, skewness (0 is symmetrical) and ln tail weight (0 is normal, negative is heavy).

    Notes
    -----
    Jones and Pewsey (2009, Biometrika 96:761): Z = sinh(delta * asinh((x - location) / scale) - epsilon) is standard
    normal. One family holds the normal (a log-normal analyte), skewness to both sides (a gamma analyte is skewed to
    the left on the log scale) and tails from lighter than normal to those of a t with few degrees of freedom, in
    closed form, so that censoring costs nothing.
    """
    location, scale = parameters[:, :1], np.exp(np.clip(parameters[:, 1:2], *LOG_SCALES))
    epsilon, delta = parameters[:, 2:3], np.exp(parameters[:, 3:4])
    u = (INNER - location) / scale
    arc = np.arcsinh(u)
    inside = np.clip(delta * arc - epsilon, -FARTHEST, FARTHEST)
    z = np.sinh(inside)
    density = np.exp(-0.5 * np.minimum(z * z, 1400.0)) / ROOT_TWO_PI * np.cosh(inside)
    slope = delta / np.sqrt(1 + u * u)
    slopes = np.stack([-density * slope / scale, -density * slope * u, -density, density * delta * arc])
    return ndtr(z), slopes


def sinh_arcsinh_quantile(parameters: FloatArray, z: FloatArray) -> FloatArray:
    """Return the values of one shape (4,) that stand where standard normal ones stand; any shape of `z`."""
    location, log_scale, epsilon, log_delta = parameters
    return np.asarray(location + np.exp(log_scale) * np.sinh((np.arcsinh(z) + epsilon) / np.exp(log_delta)))


def sinh_arcsinh_below(parameters: FloatArray, value: FloatArray) -> FloatArray:
    """Return the standard normal values that stand where values of one shape (4,) stand."""
    location, log_scale, epsilon, log_delta = parameters
    inside = np.exp(log_delta) * np.arcsinh((value - location) / np.exp(log_scale)) - epsilon
    return np.asarray(np.sinh(np.clip(inside, -FARTHEST, FARTHEST)))


def sinh_arcsinh_density(parameters: FloatArray, value: FloatArray) -> FloatArray:
    """Return the density of one shape (4,) at values."""
    location, log_scale, epsilon, log_delta = parameters
    scale, delta = np.exp(log_scale), np.exp(log_delta)
    u = (value - location) / scale
    inside = np.clip(delta * np.arcsinh(u) - epsilon, -FARTHEST, FARTHEST)
    z = np.sinh(inside)
    return np.asarray(np.exp(-0.5 * z * z) / ROOT_TWO_PI * np.cosh(inside) * delta / np.sqrt(1 + u * u) / scale)


def two_normals(parameters: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the distribution function of two normal components at the inner edges, and its slopes.

    Parameters
    ----------
    parameters : ndarray, shape (r, 5)
        As `two_normals_named` reads them.

    Notes
    -----
    The likelihood of two free variances has no upper bound, so shares keep to 2 to 98 % and the ratio of the two
    standard deviations to 1/3 to 3 (Hathaway 1985, Annals of Statistics 13:795).
    """
    share, means, spreads, inner = _named(parameters)
    of_share, of_ratio = inner
    u = (INNER - means[:, :, None]) / spreads[:, :, None]
    below = ndtr(u)
    density = np.exp(-0.5 * u * u) / ROOT_TWO_PI / spreads[:, :, None]
    weights = np.stack([share, 1 - share], axis=1)[:, :, None]
    total = (weights * below).sum(axis=1)
    by_mean = -weights * density
    by_log_spread = by_mean * u * spreads[:, :, None]
    ratio = (by_log_spread[:, 0] - by_log_spread[:, 1]) * of_ratio[:, None]
    slopes = np.stack(
        [
            (below[:, 0] - below[:, 1]) * of_share[:, None],
            by_mean[:, 0],
            by_mean[:, 1],
            by_log_spread.sum(axis=1),
            ratio,
        ]
    )
    return np.clip(total, 0.0, 1.0), slopes


def two_normals_density(parameters: FloatArray, value: FloatArray) -> FloatArray:
    """Return the density of one pair of components (5,) at values."""
    share, means, spreads, _ = _named(parameters[None])
    u = (value[:, None] - means[0]) / spreads[0]
    weights = np.array([share[0], 1 - share[0]]) / spreads[0]
    return np.asarray(np.exp(-0.5 * u * u) @ weights / ROOT_TWO_PI)


def two_normals_named(parameters: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the share of the first component (r,), the means (r, 2) and the standard deviations (r, 2)."""
    share, means, spreads, _ = _named(parameters)
    return share, means, spreads


def _named(
    parameters: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray, tuple[FloatArray, FloatArray]]:
    logistic = 1 / (1 + np.exp(-np.clip(parameters[:, 0], -FARTHEST, FARTHEST)))
    share = LEAST_SHARE + (1 - 2 * LEAST_SHARE) * logistic
    half = np.log(SPREAD_RATIO) / 2
    bent = np.tanh(parameters[:, 4])
    log_spreads = parameters[:, 3:4] + half * np.stack([bent, -bent], axis=1)
    slopes = ((1 - 2 * LEAST_SHARE) * logistic * (1 - logistic), half * (1 - bent * bent))
    return share, parameters[:, 1:3], np.exp(np.clip(log_spreads, -5, 5)), slopes


def fit_one(cells: Cells) -> tuple[FloatArray, FloatArray]:
    """Return the single skewed component of each sample: parameters (r, 4) and log-likelihoods (r,)."""
    start = np.zeros((cells.exact.shape[0], 4))
    return maximise(cells, sinh_arcsinh, start)


def fit_two(cells: Cells) -> tuple[FloatArray, FloatArray]:
    """Return the two normal components of each sample: parameters (r, 5) and log-likelihoods (r,)."""
    samples, number = cells.exact.shape[0], len(STARTS)
    starts = np.array([[np.log(p / (1 - p)), low, high, -0.4, 0.0] for p, low, high in STARTS])
    tried, told = maximise(_repeated(cells, number), two_normals, np.tile(starts, (samples, 1)), FIRST_STEPS)
    order = np.argsort(-told.reshape(samples, number), axis=1, kind="stable")[:, :KEPT]
    kept = (order + number * np.arange(samples)[:, None]).ravel()
    parameters, told = maximise(_repeated(cells, KEPT), two_normals, tried[kept])
    best = told.reshape(samples, KEPT).argmax(axis=1) + KEPT * np.arange(samples)
    return parameters[best], told[best]


def _repeated(cells: Cells, times: int) -> Cells:
    return Cells(*(np.repeat(counts, times, axis=0) for counts in (cells.exact, cells.left, cells.right)))
