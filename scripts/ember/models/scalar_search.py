"""Searches in one dimension: the least value of a function, and the root of a falling one."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


def minimise_on_grid(
    function: Callable[[float], float], grid: NDArray[np.float64], tolerance: float = 1e-10
) -> tuple[float, float]:
    """Find the least value: over a grid first, then by golden section between the best point's neighbours.

    Parameters
    ----------
    function : callable
        Continuous on the range of the grid.
    grid : ndarray
        Increasing points; wide enough that no minimum lies outside.
    tolerance : float
        Width of the final bracket relative to its place.

    Returns
    -------
    tuple of float
        Place and value; a grid end that nothing inside beats is returned itself.
    """
    values = np.array([function(float(point)) for point in grid])
    best = int(np.argmin(values))
    low, high = float(grid[max(best - 1, 0)]), float(grid[min(best + 1, grid.size - 1)])
    place, value = _golden_section(function, low, high, tolerance)
    if values[best] <= value:
        return float(grid[best]), float(values[best])
    return place, value


def _golden_section(
    function: Callable[[float], float], low: float, high: float, tolerance: float
) -> tuple[float, float]:
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = function(left), function(right)
    while high - low > tolerance * (abs(low) + abs(high)) + 1e-14:
        if at_left <= at_right:
            high, right, at_right = right, left, at_left
            left = high - _GOLDEN * (high - low)
            at_left = function(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + _GOLDEN * (high - low)
            at_right = function(right)
    return (left, at_left) if at_left <= at_right else (right, at_right)


def falling_root(function: Callable[[float], float], target: float, start: float) -> float:
    """Find where a falling function on [0, inf) crosses `target`, by bisection to double precision.

    Parameters
    ----------
    function : callable
        Continuous and not increasing, with limit below `target`.
    target : float
    start : float
        A first guess of the upper end, positive; doubled until it brackets.

    Returns
    -------
    float
        The root; 0 if the function is below the target everywhere.
    """
    if function(0.0) <= target:
        return 0.0
    low, high = 0.0, start
    while function(high) > target:
        low, high = high, 2.0 * high
        if high > 1e300:
            return float("inf")
    for _ in range(200):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if function(middle) > target else (low, middle)
    return 0.5 * (low + high)


def rising_root_between(function: Callable[[float], float], low: float, high: float, *, otherwise: float) -> float:
    """Find where a rising function crosses zero between two points, by bisection; `otherwise` if it does not."""
    if not function(low) < 0.0 < function(high):
        return otherwise
    for _ in range(100):
        middle = 0.5 * (low + high)
        if middle in (low, high):
            break
        low, high = (middle, high) if function(middle) < 0.0 else (low, middle)
    return 0.5 * (low + high)
