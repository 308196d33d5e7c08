"""Standard errors of a mixture's parameters from the curvature of its likelihood."""

from __future__ import annotations

import numpy as np

from ember.endotypes.mixtures.parameters import Mixtures, packed, unpacked
from ember.endotypes.mixtures.responsibilities import shared_out
from ember.endotypes.mixtures.search import AT_ONCE, kernel_of
from ember.endotypes.mixtures.values import FloatArray, Values

STEP = 1e-3


def parameter_covariance(values: Values, mixture: Mixtures, covariance: str) -> FloatArray:
    """Return the covariance matrix of a mixture's free numbers in the order of `packed`, without the last log weight.

    Returns
    -------
    ndarray, shape (d, d)
        Of log weights against the last class, means, log variances or log Cholesky factors, and shifts; nan where
        the likelihood is not curved downwards.

    Notes
    -----
    The inverse of the observed information, by central differences of the log-likelihood on a standardised scale.
    """
    start = packed(mixture, covariance)[0]
    free = np.delete(np.arange(start.size), mixture.classes - 1)
    size = free.size
    step = STEP * np.eye(start.size)[free]
    pairs = [(one, two) for one in range(size) for two in range(one + 1)]
    rows = np.concatenate(
        [start + a * step[[i for i, _ in pairs]] + b * step[[j for _, j in pairs]] for a in (1, -1) for b in (1, -1)]
    )
    height = _heights(values, mixture, covariance, rows).reshape(4, -1)
    curvature = (height[0] - height[1] - height[2] + height[3]) / (4 * STEP**2)
    information = np.zeros((size, size))
    for (one, two), bend in zip(pairs, curvature, strict=True):
        information[one, two] = information[two, one] = -bend
    if np.linalg.eigvalsh(information)[0] <= 0:
        return np.full((size, size), np.nan)
    return np.asarray(np.linalg.inv(information))


def _heights(values: Values, mixture: Mixtures, covariance: str, rows: FloatArray) -> FloatArray:
    kernel = kernel_of(values, covariance, 0.0)
    at_once = max(1, AT_ONCE // (mixture.classes * values.people))
    parts = []
    for first in range(0, rows.shape[0], at_once):
        moved = unpacked(rows[first : first + at_once], mixture.classes, mixture.analytes, covariance)
        parts.append(shared_out(kernel.log_densities(moved))[1])
    return np.concatenate(parts)
