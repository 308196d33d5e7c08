"""Rows by file, row number and name."""

from __future__ import annotations

import polars as pl
import pytest

from ember.harmonise.order import in_order
from ember.tables.store import BrokenContractError


def rows(*values: tuple[str, int, str, int]) -> pl.DataFrame:
    return pl.DataFrame(values, schema=["source_file", "row_number", "name", "order"], orient="row")


def test_rows_in_order_stay_as_they_are() -> None:
    given = rows(("b", 1, "x", 0), ("b", 1, "y", 1), ("b", 2, "x", 2), ("a", 1, "x", 3))
    assert in_order(given, "name") is given


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param([("a", 2, "x", 0), ("a", 1, "x", 1)], [1, 0], id="row_number"),
        pytest.param([("a", 1, "y", 0), ("a", 1, "x", 1)], [1, 0], id="name_in_alphabetical_order"),
        pytest.param([("b", 1, "x", 0), ("a", 1, "x", 1), ("b", 1, "y", 2)], [0, 2, 1], id="file_as_it_appears"),
        pytest.param([("a", 1, "x", 1), ("a", 1, "x", 0)], [1, 0], id="equal_rows_stay"),
    ],
)
def test_rows_are_put_in_order(given: list[tuple[str, int, str, int]], expected: list[int]) -> None:
    assert in_order(rows(*given), "name")["order"].to_list() == expected


@pytest.mark.parametrize("rest", [pytest.param([], id="in_order"), pytest.param([("a", 0, "x", 9)], id="not_in_order")])
def test_a_tie_is_decided_by_the_column_that_is_named(rest: list[tuple[str, int, str, int]]) -> None:
    given = rows(("a", 1, "x", 2), ("a", 1, "x", 1), *rest)
    assert in_order(given, "name", tie="order")["order"].to_list() == [row[3] for row in rest] + [1, 2]


def test_files_may_be_told_in_another_order() -> None:
    given = rows(("b", 1, "x", 0), ("a", 1, "x", 1))
    assert in_order(given, "name", files=pl.Series(["a", "b"]))["order"].to_list() == [1, 0]


def test_no_rows() -> None:
    assert in_order(rows().cast({"row_number": pl.Int64()}), "name").height == 0


def test_a_row_number_beyond_counting_is_refused() -> None:
    given = rows(("b", 2**62, "x", 0), ("a", 1, "y", 1))
    with pytest.raises(BrokenContractError, match="cannot be put in order"):
        in_order(given, "name")
