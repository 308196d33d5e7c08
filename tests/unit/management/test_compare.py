from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ember.management.compare import Comparison, compare, locked_changes

Row = tuple[str | None, str | None, str]


def rows(*content: Row, start: int = 2) -> pl.DataFrame:
    """Return rows of (participant, visit, result)."""
    return pl.DataFrame(
        {
            "_row": range(start, start + len(content)),
            "_participant": [row[0] for row in content],
            "_visit": [row[1] for row in content],
            "result": [row[2] for row in content],
        },
        schema={"_row": pl.Int64, "_participant": pl.String, "_visit": pl.String, "result": pl.String},
    )


BEFORE = rows(("a", "baseline", "1"), ("a", "week_4", "2"), ("b", "baseline", "3"))


def counts(found: Comparison) -> tuple[int, int, int, int, int]:
    return found.added.height, found.removed.height, found.changed.height, len(found.vanished), found.arrived


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        pytest.param(BEFORE, (0, 0, 0, 0, 0), id="the same"),
        pytest.param(BEFORE.reverse(), (0, 0, 0, 0, 0), id="another order"),
        pytest.param(BEFORE.with_columns(pl.col("result") + " "), (0, 0, 0, 0, 0), id="blanks around a text"),
        pytest.param(
            rows(("a", "baseline", "1"), ("a", "week_4", "9"), ("b", "baseline", "3")), (0, 0, 1, 0, 0), id="one cell"
        ),
        pytest.param(rows(("a", "baseline", "1"), ("a", "week_4", "2")), (0, 1, 0, 1, 0), id="a participant vanishes"),
        pytest.param(
            pl.concat([BEFORE, rows(("c", "baseline", "4"), start=5)]), (1, 0, 0, 0, 1), id="a participant arrives"
        ),
        pytest.param(BEFORE.clear(), (0, 3, 0, 2, 0), id="nothing left"),
        pytest.param(
            pl.concat([BEFORE, rows(("a", "baseline", "1"), start=5)]), (1, 0, 0, 0, 0), id="a row stands twice"
        ),
    ],
)
def test_differences(now: pl.DataFrame, expected: tuple[int, ...]) -> None:
    assert counts(compare(BEFORE, now, [])) == expected


def test_a_changed_cell_says_where_it_was_and_is() -> None:
    now = rows(("b", "baseline", "3"), ("a", "week_4", "9"), ("a", "baseline", "1"), start=10)
    changed = compare(BEFORE, now, []).changed
    assert changed.to_dicts() == [
        {"participant": "a", "visit": "week_4", "column": "result", "row_before": 3, "row_now": 11}
    ]


def test_columns_that_come_and_go_are_named() -> None:
    found = compare(BEFORE.with_columns(old=pl.lit("x")), BEFORE.with_columns(new=pl.lit("y")), [])
    assert (found.columns_added, found.columns_removed) == (("new",), ("old",))
    assert counts(found) == (0, 0, 0, 0, 0)


def test_a_further_key_tells_rows_of_one_visit_apart() -> None:
    before = BEFORE.with_columns(test=pl.Series(["crp", "crp", "crp"]))
    now = BEFORE.with_columns(test=pl.Series(["crp", "il6", "crp"]))
    assert counts(compare(before, now, ["test"])) == (1, 1, 0, 0, 0)


def test_rows_without_participant_are_compared_too() -> None:
    before = rows((None, None, "1"))
    assert counts(compare(before, rows((None, None, "2")), [])) == (0, 0, 1, 0, 0)


CELLS = st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["baseline", None]), st.sampled_from(["1", "2"]))


@given(st.lists(CELLS, max_size=8), st.lists(CELLS, max_size=8))
def test_every_row_is_matched_added_or_removed(first: list[Row], second: list[Row]) -> None:
    found = compare(rows(*first), rows(*second), [])
    assert len(first) - found.removed.height == len(second) - found.added.height
    assert found.changed.height <= len(first) - found.removed.height


def test_changes_to_locked_visits_are_counted_by_column_and_rows_as_a_whole() -> None:
    now = rows(("a", "baseline", "9"), ("a", "week_4", "9"))
    found = compare(BEFORE, now, [])
    assert locked_changes(found, ["baseline"], {}).to_dicts() == [
        {"visit": "baseline", "column": "result", "n": 1},
        {"visit": "baseline", "column": None, "n": 1},
    ]


def test_in_a_wide_file_the_column_tells_the_visit() -> None:
    before, now = rows(("a", None, "1")), rows(("a", None, "2"))
    found = compare(before, now, [])
    assert locked_changes(found, ["baseline"], {"result": "baseline"})["n"].to_list() == [1]
    assert locked_changes(found, ["week_4"], {"result": "baseline"}).is_empty()
