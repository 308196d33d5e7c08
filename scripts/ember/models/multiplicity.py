"""Adjusting p values within a declared family: Holm, Benjamini-Hochberg, Bonferroni."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ember.errors import EmberError

METHODS = ("holm", "benjamini_hochberg", "bonferroni", "none")


def adjust(p_values: Sequence[float] | NDArray[np.float64], method: str) -> NDArray[np.float64]:
    """Adjust p values; a missing p value stays missing and does not count in the family.

    Parameters
    ----------
    p_values : sequence of float
        Each between 0 and 1, or NaN.
    method : {"holm", "benjamini_hochberg", "bonferroni", "none"}
        holm and bonferroni hold the family-wise error rate, benjamini_hochberg the false discovery rate
        under independence or positive dependence.

    Returns
    -------
    ndarray
        In the order given, as R's p.adjust.

    Raises
    ------
    EmberError
        If the method is unknown or a value lies outside 0 to 1.
    """
    if method not in METHODS:
        raise EmberError(f"'{method}' is no adjustment for multiplicity.", allowed=METHODS)
    p = np.asarray(p_values, dtype=np.float64)
    known = ~np.isnan(p)
    values = p[known]
    if ((values < 0) | (values > 1)).any():
        raise EmberError("A p value lies outside 0 to 1.")
    adjusted = np.full(p.shape, np.nan)
    adjusted[known] = _adjust_known(values, method)
    return adjusted


def _adjust_known(values: NDArray[np.float64], method: str) -> NDArray[np.float64]:
    m = values.size
    if method == "none" or m == 0:
        return values
    if method == "bonferroni":
        return np.minimum(values * m, 1.0)
    order = np.argsort(values, kind="stable")
    ranked = np.empty(m)
    if method == "holm":
        ranked[order] = np.maximum.accumulate(values[order] * np.arange(m, 0, -1))
    else:
        raised = values[order] * m / np.arange(1, m + 1)
        ranked[order] = np.minimum.accumulate(raised[::-1])[::-1]
    return np.minimum(ranked, 1.0)
