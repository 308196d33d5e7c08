"""Which counts are hidden: boundaries, totals, tables with totals in two directions."""

from __future__ import annotations

import numpy as np
import pytest

from ember.consortium.suppression import Counts, Relation, suppress
from ember.tables.store import BrokenContractError


@pytest.mark.parametrize(
    ("count", "hidden"),
    [
        pytest.param(0, False, id="zero_is_shown"),
        pytest.param(1, True, id="one"),
        pytest.param(9, True, id="just_below"),
        pytest.param(10, False, id="at_the_threshold"),
        pytest.param(11, False, id="just_above"),
    ],
)
def test_threshold(count: int, hidden: bool) -> None:
    assert suppress(np.array([count]), [], 10).tolist() == [hidden]


def test_threshold_zero_hides_nothing() -> None:
    assert not suppress(np.array([1, 2, 3]), [Relation(2, (0, 1))], 0).any()


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param([5, 20, 30], [True, True, False], id="next_smallest_goes_too"),
        pytest.param([5, 6, 30], [True, True, False], id="two_small_ones_hold_enough"),
        pytest.param([2, 3, 30], [True, True, True], id="two_small_ones_hold_too_little"),
        pytest.param([5, 0, 30], [True, False, True], id="a_zero_is_no_shelter"),
        pytest.param([12, 20, 30], [False, False, False], id="nothing_small"),
    ],
)
def test_secondary_suppression_within_a_total(parts: list[int], expected: list[bool]) -> None:
    counts = np.array([*parts, sum(parts)])
    assert suppress(counts, [Relation(3, (0, 1, 2))], 10).tolist()[:3] == expected


def test_the_total_goes_where_no_part_is_left() -> None:
    assert suppress(np.array([4, 0, 4]), [Relation(2, (0, 1))], 10).tolist() == [True, False, True]
    assert suppress(np.array([2, 11, 13]), [Relation(2, (0, 1))], 10).tolist() == [True, True, False]


def test_a_complement_below_the_threshold_hides_its_part() -> None:
    counts = Counts()
    whole, part = counts.add(("whole",), 100), counts.add(("part",), 95)
    counts.relate(whole, [part])
    assert part in counts.hidden(10)
    assert whole not in counts.hidden(10)


def test_an_implied_count_is_hidden_before_a_published_one() -> None:
    counts = Counts()
    whole, small, large = counts.add(("whole",), 100), counts.add(("small",), 5), counts.add(("large",), 20)
    counts.relate(whole, [small, large])
    hidden = counts.hidden(10)
    assert small in hidden
    assert large not in hidden


def test_a_bridge_between_two_rectangles_is_not_left_determined() -> None:
    """Every row and column holds two hidden cells, yet one cell would follow from the totals of half the table."""
    grid = np.array([[6, 7, 50, 50, 50], [8, 9, 5, 50, 50], [50, 50, 50, 6, 7], [50, 50, 7, 8, 50], [50, 50, 6, 50, 9]])
    table, relations = _table(grid)
    mask = suppress(table, relations, 10)
    assert _determined(relations, mask) == []


def test_a_count_with_two_values_is_a_defect() -> None:
    counts = Counts()
    counts.add(("n",), 3)
    with pytest.raises(BrokenContractError):
        counts.add(("n",), 4)


def _table(grid: np.ndarray) -> tuple[np.ndarray, list[Relation]]:
    rows, columns = grid.shape
    inner = rows * columns
    values = np.concatenate([grid.ravel(), grid.sum(axis=1), grid.sum(axis=0), [grid.sum()]])
    whole = values.size - 1
    relations = [Relation(inner + r, tuple(r * columns + c for c in range(columns))) for r in range(rows)]
    relations += [Relation(inner + rows + c, tuple(r * columns + c for r in range(rows))) for c in range(columns)]
    relations.append(Relation(whole, tuple(range(inner, inner + rows))))
    relations.append(Relation(whole, tuple(range(inner + rows, whole))))
    return values, relations


def _determined(relations: list[Relation], mask: np.ndarray) -> list[int]:
    unknown = np.flatnonzero(mask).tolist()
    matrix = np.array(
        [[-1.0 if u == r.total else float(u in r.parts) for u in unknown] for r in relations], dtype=float
    )
    rank = np.linalg.matrix_rank(matrix)
    return [
        u
        for number, u in enumerate(unknown)
        if np.linalg.matrix_rank(np.vstack([matrix, np.eye(len(unknown))[number]])) == rank
    ]
