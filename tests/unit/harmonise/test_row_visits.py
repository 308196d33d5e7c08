"""Rows whose day tells their visit, and several tables of one source."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ember.errors import EmberError
from tests.unit.harmonise.standard_study import account, listed, raw_rows, standardised

LABORATORY = {
    "analyte": {"column": "test", "codes": {"CRP": "hscrp", "IL-6": "il6"}},
    "value": "result",
    "unit": {"column": "unit"},
}
PEOPLE = {
    "participant": "id",
    "time_zero": {"column": "zero", "date": "%Y-%m-%d"},
    "columns": {"age": {"column": "age", "unit": "a"}},
}


def site(visits: dict[str, Any], **more: Any) -> dict[str, Any]:
    lab = {"participant": "id", "visits": visits, "laboratory": LABORATORY, **more}
    return {"tables": {"people": PEOPLE, "lab": lab}}


BY_DATE = site({"by_date": {"column": "drawn", "date": "%Y-%m-%d"}}, missing=["-9"])
BY_DAY = site({"by_day": {"column": "day", "offset": -1}})


def sample(drawn: str, result: str = "1", test: str = "CRP", person: str = "a", **cells: str) -> dict[str, str]:
    return {"id": person, "drawn": drawn, "test": test, "result": result, "unit": "mg/L", **cells}


def result_of(mapping: dict[str, Any], rows: list[dict[str, str]], zero: str = "2020-01-01") -> Any:
    people = raw_rows([{"id": "a", "zero": zero, "age": "40"}], file="people.csv")
    return standardised(mapping, {"people": people, "lab": raw_rows(rows, file="lab.csv")})


@pytest.mark.parametrize(
    ("drawn", "visit", "rule"),
    [
        pytest.param("2019-12-04", "baseline", None, id="first day of the first window"),
        pytest.param("2020-01-01", "baseline", None, id="last day of the first window"),
        pytest.param("2019-12-03", None, "row.outside_windows", id="a day before all windows"),
        pytest.param("2020-01-02", None, "row.outside_windows", id="between two windows"),
        pytest.param("2020-01-22", "week_4", None, id="first day of the second window"),
        pytest.param("2020-04-08", "week_12", None, id="last day of the last window"),
        pytest.param("2020-04-09", None, "row.outside_windows", id="a day after all windows"),
        pytest.param("", None, "row.no_date", id="no date"),
        pytest.param("-9", None, "row.no_date", id="date missing by code"),
        pytest.param("01.01.2020", None, "row.date_unreadable", id="another order"),
    ],
)
def test_the_window_that_holds_the_date_gives_the_visit(drawn: str, visit: str | None, rule: str | None) -> None:
    result = result_of(BY_DATE, [sample(drawn)])
    assert listed(result) == ([] if rule is None else [(2, None, rule)])
    assert result.measurements["visit"].to_list() == ([] if visit is None else [visit])
    assert account(result, "row").get("n_quarantined", 0) == (rule is not None)


def test_the_study_day_is_the_day_of_the_row() -> None:
    result = result_of(BY_DATE, [sample("2020-01-30"), sample("2020-01-31", test="IL-6")])
    assert result.measurements["study_day"].to_list() == [29, 30]
    assert result.visits.select("visit", "study_day").rows() == [("week_4", 29)]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        pytest.param("1", [("baseline", 0)], id="offset"),
        pytest.param("29.0", [("week_4", 28)], id="a float that is whole"),
        pytest.param("29.5", "row.date_unreadable", id="half a day"),
        pytest.param("x", "row.date_unreadable", id="no number"),
        pytest.param("1e300", "row.date_unreadable", id="no day"),
        pytest.param("", "row.no_date", id="empty"),
        pytest.param("200", "row.outside_windows", id="outside"),
    ],
)
def test_study_days_need_no_time_zero(day: str, expected: Any) -> None:
    result = result_of(BY_DAY, [sample("", day=day)], zero="")
    assert result.measurements.select("visit", "study_day").rows() == (expected if isinstance(expected, list) else [])
    assert listed(result) == ([] if isinstance(expected, list) else [(2, None, expected)])


@pytest.mark.parametrize(
    ("zeros", "rule"),
    [
        pytest.param([""], "row.no_time_zero", id="no time zero"),
        pytest.param(["x"], "row.no_time_zero", id="unreadable time zero"),
        pytest.param(["2020-01-01", "2020-01-02"], "row.no_time_zero", id="two time zeros"),
        pytest.param(["2020-01-01", ""], None, id="told once"),
    ],
)
def test_dates_need_one_time_zero(zeros: list[str], rule: str | None) -> None:
    weeks = {"long": {"column": "week", "codes": {"0": "baseline", "4": "week_4"}}}
    mapping = {"tables": {**BY_DATE["tables"], "people": {**PEOPLE, "visits": weeks}}}
    people = [{"id": "a", "zero": zero, "age": "", "week": week} for zero, week in zip(zeros, ("0", "4"), strict=False)]
    raw = {"people": raw_rows(people, file="p.csv"), "lab": raw_rows([sample("2020-01-01")], file="q.csv")}
    result = standardised(mapping, raw)
    assert [entry[2] for entry in listed(result) if entry[1] is None] == ([] if rule is None else [rule])


def test_a_site_without_time_zero_cannot_use_dates() -> None:
    people = {key: value for key, value in PEOPLE.items() if key != "time_zero"}
    with pytest.raises(EmberError, match="maps no time zero"):
        result_of({"tables": {**BY_DATE["tables"], "people": people}}, [sample("2020-01-01")])


@pytest.mark.parametrize(
    ("rows", "used", "expected"),
    [
        pytest.param(
            [sample("2020-01-25"), sample("2020-01-28", "2"), sample("2020-02-05", "3")],
            ["2"],
            [(2, "result", "value.further_sample"), (4, "result", "value.further_sample")],
            id="the nearest to day 28",
        ),
        pytest.param(
            [sample("2020-02-01", "1"), sample("2020-01-26", "2")],
            ["2"],
            [(2, "result", "value.further_sample")],
            id="equally near: the earlier",
        ),
        pytest.param(
            [sample("2020-01-29", "x"), sample("2020-01-25", "2")],
            ["2"],
            [(2, "result", "value.not_numeric")],
            id="the nearest that can be used",
        ),
        pytest.param([sample("2020-01-29"), sample("2020-01-25", "2", test="IL-6")], ["1", "2"], [], id="two analytes"),
        pytest.param(
            [sample("2020-01-29"), sample("2020-01-29", "2")],
            [],
            [(2, None, "row.duplicate_conflict"), (3, None, "row.duplicate_conflict")],
            id="two results of one day contradict each other",
        ),
        pytest.param(
            [sample("2020-01-29"), sample("2020-01-29")], ["1"], [(3, None, "row.duplicate_exact")], id="a copy"
        ),
    ],
)
def test_one_sample_stands_for_a_visit(
    rows: list[dict[str, str]], used: list[str], expected: list[tuple[int, str | None, str]]
) -> None:
    result = result_of(BY_DATE, rows)
    assert result.measurements["value_reported"].to_list() == used
    assert listed(result) == expected
    further = sum(rule == "value.further_sample" for _, _, rule in expected)
    assert account(result, "value").get("n_excluded", 0) == further
    messages = result.ledger.filter(pl.col("rule_id") == "value.further_sample")["message"].to_list()
    assert messages == ["Another sample is nearer to study day 28."] * further


def test_two_rows_of_one_window_contradict_each_other_where_a_row_is_a_visit() -> None:
    table = {
        "participant": "id",
        "visits": {"by_day": {"column": "day"}},
        "instruments": {"phq9": {"total": "total"}},
    }
    rows = raw_rows([{"id": "a", "day": day, "total": "9"} for day in ("26", "27", "84")])
    result = standardised({"tables": {"a": table}}, {"a": rows})
    assert [entry[2] for entry in listed(result)] == ["row.duplicate_conflict"] * 2
    assert result.items["study_day"].to_list() == [84]


ONE_SOURCE = {
    "tables": {
        "people": {**PEOPLE, "from": "all", "rows": {"column": "kind", "equals": "P"}},
        "crp": {
            "from": "all",
            "participant": "id",
            "rows": {"column": "kind", "equals": "L"},
            "visits": {"single": "baseline"},
            "measurements": {"hscrp": {"column": "result", "unit": "mg/L"}},
        },
        "il6": {
            "from": "all",
            "participant": "id",
            "rows": {"column": "kind", "equals": ""},
            "visits": {"single": "baseline"},
            "measurements": {"il6": {"column": "result", "unit": "pg/mL"}},
        },
    }
}
ROWS = [
    {"id": "a", "kind": "P", "zero": "2020-01-01", "age": "40", "result": ""},
    {"id": "a", "kind": " L ", "zero": "", "age": "", "result": "1"},
    {"id": "a", "kind": "", "zero": "", "age": "", "result": "2"},
    {"id": "a", "kind": " ", "zero": "", "age": "", "result": "3"},
]


def test_tables_of_one_source_share_out_its_rows() -> None:
    result = standardised(ONE_SOURCE, {"all": raw_rows(ROWS)})
    assert result.participants["age"].to_list() == [40]
    assert result.measurements.select("analyte", "value_reported").rows() == [("hscrp", "1")]
    assert listed(result) == [(4, None, "row.duplicate_conflict"), (5, None, "row.duplicate_conflict")]
    assert result.findings["finding"].to_list() == ["duplicate:s:il6"]
    assert account(result, "row") == {"n_in": 4, "n_out": 2, "n_quarantined": 2}
    assert result.measurements["source_file"].to_list() == ["file.csv"]


@pytest.mark.parametrize("kind", [pytest.param("Q", id="a row of no table"), pytest.param("l", id="capitals count")])
def test_refuses_rows_that_no_table_claims(kind: str) -> None:
    with pytest.raises(EmberError, match="1 rows of all belong to none or to several"):
        standardised(ONE_SOURCE, {"all": raw_rows([*ROWS, {**ROWS[0], "kind": kind}])})


def test_refuses_tables_that_claim_the_same_rows() -> None:
    tables = ONE_SOURCE["tables"]
    both = {**tables, "il6": {**tables["il6"], "rows": tables["crp"]["rows"]}}
    with pytest.raises(EmberError, match="3 rows of all belong to none or to several"):
        standardised({"tables": both}, {"all": raw_rows(ROWS)})


@pytest.mark.parametrize("name", ["_visit", "_day", "_start", "_rule"])
def test_refuses_a_column_that_it_would_overwrite(name: str) -> None:
    with pytest.raises(EmberError, match=f"uses the column name {name}"):
        result_of(BY_DATE, [sample("2020-01-28", **{name: "1"})])


def test_rows_keep_their_place_whatever_the_pseudonyms() -> None:
    rows = [sample("2020-01-28", person=person) for person in ("zz", "aa")]
    people = raw_rows([{"id": person, "zero": "2020-01-01", "age": "40"} for person in ("zz", "aa")], file="p.csv")
    result = standardised(BY_DATE, {"people": people, "lab": raw_rows(rows, file="q.csv")})
    assert result.measurements["participant_id"].to_list() == ["zz", "aa"]
    assert result.measurements.schema["study_day"] == pl.Int32
