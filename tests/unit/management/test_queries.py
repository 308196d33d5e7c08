from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ember.errors import EmberError
from ember.management.queries import asked, empty_register, questions, read_register, updated, with_age
from ember.tables.store import polars_schema, write_frame
from ember.validate.ledger import entries, rules

MONDAY, TUESDAY, LATER = date(2026, 3, 2), date(2026, 3, 3), date(2026, 4, 1)
PLACES = pl.DataFrame(
    {
        "source_file": ["f.csv"] * 3,
        "sheet": [None] * 3,
        "row_number": [2, 3, 4],
        "participant": ["p1", "p2", None],
        "visit": ["baseline", None, None],
    },
    schema={
        "source_file": pl.String,
        "sheet": pl.String,
        "row_number": pl.Int64,
        "participant": pl.String,
        "visit": pl.String,
    },
)


def ledger(*found: tuple[int, str | None, str]) -> pl.DataFrame:
    """Return entries of (row number, column, rule)."""
    parts = [
        entries(
            pl.DataFrame(
                {"source_file": ["f.csv"], "row_number": [row], "column": [column]},
                schema_overrides={"column": pl.String},
            ),
            rule,
            site="s",
            stage="standardise_site",
        )
        for row, column, rule in found
    ]
    return pl.concat([pl.DataFrame(schema=polars_schema("ledger")), *parts])


def found(*entries_: tuple[int, str | None, str]) -> pl.DataFrame:
    return asked(ledger(*entries_), PLACES, {"CRP_V4": "week_4"})


def test_every_question_belongs_to_a_rule_and_can_be_asked() -> None:
    assert set(questions()) <= set(rules())
    assert all(
        text.format(column="CRP").endswith("?") or text.format(column="CRP").endswith(".")
        for text in questions().values()
    )


def test_only_rules_with_a_question_are_asked() -> None:
    assert found((2, "CRP", "value.missing_code"), (2, "CRP", "value.not_numeric"))["rule_id"].to_list() == [
        "value.not_numeric"
    ]


@pytest.mark.parametrize(
    ("entry", "participant", "visit"),
    [
        pytest.param((2, "CRP", "value.not_numeric"), "p1", "baseline", id="the row tells the visit"),
        pytest.param((3, "CRP_V4", "value.not_numeric"), "p2", "week_4", id="the column tells the visit"),
        pytest.param((4, None, "row.no_participant"), None, None, id="nobody is named"),
        pytest.param((99, "CRP", "value.not_numeric"), None, None, id="the row is unknown"),
    ],
)
def test_a_query_names_participant_and_visit(
    entry: tuple[int, str | None, str], participant: str | None, visit: str | None
) -> None:
    row = found(entry).row(0, named=True)
    assert (row["participant"], row["visit"]) == (participant, visit)


def test_numbers_persist_when_rows_move_and_queries_close_and_come_back() -> None:
    first = updated(
        empty_register(), found((2, "CRP", "value.not_numeric"), (4, None, "row.no_participant")), [], "lund", MONDAY
    )
    assert first["number"].to_list() == ["lund-00001", "lund-00002"]
    moved = found((2, "CRP", "value.not_numeric")).with_columns(row_number=pl.lit(17, pl.Int64))
    second = updated(first, moved, [], "lund", TUESDAY)
    assert second["number"].to_list() == ["lund-00001", "lund-00002"]
    assert second["row_number"].to_list() == [17, 4]
    assert second["status"].to_list() == ["open", "closed"]
    third = updated(
        second, found((4, None, "row.no_participant"), (3, "CRP_V4", "value.not_numeric")), [], "lund", LATER
    )
    assert third["number"].to_list() == ["lund-00001", "lund-00002", "lund-00003"]
    assert third["status"].to_list() == ["closed", "open", "open"]
    assert third["opened"].to_list() == [MONDAY, MONDAY, LATER]
    assert third["closed"].to_list() == [LATER, None, None]


def test_a_correction_that_cites_a_query_answers_it_until_it_no_longer_arises() -> None:
    entry = found((2, "CRP", "value.not_numeric"))
    first = updated(empty_register(), entry, [], "lund", MONDAY)
    answered = updated(first, entry, ["lund-00001"], "lund", TUESDAY)
    assert answered.select("status", "answered").row(0) == ("answered", TUESDAY)
    closed = updated(answered, entry.clear(), ["lund-00001"], "lund", LATER)
    assert closed.select("status", "answered", "closed").row(0) == ("closed", TUESDAY, LATER)


def test_the_same_question_twice_in_one_visit_is_two_queries() -> None:
    two = found((2, "CRP", "value.not_numeric"), (2, "CRP", "value.not_numeric"))
    register = updated(empty_register(), two, [], "lund", MONDAY)
    assert updated(register, two, [], "lund", TUESDAY).height == 2


def test_age_counts_to_the_day_of_closing() -> None:
    first = updated(
        empty_register(), found((2, "CRP", "value.not_numeric"), (3, "CRP_V4", "value.not_numeric")), [], "lund", MONDAY
    )
    second = updated(first, found((3, "CRP_V4", "value.not_numeric")), [], "lund", TUESDAY)
    assert with_age(second, LATER)["age_days"].to_list() == [1, 30]


def test_a_visit_that_cannot_be_placed_is_asked_once_and_by_its_date() -> None:
    every_cell = ledger(*[(2, column, "visit.date_unreadable") for column in ("CRP", "DAY", "ITEM")])
    asked_once = asked(every_cell, PLACES, {}, {"DAY"})
    assert asked_once.select("participant", "visit", "column").rows() == [("p1", "baseline", "DAY")]


def test_a_visit_without_a_date_is_asked_once_and_names_no_other_column() -> None:
    row = asked(ledger((2, "CRP", "visit.no_date"), (2, "ITEM", "visit.no_date")), PLACES, {}, {"DAY"})
    assert row["column"].to_list() == [None]


def test_a_register_reads_back_as_it_was_written(tmp_path: Path) -> None:
    register = updated(empty_register(), found((2, "CRP", "value.not_numeric")), [], "lund", MONDAY)
    write_frame(register, tmp_path / "lund.csv")
    assert read_register(tmp_path / "lund.csv", "queries/lund.csv").equals(register)
    assert read_register(tmp_path / "none.csv", "queries/none.csv").equals(empty_register())


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("2026-03-02", "02/03/2026", "opened, last_seen", id="dates of a spreadsheet"),
        pytest.param("lund-00001", "", "number", id="no number"),
        pytest.param("status", "state", "other columns", id="another header"),
        pytest.param(",2,", ",two,", "row_number", id="no row"),
    ],
)
def test_a_register_that_was_edited_is_refused(tmp_path: Path, old: str, new: str, said: str) -> None:
    register = updated(empty_register(), found((2, "CRP", "value.not_numeric")), [], "lund", MONDAY)
    path = tmp_path / "lund.csv"
    write_frame(register, path)
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(EmberError, match=said):
        read_register(path, "queries/lund.csv")


@pytest.mark.parametrize(
    "beginning", ["row.no_date", "row.outside", "value.operator", "value.specimen", "value.date_", "visit.no_"]
)
def test_what_only_the_site_can_say_has_a_question(beginning: str) -> None:
    asked_for = [rule for rule in rules() if rule.startswith(beginning)]
    assert asked_for and set(asked_for) <= set(questions())
