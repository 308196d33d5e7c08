from __future__ import annotations

import numpy as np
import pytest

from ember.harmonise.site_cells import merged


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param([[], []], id="no cell"),
        pytest.param([[0, 2, 5], [0, 1, 5]], id="one row in two columns: the earlier column first"),
        pytest.param([[7], [], [3, 7], [0, 7, 9]], id="a column without cells"),
    ],
)
def test_cells_are_ordered_by_row_and_then_by_column(columns: list[list[int]]) -> None:
    cells = [(at, order) for order, column in enumerate(columns) for at in column]
    order = merged([np.array(column, dtype=np.int64) for column in columns])
    assert [cells[place] for place in order] == sorted(cells)
