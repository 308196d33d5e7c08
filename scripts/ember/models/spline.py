"""Harrell's restricted cubic spline: a smooth curve, straight beyond the outer knots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ember.errors import EmberError
from ember.models.contract import FloatArray, Result
from ember.models.distributions import f_p

QUANTILES = {
    3: (0.10, 0.50, 0.90),
    4: (0.05, 0.35, 0.65, 0.95),
    5: (0.05, 0.275, 0.50, 0.725, 0.95),
    6: (0.05, 0.23, 0.41, 0.59, 0.77, 0.95),
    7: (0.025, 0.1833, 0.3417, 0.50, 0.6583, 0.8167, 0.975),
}
"""Where Harrell (Regression Modeling Strategies, 2nd ed., table 2.3) puts 3 to 7 knots."""


def default_knots(values: FloatArray, count: int = 4) -> FloatArray:
    """Return knots at Harrell's quantiles of the finite values (linear interpolation, R's type 7).

    Raises
    ------
    EmberError
        If the count is not 3 to 7, or the quantiles are tied (too few distinct values).
    """
    if count not in QUANTILES:
        raise EmberError(f"{count} knots have no default places.", allowed=map(str, QUANTILES))
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        raise EmberError("Knots cannot be placed: there is no value.")
    return checked_knots(np.quantile(finite, QUANTILES[count]))


def checked_knots(knots: Sequence[float] | FloatArray) -> FloatArray:
    """Return the knots as an array, or refuse them.

    Raises
    ------
    EmberError
        With fewer than 3 knots, or knots that do not increase.
    """
    places = np.asarray(knots, dtype=np.float64)
    if places.ndim != 1 or places.size < 3 or not np.isfinite(places).all() or (np.diff(places) <= 0).any():
        raise EmberError(
            "A restricted cubic spline needs at least 3 increasing knots.",
            fix="Use fewer knots, or a straight line, where many values are tied.",
        )
    return places


def basis(values: FloatArray, knots: Sequence[float] | FloatArray) -> FloatArray:
    """Return the spline's columns: the value itself and k - 2 cubic terms.

    Parameters
    ----------
    values : ndarray, shape (n,)
    knots : sequence of float, length k >= 3

    Returns
    -------
    ndarray, shape (n, k - 1)

    Notes
    -----
    Truncated power basis divided by (t_k - t_1)^2 so that all columns have the unit of `values`
    (Harrell; as rcspline.eval with norm = 2). This is not patsy's cr().
    """
    places = checked_knots(knots)
    first, before_last, last = places[0], places[-2], places[-1]
    columns = [np.asarray(values, dtype=np.float64)]
    for knot in places[:-2]:
        term = _cubed(values - knot)
        term = term - _cubed(values - before_last) * (last - knot) / (last - before_last)
        term = term + _cubed(values - last) * (before_last - knot) / (last - before_last)
        columns.append(term / (last - first) ** 2)
    return np.column_stack(columns)


def _cubed(values: FloatArray) -> FloatArray:
    return np.maximum(values, 0.0) ** 3


@dataclass(frozen=True)
class WaldTest:
    """Several coefficients tested together: F with `df` and `df_residual` (chi-square / df if infinite)."""

    statistic: float
    df: int
    df_residual: float
    p_value: float


def wald_test(result: Result, names: Sequence[str]) -> WaldTest:
    """Test that the named coefficients are all zero.

    Raises
    ------
    EmberError
        If a name is unknown or none is given.

    Notes
    -----
    For a spline, name the cubic terms to test non-linearity, and all terms to test any association.
    """
    missing = [name for name in names if name not in result.names]
    if missing or not names:
        raise EmberError(f"The model has no coefficient '{', '.join(missing)}'.", allowed=result.names)
    index = [result.names.index(name) for name in names]
    values = result.coefficients[index]
    covariance = result.covariance[np.ix_(index, index)]
    statistic = float(values @ np.linalg.solve(covariance, values)) / len(index)
    return WaldTest(statistic, len(index), result.df_residual, f_p(statistic, len(index), result.df_residual))
