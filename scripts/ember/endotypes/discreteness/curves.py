"""Curves that differ between a dimension and two classes: MAMBAC and L-Mode, for many samples at once."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from ember.endotypes.cuts import FloatArray, IntArray

CUTS = 50
BEYOND = 25
POINTS = np.linspace(-4.0, 6.0, 101)
FINER = 8
PADDED = 1024
FACTOR_STEPS = 50
FACTOR_CLOSE = 1e-3


def mambac_cuts(n: int) -> IntArray:
    """Return how many people lie below each cut."""
    return np.rint(np.linspace(BEYOND, n - BEYOND, CUTS)).astype(np.int64)


def mambac(value: FloatArray) -> FloatArray:
    """Return the MAMBAC curve of each sample, averaged over all pairs of indicators.

    Parameters
    ----------
    value : ndarray, shape (samples, n, k)
        Standardised indicators, in random order of people where there are ties.

    Returns
    -------
    ndarray, shape (samples, CUTS)
        At each cut along the one indicator, the mean of the other above less that below.

    Notes
    -----
    Meehl and Yonce (1994, Psychological Reports 74:1059). Two classes make a curve with a peak, a dimension one that
    is dish-shaped; skewness tilts both, which is why curves are only read against comparison data.
    """
    samples, n, k = value.shape
    below = mambac_cuts(n)
    curve = np.zeros((samples, CUTS))
    for given in range(k):
        order = np.argsort(value[:, :, given], axis=1, kind="stable")
        for seen in range(k):
            if seen != given:
                along = np.cumsum(np.take_along_axis(value[:, :, seen], order, axis=1), axis=1)
                lower = along[:, below - 1]
                curve += (along[:, -1:] - lower) / (n - below) - lower / below
    return np.asarray(curve / len(list(permutations(range(k), 2))))


def l_mode(value: FloatArray) -> FloatArray:
    """Return the density of the scores on the first factor of each sample at POINTS.

    Parameters
    ----------
    value : ndarray, shape (samples, n, k)
        Standardised indicators.

    Notes
    -----
    Waller and Meehl (1998, Multivariate Taxometric Procedures): the scores of two classes have two modes. Loadings by
    principal axes, scores standardised, Gaussian kernel with Silverman's bandwidth as in R's `density`.
    """
    return densities(factor_scores(value), POINTS)


def factor_scores(value: FloatArray) -> FloatArray:
    """Return the standardised scores (samples, n) on the first principal axis."""
    scores = np.matmul(value, first_loadings(value)[:, :, None])[:, :, 0]
    centred = scores - scores.mean(axis=1, keepdims=True)
    return np.asarray(centred / scores.std(axis=1, ddof=1, keepdims=True))


def beyond_cuts(value: FloatArray) -> IntArray:
    """Return how many people lie beyond each cut of the MAMBAC curve, on the side where fewer are."""
    below = mambac_cuts(value.shape[1])
    return np.asarray(np.minimum(below, value.shape[1] - below))


def beyond_points(value: FloatArray) -> IntArray:
    """Return how many people of one sample (1, n, k) lie beyond each of POINTS, on the side where fewer are."""
    return people_beyond(factor_scores(value)[0], POINTS)


def people_beyond(score: FloatArray, points: FloatArray) -> IntArray:
    """Return how many scores lie beyond each point, on the side where fewer are."""
    below = np.searchsorted(np.sort(score), points)
    return np.minimum(below, score.size - below).astype(np.int64)


def first_loadings(value: FloatArray) -> FloatArray:
    """Return the loadings (samples, k) on the first principal axis, the first one positive."""
    centred = value - value.mean(axis=1, keepdims=True)
    covariance = np.matmul(centred.transpose(0, 2, 1), centred)
    spread = np.sqrt(np.einsum("skk->sk", covariance))
    reduced = covariance / (spread[:, :, None] * spread[:, None, :])
    places = np.arange(value.shape[2])
    loadings = np.zeros(spread.shape)
    for _ in range(FACTOR_STEPS):
        sizes, vectors = np.linalg.eigh(reduced)
        found = vectors[:, :, -1] * np.sqrt(np.maximum(sizes[:, -1:], 0.0))
        change = np.abs(found**2 - loadings**2).max()
        loadings = found
        if change < FACTOR_CLOSE:
            break
        reduced[:, places, places] = np.minimum(loadings**2, 1.0)
    return np.asarray(loadings * np.where(loadings.sum(axis=1, keepdims=True) < 0, -1.0, 1.0))


def densities(score: FloatArray, points: FloatArray) -> FloatArray:
    """Return Gaussian kernel densities (samples, points) of scores (samples, n), bandwidth by Silverman's rule.

    Notes
    -----
    Scores are shared linearly between the points of a grid eight times finer and smoothed by a Fourier transform, as
    R's `density` does: the cost does not depend on the number of people.
    """
    samples, n = score.shape
    quarters = np.quantile(score, [0.25, 0.75], axis=1)
    middle = (quarters[1] - quarters[0]) / 1.34
    spread = np.std(score, axis=1, ddof=1)
    bandwidth = 0.9 * np.where(middle > 0, np.minimum(spread, middle), spread) * n**-0.2
    step = (points[1] - points[0]) / FINER
    number = (points.size - 1) * FINER + 1
    at = np.clip((score - points[0]) / step, 0, number - 1)
    whole = np.minimum(at.astype(np.int64), number - 2)
    rest = at - whole
    flat = (whole + PADDED * np.arange(samples)[:, None]).ravel()
    counts = np.bincount(flat, (1 - rest).ravel(), samples * PADDED) + np.bincount(
        flat + 1, rest.ravel(), samples * PADDED
    )
    frequencies = np.fft.rfftfreq(PADDED, step)
    kernel = np.exp(-2 * (np.pi * frequencies * bandwidth[:, None]) ** 2)
    smooth = np.fft.irfft(np.fft.rfft(counts.reshape(samples, PADDED), axis=1) * kernel, PADDED, axis=1)
    return np.asarray(smooth[:, :number:FINER] / (n * step))
