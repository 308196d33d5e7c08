"""A row of a sheet stands once in a source, at one site."""

from __future__ import annotations

import polars as pl
import pytest

from ember.validate.gate_rule import COUNT, KEY
from ember.validate.row_numbers import RowNumbers


def rows(numbers: list[int], sheet: str | None = None) -> pl.DataFrame:
    return pl.DataFrame(
        {"_row": numbers, "_sheet": [sheet] * len(numbers)}, schema={"_row": pl.Int64(), "_sheet": pl.String()}
    )


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        pytest.param([("a", rows([2, 4])), ("b", rows([3])), ("a", rows([5]))], {"a": {1: 3}, "b": {1: 1}}, id="once"),
        pytest.param([("a", rows([2, 2, 2, 3]))], {"a": {1: 1, 2: 3}}, id="within a slice"),
        pytest.param([("a", rows([2, 3])), ("a", rows([3]))], {"a": {1: 1, 2: 2}}, id="in two slices"),
        pytest.param(
            [("a", rows([2, 3])), ("b", rows([3, 1]))], {"a": {1: 1, 2: 1}, "b": {1: 1, 2: 1}}, id="two sites"
        ),
        pytest.param([("a", rows([2], "x")), ("a", rows([2], "y"))], {"a": {1: 2}}, id="two sheets"),
        pytest.param([("a", rows([2], "x")), ("b", rows([2], "x"))], {"a": {2: 1}, "b": {2: 1}}, id="one sheet"),
        pytest.param([("a", rows([]))], {}, id="no rows"),
        pytest.param([], {}, id="nothing"),
    ],
)
def test_rows_by_how_often_they_stand(
    parts: list[tuple[str, pl.DataFrame]], expected: dict[str, dict[int, int]]
) -> None:
    numbers = RowNumbers()
    for site, part in parts:
        numbers.add(site, part)
    found = {site: dict(times.select(KEY, COUNT).rows()) for site, times in numbers.times().items()}
    assert found == expected
