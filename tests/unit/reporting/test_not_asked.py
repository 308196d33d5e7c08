"""Whom a form never showed a field is not expected to have a value: rows of a REDCap export counted by hand."""

from __future__ import annotations

import polars as pl
import pytest

from ember.extract.hidden import branching_said
from ember.registry.model import CodedColumn, RowFilter, TableMap, VisitMap
from ember.reporting.not_asked import hidden_cells, not_asked, remarks

SAID = {
    "sex": {"type": "radio"},
    "crp": {"type": "text", "branch": "[base][sex] = '2'"},
    "crp_again": {"type": "text", "branch": "[crp] > 10"},
    "pregnant": {"type": "yesno", "branch": "[sex] = '2'"},
    "drugs___1": {"type": "checkbox", "branch": "[sex] = '2'"},
    "q1": {"type": "radio", "branch": "[ask] = '1'"},
    "q2": {"type": "radio", "branch": "[ask] = '1'"},
    "age_group": {"type": "text", "branch": "datediff([dob],'today','y') > 18"},
}
# Two men and three women with two visits; one of the women has no second visit.
ROWS = """\
a base 1 . . . 0 1 . 3 .
a week . . . . 0 . . . .
b base 1 . . . 0 0 . . .
b week . . . . 0 1 2 2 .
c base 2 12 . 1 1 1 1 1 .
c week . . 8 . 0 1 2 2 .
d base 2 3 . . 0 0 . . .
d week . 11 . . 0 0 . 2 .
e base 2 . . 0 0 1 1 1 ."""
NAMES = ("_participant", "event", "sex", "crp", "crp_again", "pregnant", "drugs___1", "ask", "q1", "q2", "age_group")
EVENTS = {"base": "baseline", "week": "week_4"}
LONG = TableMap("s", "id", visits=VisitMap(long=CodedColumn("event", EVENTS)))
NO_VISITS = pl.DataFrame(schema={"source_file": pl.String, "row_number": pl.Int64, "visit": pl.String})


def export() -> pl.DataFrame:
    lines = [["" if cell == "." else cell for cell in line.split()] for line in ROWS.splitlines()]
    cells = pl.DataFrame(lines, schema=list(NAMES), orient="row")
    return cells.select(
        pl.lit("graz").alias("_site"),
        pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias("_row"),
        pl.lit("s.csv").alias("_file"),
        pl.lit(None, pl.String).alias("_sheet"),
        pl.all(),
    ).rename({"event": "redcap_event_name"})


def count(
    *columns: tuple[str, tuple[str, str, str | None]], table: TableMap | None = None, people: str = "abcde"
) -> dict[tuple[str, str, str], int]:
    frame = export().with_columns(pl.col("redcap_event_name").alias("event"))
    cells = hidden_cells(frame, branching_said(SAID), ["event", "redcap_event_name"])
    return not_asked("graz", [(table or LONG, columns)], {"s": cells}, pl.Series(list(people)), NO_VISITS)


def test_a_field_for_women_is_not_expected_of_the_men_who_came() -> None:
    assert count(("crp", ("measurements", "hscrp", None))) == {
        ("measurements", "hscrp", "baseline"): 2,
        ("measurements", "hscrp", "week_4"): 2,
    }


def test_an_unanswered_field_hides_what_depends_on_it() -> None:
    again = count(("crp_again", ("measurements", "hscrp", None)))
    # At baseline only c has more than 10; at week 4 d has, and c holds a result although the field was hidden.
    assert again == {("measurements", "hscrp", "baseline"): 4, ("measurements", "hscrp", "week_4"): 2}


def test_what_does_not_change_is_judged_where_its_condition_is_answered() -> None:
    # Of three women one did not answer: she was asked, though at week 4 nothing says that she is a woman.
    assert count(("pregnant", ("participants", "pregnant", ""))) == {("participants", "pregnant", ""): 2}


def test_a_hidden_checkbox_that_is_exported_as_zero_was_not_asked() -> None:
    assert count(("drugs___1", ("participants", "ssri", ""))) == {("participants", "ssri", ""): 2}


def test_a_questionnaire_was_not_asked_only_if_no_item_was() -> None:
    items = [(name, ("scores", "phq9", None)) for name in ("q1", "q2")]
    # Not asked: b and d at baseline, a at week 4. At week 4 d gave one answer although the items were hidden.
    assert count(*items) == {("scores", "phq9", "baseline"): 2, ("scores", "phq9", "week_4"): 1}


@pytest.mark.parametrize("other", ["age_group", "ask", "elsewhere"])
def test_a_second_column_without_branching_that_is_read_is_expected_of_everyone(other: str) -> None:
    assert count(("crp", ("measurements", "hscrp", None)), (other, ("measurements", "hscrp", None))) == {}


def test_at_another_visit_such_a_column_changes_nothing() -> None:
    wide = TableMap("s", "id", visits=VisitMap(wide={"v0": "baseline"}))
    columns = [("crp", ("measurements", "hscrp", "baseline")), ("ask", ("measurements", "hscrp", "week_4"))]
    # Every row is a row of each visit in a wide table, so c and d are judged on both of theirs and e on one.
    assert count(*columns, table=wide) == {("measurements", "hscrp", "baseline"): 2}


def test_only_rows_of_the_table_and_people_of_the_site_count() -> None:
    base = TableMap("s", "id", rows=RowFilter("event", "base"), visits=LONG.visits)
    assert count(("crp", ("measurements", "hscrp", None)), table=base, people="bcde") == {
        ("measurements", "hscrp", "baseline"): 1
    }


def test_remarks_name_columns_and_counts() -> None:
    cells = hidden_cells(export(), branching_said(SAID), [])
    assert remarks({"s": cells}) == [
        "s: 1 cells of crp_again are filled though branching hides the field",
        "s: 1 cells of q2 are filled though branching hides the field",
        "s: the branching of age_group is not read, so each of its empty cells is missing",
    ]
