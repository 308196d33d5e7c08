"""REDCap's branching logic is read by a closed grammar and tells which empty cells were never asked."""

from __future__ import annotations

import polars as pl
import pytest

from ember.errors import EmberError
from ember.extract.branching import Comparison, Field, Joined, fields_of, parse_branching, shown
from ember.extract.hidden import branching_of, filled_though_hidden, hidden_by_branching
from ember.extract.redcap import dictionary_fields

A, B = Field("a"), Field("b")


def holds(text: str, **cells: str) -> bool:
    condition = parse_branching(text, "d.csv:2")
    return bool(shown(condition, {field: pl.Series([cells[field.column]]) for field in fields_of(condition)})[0])


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        pytest.param("[a] = '1'", Comparison(A, "=", "1"), id="text"),
        pytest.param('[a]="1"', Comparison(A, "=", "1"), id="double-quotes"),
        pytest.param("[a]=1", Comparison(A, "=", "1"), id="number"),
        pytest.param("[a] <> ''", Comparison(A, "<>", ""), id="not-empty"),
        pytest.param("18 <= [a]", Comparison("18", "<=", A), id="turned-round"),
        pytest.param("[a] = [b]", Comparison(A, "=", B), id="two-fields"),
        pytest.param("[a(3)] = '1'", Comparison(Field("a___3"), "=", "1"), id="checkbox"),
        pytest.param("[a(-9)] = '1'", Comparison(Field("a____9"), "=", "1"), id="checkbox-negative"),
        pytest.param("[visit_1_arm_1][a] = '1'", Comparison(Field("a", "visit_1_arm_1"), "=", "1"), id="event"),
        pytest.param(
            "[a]='1' or [a]='2' AND [b]>3",
            Joined("or", (Comparison(A, "=", "1"), Joined("and", (Comparison(A, "=", "2"), Comparison(B, ">", "3"))))),
            id="and-binds-closer",
        ),
        pytest.param(
            "([a]='1' or [a]='2')\n and [b]>3",
            Joined("and", (Joined("or", (Comparison(A, "=", "1"), Comparison(A, "=", "2"))), Comparison(B, ">", "3"))),
            id="brackets-and-line-break",
        ),
        pytest.param("((([a]='1')))", Comparison(A, "=", "1"), id="many-brackets"),
    ],
)
def test_reads(text: str, parsed: object) -> None:
    assert parse_branching(text, "d.csv:2") == parsed


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("[a]", id="no-comparison"),
        pytest.param("[a] =", id="no-right-side"),
        pytest.param("[a]='1' and", id="open-end"),
        pytest.param("([a]='1'", id="open-bracket"),
        pytest.param("[a]='1')", id="surplus-bracket"),
        pytest.param("[a]='1' [b]='2'", id="no-word-between"),
        pytest.param("datediff([a],'today','y') > 18", id="function"),
        pytest.param("[a]+[b]>3", id="arithmetic"),
        pytest.param("[event-name]='v1'", id="smart-variable"),
        pytest.param("__import__('os')", id="code"),
        pytest.param("[a]='1", id="open-quote"),
        pytest.param("(" * 60 + "[a]='1'" + ")" * 60, id="too-deep"),
        pytest.param("[a]='" + "1" * 6000 + "'", id="too-long"),
    ],
)
def test_refuses(text: str) -> None:
    with pytest.raises(EmberError, match="does not read"):
        parse_branching(text, "d.csv:2")


@pytest.mark.parametrize(
    ("text", "cell", "expected"),
    [
        pytest.param("[a]='1'", "1", True, id="equal"),
        pytest.param("[a]='1'", "01", True, id="equal-as-numbers"),
        pytest.param("[a]='1'", "", False, id="unanswered"),
        pytest.param("[a]=''", "", True, id="asks-for-unanswered"),
        pytest.param("[a]<>'1'", "", True, id="unanswered-is-not-1"),
        pytest.param("[a]<>''", "x", True, id="answered"),
        pytest.param("[a]>10", "9", False, id="numbers-not-texts"),
        pytest.param("[a]>10", "10", False, id="at-the-boundary"),
        pytest.param("[a]>=10", "10", True, id="boundary-included"),
        pytest.param("[a]>10", "nan", False, id="no-number"),
        pytest.param("[a]<10", "", False, id="unanswered-is-not-small"),
        pytest.param("[a]='yes'", " yes ", True, id="blanks"),
        pytest.param("[a]!='yes'", "no", True, id="another-sign"),
        pytest.param("[a]='1' or [a]='2'", "2", True, id="or"),
        pytest.param("[a]>1 and [a]<3", "3", False, id="and"),
    ],
)
def test_holds(text: str, cell: str, expected: bool) -> None:
    assert holds(text, a=cell) is expected


DICTIONARY = """\
"Variable / Field Name","Form Name","Field Type","Field Label","Choices, Calculations, OR Slider Labels",\
"Branching Logic (Show field only if...)"
record_id,baseline,text,Record,,
sex,baseline,radio,Sex,"1, Male | 2, Female",
pregnant,baseline,yesno,Pregnant,,[sex] = '2'
week,baseline,text,Week,,"[sex] = '2' and [pregnant] = '1'"
drugs,baseline,checkbox,Drugs,"1, SSRI | -9, None",
dose,baseline,text,Dose,,[drugs(1)] = '1'
reasons,baseline,checkbox,Reasons,"a, Effect | b, Cost",[drugs(-9)] = '1'
crp_again,follow,text,CRP again,,[baseline_arm_1][crp] > 10
crp,labs,text,CRP,,
crp_note,labs,text,Note,,[crp] > 10 and [sex] = '2'
age_group,baseline,text,Age,,"datediff([dob],'today','y') > 18"
gone,baseline,text,Gone,,[not_exported] = '1'
"""


@pytest.fixture
def branching(tmp_path):
    path = tmp_path / "dictionary.csv"
    path.write_text(DICTIONARY, encoding="utf-8")
    return branching_of(dictionary_fields(path, "data/dictionary.csv"))


def export(*rows: dict[str, str]) -> pl.DataFrame:
    columns = [
        "record_id",
        "redcap_event_name",
        "redcap_repeat_instrument",
        "sex",
        "pregnant",
        "week",
        "drugs___1",
        "drugs____9",
        "dose",
        "reasons___a",
        "reasons___b",
        "crp_again",
        "crp",
        "crp_note",
        "age_group",
        "gone",
    ]
    return pl.DataFrame([{name: row.get(name, "") for name in columns} for row in rows], schema=columns)


def test_what_is_not_read_is_named_and_masks_nothing(branching) -> None:
    assert branching.unread == ("age_group",)
    masks = hidden_by_branching(export({"record_id": "1"}), branching, "record_id")
    assert "age_group" not in masks
    assert "gone" not in masks


def test_an_empty_cell_counts_as_hidden_only_where_the_field_was(branching) -> None:
    frame = export(
        {"record_id": "1", "sex": "1"},
        {"record_id": "2", "sex": "2"},
        {"record_id": "3", "sex": "2", "pregnant": "1"},
        {"record_id": "4", "sex": "1", "pregnant": "0"},
    )
    masks = hidden_by_branching(frame, branching, "record_id")
    assert masks["pregnant"].to_list() == [True, False, False, False]
    assert masks["week"].to_list() == [True, True, False, True]
    assert filled_though_hidden(frame, branching, "record_id") == {"pregnant": 1}


def test_checkboxes_hidden_and_in_conditions(branching) -> None:
    frame = export(
        {"drugs___1": "1", "drugs____9": "0", "reasons___a": "0", "reasons___b": "0"},
        {"drugs___1": "0", "drugs____9": "1", "reasons___a": "1", "reasons___b": "0"},
        {"drugs___1": "0", "drugs____9": "0", "reasons___a": "1"},
    )
    masks = hidden_by_branching(frame, branching, "record_id")
    assert masks["dose"].to_list() == [False, True, True]
    assert masks["reasons___a"].to_list() == [True, False, False]
    assert masks["reasons___b"].to_list() == [True, False, True]
    assert filled_though_hidden(frame, branching, "record_id") == {"reasons___a": 1}


def test_a_condition_looks_at_another_event_of_the_same_participant(branching) -> None:
    frame = export(
        {"record_id": "1", "redcap_event_name": "baseline_arm_1", "crp": "12"},
        {"record_id": "1", "redcap_event_name": "week_4_arm_1", "crp": "1"},
        {"record_id": "2", "redcap_event_name": "baseline_arm_1", "crp": "2"},
        {"record_id": "2", "redcap_event_name": "week_4_arm_1", "crp": "20"},
        {"record_id": "3", "redcap_event_name": "week_4_arm_1"},
    )
    masks = hidden_by_branching(frame, branching, "record_id")
    assert masks["crp_again"].to_list() == [False, False, True, True, True]


def test_a_repeating_row_sees_what_does_not_repeat(branching) -> None:
    frame = export(
        {"record_id": "1", "sex": "2"},
        {"record_id": "1", "redcap_repeat_instrument": "labs", "crp": "12"},
        {"record_id": "1", "redcap_repeat_instrument": "labs", "crp": "2"},
        {"record_id": "2", "sex": "1"},
        {"record_id": "2", "redcap_repeat_instrument": "labs", "crp": "12"},
    )
    masks = hidden_by_branching(frame, branching, "record_id")
    assert masks["crp_note"].to_list() == [True, False, True, True, True]
