"""Solving normal equations: symmetric positive definite systems, with aliased columns named."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ember.errors import EmberError

FloatArray = NDArray[np.float64]

ALIAS_TOLERANCE = 1e-11
"""Share of a column's sum of squares that must remain after the columns before it: cross-products carry 1e-15."""


def aliased_columns(cross_product: FloatArray, tolerance: float = ALIAS_TOLERANCE) -> list[int]:
    """Return the columns that are linear combinations of the columns before them.

    Parameters
    ----------
    cross_product : ndarray, shape (p, p)
        X'X or X'WX.
    tolerance : float
        A column is aliased if at most this share of its sum of squares is left.
    """
    diagonal = np.diag(cross_product).copy()
    scale = np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    rest = cross_product / np.outer(scale, scale)
    aliased = []
    for j in range(rest.shape[0]):
        pivot = rest[j, j]
        if diagonal[j] <= 0 or not pivot > tolerance:
            aliased.append(j)
            continue
        rest = rest - np.outer(rest[:, j], rest[j]) / pivot
    return aliased


def inverse(cross_product: FloatArray, names: Sequence[str]) -> FloatArray:
    """Invert X'X after scaling it to a unit diagonal.

    Parameters
    ----------
    cross_product : ndarray, shape (p, p)
    names : sequence of str, length p
        Column names, for the message.

    Raises
    ------
    EmberError
        If a column is aliased; names the first one.
    """
    aliased = aliased_columns(cross_product)
    if aliased:
        listed = ", ".join(names[j] for j in aliased)
        raise EmberError(
            f"Not every coefficient can be estimated: {listed} {'is' if len(aliased) == 1 else 'are'} constant zero "
            "or determined by the columns before.",
            where="design",
            fix="Leave the column out, or join categories that hold no one.",
        )
    scale = np.sqrt(np.diag(cross_product))
    factor = linalg.cho_factor(cross_product / np.outer(scale, scale), lower=True)
    inverted = linalg.cho_solve(factor, np.eye(scale.size)) / np.outer(scale, scale)
    return np.asarray((inverted + inverted.T) / 2.0, dtype=np.float64)
