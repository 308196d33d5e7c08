"""Values, and intervals left by detection limits, among cuts."""

from __future__ import annotations

import numpy as np
import pytest

from ember.endotypes.cuts import UNPLACED, cut_of, holds, place

CUTS = [cut_of(">=", 1), cut_of(">", 3), cut_of(">", 10)]


@pytest.mark.parametrize(
    ("value", "side", "expected"),
    [
        pytest.param(0.99, "none", 0, id="below the first cut"),
        pytest.param(1.0, "none", 1, id="on a cut that belongs above"),
        pytest.param(3.0, "none", 1, id="on a cut that belongs below"),
        pytest.param(3.01, "none", 2, id="past it"),
        pytest.param(10.0, "none", 2, id="on the last cut"),
        pytest.param(10.01, "none", 3, id="past the last cut"),
        pytest.param(float("nan"), "none", UNPLACED, id="missing"),
        pytest.param(0.2, "left", 0, id="limit under the first cut"),
        pytest.param(1.0, "left", 0, id="limit on a cut: everything below it"),
        pytest.param(1.01, "left", UNPLACED, id="limit just over the first cut"),
        pytest.param(5.0, "left", UNPLACED, id="limit over two cuts"),
        pytest.param(10.0, "right", 3, id="above the last cut itself"),
        pytest.param(9.99, "right", UNPLACED, id="above something under the last cut"),
        pytest.param(300.0, "right", 3, id="above far beyond"),
    ],
)
def test_place(value: float, side: str, expected: int) -> None:
    left, right = np.array([side == "left"]), np.array([side == "right"])
    assert place(np.array([value]), left, right, CUTS).tolist() == [expected]


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        pytest.param(">", [False, False, True, False], id="above"),
        pytest.param(">=", [False, True, True, False], id="at least"),
        pytest.param("<", [True, False, False, False], id="below"),
        pytest.param("<=", [True, True, False, False], id="at most"),
    ],
)
def test_holds(operator: str, expected: list[bool]) -> None:
    assert holds(np.array([2.0, 3.0, 4.0, float("nan")]), operator, 3).tolist() == expected
