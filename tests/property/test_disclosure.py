"""No protected count can be worked out from the counts and totals that are shown."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from ember.consortium.suppression import Relation, suppress

THRESHOLD = 10


@st.composite
def grids(draw: st.DrawFn) -> np.ndarray:
    rows, columns = draw(st.integers(1, 4)), draw(st.integers(2, 5))
    cells = st.one_of(st.integers(0, 12), st.integers(0, 60))
    return np.array(draw(st.lists(cells, min_size=rows * columns, max_size=rows * columns))).reshape(rows, columns)


@settings(max_examples=120, deadline=None, derandomize=True)
@given(grids())
def test_every_hidden_count_has_another_possible_value(grid: np.ndarray) -> None:
    """A reader who knows the shown counts, all totals and that no hidden count is zero still has a choice."""
    values, relations = two_way(grid)
    mask = suppress(values, relations, THRESHOLD)
    assert mask[(values > 0) & (values < THRESHOLD)].all()
    unknown = np.flatnonzero(mask)
    if not unknown.size:
        return
    matrix = np.array([[signed(relation, cell) for cell in unknown] for relation in relations])
    shown = np.array([-sum(signed(r, c) * values[c] for c in r.cells if not mask[c]) for r in relations])
    for number in range(unknown.size):
        aim = np.eye(unknown.size)[number]
        low = linprog(aim, A_eq=matrix, b_eq=shown, bounds=(1, None))
        high = linprog(-aim, A_eq=matrix, b_eq=shown, bounds=(1, None))
        assert low.success
        assert high.status == 3 or -high.fun - low.fun >= 1 - 1e-6


def signed(relation: Relation, cell: int) -> float:
    return -1.0 if cell == relation.total else float(cell in relation.parts)


def two_way(grid: np.ndarray) -> tuple[np.ndarray, list[Relation]]:
    """Counts and sums of a table with totals of rows, of columns and of all."""
    rows, columns = grid.shape
    inner = rows * columns
    values = np.concatenate([grid.ravel(), grid.sum(axis=1), grid.sum(axis=0), [grid.sum()]])
    whole = values.size - 1
    relations = [Relation(inner + r, tuple(r * columns + c for c in range(columns))) for r in range(rows)]
    relations += [Relation(inner + rows + c, tuple(r * columns + c for r in range(rows))) for c in range(columns)]
    relations.append(Relation(whole, tuple(range(inner, inner + rows))))
    relations.append(Relation(whole, tuple(range(inner + rows, whole))))
    return values, relations
