"""Numbers for keys and codes for participants: the same for the same, and for nothing else."""

from __future__ import annotations

import polars as pl
import pytest

from ember.validate.keys import People, key_numbers

TEXTS = ["a", "b", None, "a", ""]


def test_participants_of_the_roster_come_first() -> None:
    people = People([pl.Series(["p1", "p2"]), pl.Series(["p3", None, "p1"])])
    assert people.known == 3
    codes = people.coded(pl.Series(["stranger", "p3", None, "p1", "stranger"]))
    assert codes.to_list() == [3, 2, None, 0, 3]
    assert people.coded(pl.Series(["other", "stranger"], dtype=pl.Categorical)).to_list() == [4, 3]


def test_codes_last_while_nothing_else_holds_them() -> None:
    people = People()
    assert people.known == 0
    first = people.coded(pl.Series(["x", "y"])).to_list()
    assert people.coded(pl.Series(["y", "x"])).to_list() == first[::-1]


def test_two_rosters_share_nothing() -> None:
    assert People([pl.Series(["p1", "p2"])]).coded(pl.Series(["p2"])).to_list() == [1]
    assert People([pl.Series(["p2"])]).coded(pl.Series(["p2"])).to_list() == [0]


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(pl.DataFrame({"x": TEXTS, "y": [1, 2, 1, 1, None]}), id="text and number"),
        pytest.param(pl.DataFrame({"x": pl.Series(TEXTS, dtype=pl.Categorical), "y": [None] * 5}), id="nothing there"),
        pytest.param(
            pl.DataFrame({name: [0, 2**40, -(2**40), 2**40, 7] for name in ("x", "y", "z")}), id="wider than a number"
        ),
    ],
)
def test_equal_numbers_for_equal_keys_only(frame: pl.DataFrame) -> None:
    numbers, rows = key_numbers(frame, frame.columns), frame.cast({pl.Categorical: pl.String}).rows()
    for one, row in zip(numbers, rows, strict=True):
        for other, second in zip(numbers, rows, strict=True):
            assert (one == other) is (row == second)
