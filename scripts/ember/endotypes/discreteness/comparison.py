"""Comparison data with the shapes and correlations of the data: samples from dimensions, and from two classes."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

from ember.endotypes.cuts import BoolArray, FloatArray

ORDER = 12
NODES = 1000
FARTHEST = 0.995
SMALLEST_EIGENVALUE = 1e-4
_MIDDLES = (np.arange(NODES) + 0.5) / NODES


def _hermite() -> FloatArray:
    """Return the normalised Hermite polynomials 1 to ORDER at the normal quantiles of the nodes, (ORDER, NODES)."""
    from scipy.special import ndtri

    z = ndtri(_MIDDLES)
    rows = [np.ones(NODES), z]
    for order in range(1, ORDER):
        rows.append((z * rows[order] - np.sqrt(order) * rows[order - 1]) / np.sqrt(order + 1))
    return np.array(rows[1:])


_HERMITE = _hermite()


def normal_correlations(value: FloatArray) -> FloatArray:
    """Return the correlations (k, k) of normal variables that give data of these shapes the correlations they have.

    Parameters
    ----------
    value : ndarray, shape (n, k)
        Complete data; ties, for example of values below a limit, are kept.

    Notes
    -----
    Comparison data in the sense of Ruscio and Kaczetow (2008, Multivariate Behavioral Research 43:355) keep the
    shape of every indicator and the correlations between them. Their program finds the correlations of the normal
    variables by trial on a large sample; here they are solved for exactly: the correlation of two transformed normal
    variables is a power series in that of the normal ones, whose coefficients are the Hermite coefficients of the
    two transformations (Cario and Nelson 1997, NORTA). What cannot be reached is brought to the nearest value, and a
    matrix that is not positive definite has its negative eigenvalues lifted.
    """
    target = np.atleast_2d(np.corrcoef(value, rowvar=False))
    k = value.shape[1]
    shapes = np.quantile(value, _MIDDLES, axis=0, method="inverted_cdf").T
    shapes = (shapes - shapes.mean(axis=1, keepdims=True)) / shapes.std(axis=1, keepdims=True)
    coefficients = shapes @ _HERMITE.T / NODES
    found = np.eye(k)
    for one in range(k):
        for other in range(one):
            series = coefficients[one] * coefficients[other]
            found[one, other] = found[other, one] = _solve(series, float(target[one, other]))
    return _positive(found)


def _solve(series: FloatArray, target: float) -> float:
    """Return the correlation at which the series reaches a target, by bisection: the series rises between -1 and 1."""
    powers = np.arange(1, ORDER + 1)
    low, high = -FARTHEST, FARTHEST
    for _ in range(40):
        middle = (low + high) / 2
        if float((series * middle**powers).sum()) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _positive(matrix: FloatArray) -> FloatArray:
    values, vectors = np.linalg.eigh(matrix)
    lifted = (vectors * np.maximum(values, SMALLEST_EIGENVALUE)) @ vectors.T
    scale = np.sqrt(np.diag(lifted))
    return np.asarray(lifted / np.outer(scale, scale))


def correlated_normals(rng: np.random.Generator, correlations: FloatArray, samples: int, n: int) -> FloatArray:
    """Return standard normal variables with correlations, shape (samples, n, k)."""
    root = np.linalg.cholesky(correlations)
    return np.asarray(rng.standard_normal((samples, n, correlations.shape[0])) @ root.T)


def dimensional_samples(rng: np.random.Generator, value: FloatArray, samples: int, n: int) -> FloatArray:
    """Return samples (samples, n, k) with the shapes and correlations of the data (rows, k), and no classes."""
    normal = correlated_normals(rng, normal_correlations(value), samples, n)
    order = np.sort(value, axis=0)
    place = np.minimum((ndtr(normal) * value.shape[0]).astype(np.int64), value.shape[0] - 1)
    return np.stack([order[place[:, :, k], k] for k in range(value.shape[1])], axis=2)


def categorical_samples(rng: np.random.Generator, value: FloatArray, upper: BoolArray, samples: int) -> FloatArray:
    """Return samples as large as the data made of two classes, each with the shapes and correlations of its own.

    Parameters
    ----------
    upper : ndarray of bool, shape (n,)
        Who belongs to the upper class.
    """
    parts = [dimensional_samples(rng, value[group], samples, int(group.sum())) for group in (~upper, upper)]
    return np.concatenate(parts, axis=1)


def upper_class(value: FloatArray, base_rate: float) -> BoolArray:
    """Return the share of people with the highest sums of standardised indicators.

    Notes
    -----
    The base-rate classification of Ruscio (2009, Assessment 16:55); ties are broken by order.
    """
    total = ((value - value.mean(axis=0)) / value.std(axis=0)).sum(axis=1)
    number = int(np.clip(round(base_rate * total.size), 2, total.size - 2))
    upper = np.zeros(total.size, dtype=bool)
    upper[np.argsort(total, kind="stable")[-number:]] = True
    return upper
