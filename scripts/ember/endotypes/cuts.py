"""Where a value lies among cuts, when all that is known may be that it is below or above a limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ember.endotypes.cut import Cut as Cut
from ember.endotypes.cut import cut_of as cut_of
from ember.endotypes.cut import points_up as points_up

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]

UNPLACED = -1


def holds(value: FloatArray, operator: str, threshold: float) -> BoolArray:
    """Return where exact values meet a condition; missing values do not."""
    exact = np.zeros(value.size, dtype=np.bool_)
    at = place(value, exact, exact, [cut_of(operator, threshold)])
    return np.asarray(at == (1 if points_up(operator) else 0))


def place(value: FloatArray, left: BoolArray, right: BoolArray, cuts: Sequence[Cut]) -> IntArray:
    """Return how many cuts lie at or below each value, or UNPLACED where that is not known.

    Parameters
    ----------
    value : ndarray, shape (n,)
        The value; the limit where censored; nan where missing.
    left, right : ndarray of bool, shape (n,)
        Known only to be below, or above, the limit.
    cuts : sequence of Cut
        In rising order.

    Returns
    -------
    ndarray of int, shape (n,)
        0 below the first cut to `len(cuts)` above the last.

    Notes
    -----
    A left-censored value lies anywhere below its limit, so it is placed only if the whole of that interval lies
    below the first cut; a right-censored one only if the whole interval lies above the last.
    """
    below = np.zeros(value.size, dtype=np.int64)
    for cut in cuts:
        beyond, at_least = value > cut.value, value >= cut.value
        # Just under a limit nothing is at the cut yet; just over it the cut itself has been passed.
        exact = at_least if cut.belongs_above else beyond
        below += np.where(left, beyond, np.where(right, at_least, exact))
    straddles = (left & (below != 0)) | (right & (below != len(cuts)))
    below[straddles | np.isnan(value)] = UNPLACED
    return below
