from __future__ import annotations

from typing import Any, cast

import pytest

from ember.errors import EmberError
from ember.harmonise.treatment_rows import TreatmentNames
from ember.registry.registry import Registry
from tests.unit.harmonise.standard_study import account, listed, raw_rows, standardised

WIDE: dict[str, Any] = {
    "time_zero": {"column": "DT", "date": "%d/%m/%Y"},
    "visits": {"wide": {"V0": "baseline", "V4": "week_4"}, "date": {"column": "DT", "date": "%d/%m/%Y"}},
    "missing": ["-9"],
    "columns": {
        "age": {"column": "IDADE", "unit": "a", "missing": ["999"]},
        "sex": {"column": "SEXO", "codes": {"1": "male", "2": "female"}},
        "survey_psu": {"column": "PSU"},
    },
    "measurements": {"hscrp": {"column": "PCR", "unit": "mg/dL", "assay": "roche_crphs", "batch": "LOTE"}},
    "instruments": {"phq9": {"total": "TOTAL", "visits": ["baseline"]}},
}


def wide(person: str = "a", **cells: str) -> dict[str, str]:
    return {
        "id": person,
        "DT": "10/01/2020",
        "DT_V0": "08/01/2020",
        "DT_V4": "07/02/2020",
        "IDADE": "40",
        "SEXO": "1",
        "PSU": " 7 ",
        "PCR_V0": "0,2",
        "PCR_V4": "0,3",
        "LOTE_V0": "L1",
        "LOTE_V4": "",
        "TOTAL_V0": "12",
        **cells,
    }


def test_a_clean_wide_row() -> None:
    result = standardised(WIDE, raw_rows([wide()]), decimal=",")
    assert listed(result) == []
    assert result.participants.select("age", "sex", "survey_psu", "bmi", "row_number").row(0) == (
        40,
        "male",
        "7",
        None,
        2,
    )
    assert result.visits.select("visit", "study_day").rows() == [("baseline", -2), ("week_4", 28)]
    assert result.measurements.select(
        "visit", "study_day", "analyte", "assay_id", "batch", "value_reported", "number", "operator", "column"
    ).rows() == [
        ("baseline", -2, "hscrp", "roche_crphs", "L1", "0,2", 0.2, "", "PCR_V0"),
        ("week_4", 28, "hscrp", "roche_crphs", None, "0,3", 0.3, "", "PCR_V4"),
    ]
    assert result.items.select("instrument", "item", "value", "column").rows() == [("phq9", 0, 12.0, "TOTAL_V0")]
    assert account(result, "value") == {"n_created": 9, "n_out": 9}
    assert account(result, "participant") == {"n_created": 1, "n_out": 1}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param({"IDADE": "999"}, [(2, "IDADE", "value.missing_code")], id="missing code of the column"),
        pytest.param({"PCR_V0": "-9"}, [(2, "PCR_V0", "value.missing_code")], id="missing code of the table"),
        pytest.param({"IDADE": "120"}, [], id="upper hard limit"),
        pytest.param({"IDADE": "120,1"}, [(2, "IDADE", "value.outside_hard_limits")], id="above the hard limit"),
        pytest.param({"IDADE": "<40"}, [(2, "IDADE", "value.not_numeric")], id="no operator in a participant column"),
        pytest.param({"SEXO": "3"}, [(2, "SEXO", "value.not_in_codes")], id="code not translated"),
        pytest.param({"SEXO": "  "}, [], id="empty is not listed"),
        pytest.param({"PCR_V0": "0.2"}, [(2, "PCR_V0", "value.not_numeric")], id="another decimal mark"),
        pytest.param({"TOTAL_V0": "<5"}, [(2, "TOTAL_V0", "value.not_numeric")], id="no operator in a total"),
        pytest.param(
            {"DT_V4": "2020-02-07"},
            [(2, "DT_V4", "visit.date_unreadable"), (2, "PCR_V4", "visit.date_unreadable")],
            id="date in another order",
        ),
        pytest.param(
            {"DT_V4": "31/02/2020"},
            [(2, "DT_V4", "visit.date_unreadable"), (2, "PCR_V4", "visit.date_unreadable")],
            id="no such day",
        ),
        pytest.param(
            {"DT_V4": "07/02/20"},
            [(2, "DT_V4", "visit.date_unreadable"), (2, "PCR_V4", "visit.date_unreadable")],
            id="year of two digits under %Y",
        ),
        pytest.param({"DT_V4": ""}, [(2, "PCR_V4", "visit.no_date")], id="values without a date"),
        pytest.param({"DT_V4": "", "PCR_V4": ""}, [], id="no visit at all"),
        pytest.param(
            {"DT_V4": "-9"},
            [(2, "DT_V4", "value.missing_code"), (2, "PCR_V4", "visit.no_date")],
            id="date missing by code",
        ),
        pytest.param({"DT_V4": "", "PCR_V4": "-9"}, [(2, "PCR_V4", "value.missing_code")], id="missing stays missing"),
        pytest.param({"DT_V4": "", "PCR_V4": "x"}, [(2, "PCR_V4", "visit.no_date")], id="the visit before the cell"),
        pytest.param({"DT_V0": "13/12/2019"}, [], id="earliest day of the study"),
        pytest.param(
            {"DT_V0": "12/12/2019"},
            [(2, column, "visit.before_enrolment") for column in ("DT_V0", "PCR_V0", "TOTAL_V0")],
            id="a day before the earliest",
        ),
        pytest.param(
            {"DT_V4": "09/01/2020"},
            [(2, column, "visit.before_enrolment") for column in ("DT_V4", "PCR_V4")],
            id="after baseline yet before time zero",
        ),
        pytest.param({"DT_V4": "14/02/2020"}, [], id="last day of the window"),
        pytest.param({"DT_V4": "15/02/2020"}, [(2, "DT_V4", "visit.outside_window")], id="a day after the window"),
        pytest.param(
            {"DT_V0": "20/02/2020"},
            [
                (2, "DT_V0", "visit.outside_window"),
                (2, "DT_V4", "visit.date_order"),
                (2, "PCR_V4", "visit.date_order"),
            ],
            id="the later visit leaves",
        ),
        pytest.param(
            {"DT": ""},
            [(2, column, "visit.no_time_zero") for column in ("DT_V0", "DT_V4", "PCR_V0", "PCR_V4", "TOTAL_V0")],
            id="no time zero",
        ),
        pytest.param(
            {"DT": "x"},
            [
                (2, "DT", "visit.date_unreadable"),
                *((2, column, "visit.no_time_zero") for column in ("DT_V0", "DT_V4", "PCR_V0", "PCR_V4", "TOTAL_V0")),
            ],
            id="unreadable time zero",
        ),
    ],
)
def test_cells_of_a_wide_row(cells: dict[str, str], expected: list[tuple[int, str, str]]) -> None:
    result = standardised(WIDE, raw_rows([wide(**cells)]), decimal=",")
    assert listed(result) == expected
    refused = [entry for entry in expected if entry[2] not in {"visit.outside_window", "value.missing_code"}]
    assert account(result, "value").get("n_quarantined", 0) == len(refused)


def test_two_visits_on_one_day_are_in_order() -> None:
    result = standardised(WIDE, raw_rows([wide(DT_V0="10/01/2020", DT_V4="10/01/2020")]), decimal=",")
    assert listed(result) == [(2, "DT_V4", "visit.outside_window")]
    assert result.visits["study_day"].to_list() == [0, 0]


@pytest.mark.parametrize(
    ("dates", "expected", "day"),
    [
        pytest.param(("2020-01-01", "2020-01-01"), [], -1, id="told twice"),
        pytest.param(("2020-01-01", ""), [], -1, id="told once"),
        pytest.param(("2020-01-01", "x"), [(3, "drawn", "visit.date_unreadable")], -1, id="one of two readable"),
        pytest.param(
            ("2020-01-01", "2020-01-02"),
            [
                (row, column, rule)
                for row in (2, 3)
                for column, rule in (("drawn", "value.conflict"), ("result", "visit.no_date"))
            ],
            None,
            id="two dates of one visit",
        ),
        pytest.param(
            ("2019-01-01", "2019-01-01"),
            [(row, column, "visit.before_enrolment") for row in (2, 3) for column in ("drawn", "result")],
            None,
            id="each date cell of a refused visit leaves",
        ),
    ],
)
def test_dates_on_laboratory_rows(
    dates: tuple[str, str], expected: list[tuple[int, str, str]], day: int | None
) -> None:
    site = {
        "tables": {
            "people": {"participant": "id", "time_zero": {"column": "zero", "date": "%Y-%m-%d"}},
            "lab": {
                "participant": "id",
                "visits": {"single": "baseline", "date": {"column": "drawn", "date": "%Y-%m-%d"}},
                "laboratory": {
                    "analyte": {"column": "test", "codes": {"CRP": "hscrp", "IL-6": "il6"}},
                    "value": "result",
                    "unit": "mg/L",
                },
            },
        }
    }
    lab = [
        {"id": "a", "drawn": date, "test": test, "result": "1"}
        for date, test in zip(dates, ("CRP", "IL-6"), strict=True)
    ]
    raw = {"people": raw_rows([{"id": "a", "zero": "2020-01-02"}], file="p.csv"), "lab": raw_rows(lab, file="q.csv")}
    result = standardised(site, raw)
    assert listed(result) == expected
    assert result.measurements["study_day"].to_list() == ([] if day is None else [day, day])
    assert result.visits["study_day"].to_list() == ([] if day is None else [day])


def test_a_refused_visit_does_not_set_the_order() -> None:
    cells = {"DT_V0": "12/12/2019", "DT_V4": "07/02/2020"}
    result = standardised(WIDE, raw_rows([wide(**cells)]), decimal=",")
    assert result.visits["visit"].to_list() == ["week_4"]


LONG: dict[str, Any] = {
    "time_zero": {"column": "zero", "date": "%Y-%m-%d"},
    "visits": {
        "long": {"column": "event", "codes": {"b": "baseline", "w4": "week_4"}},
        "date": {"column": "date", "date": "%Y-%m-%d"},
    },
    "columns": {"age": {"column": "age", "unit": "a"}},
    "measurements": {"hscrp": {"column": "crp", "unit": {"column": "unit"}}},
}


def event(code: str, date: str, **cells: str) -> dict[str, str]:
    return {"id": "a", "event": code, "zero": "", "date": date, "age": "", "crp": "1", "unit": "mg/L", **cells}


@pytest.mark.parametrize(
    ("ages", "age", "expected", "collapsed"),
    [
        pytest.param(("40", ""), 40.0, [], 0, id="only at baseline"),
        pytest.param(("40", "40.0"), 40.0, [], 1, id="identical repeats collapse"),
        pytest.param(
            ("40", "41"),
            None,
            [(2, "age", "value.conflict"), (3, "age", "value.conflict")],
            0,
            id="conflict: both leave",
        ),
        pytest.param(("x", "41"), 41.0, [(2, "age", "value.not_numeric")], 0, id="unreadable is no conflict"),
    ],
)
def test_participant_columns_over_rows(
    ages: tuple[str, str], age: float | None, expected: list[tuple[int, str, str]], collapsed: int
) -> None:
    rows = [event("b", "2020-01-01", zero="2020-01-02", age=ages[0]), event("w4", "2020-01-30", age=ages[1])]
    result = standardised(LONG, raw_rows(rows))
    assert listed(result) == expected
    assert result.participants["age"].to_list() == [age]
    assert result.visits["study_day"].to_list() == [-1, 28]
    assert account(result, "value").get("n_collapsed", 0) == collapsed


def test_conflicting_time_zero_leaves_no_visit() -> None:
    rows = [event("b", "2020-01-01", zero="2020-01-02"), event("w4", "2020-01-30", zero="2020-01-03")]
    result = standardised(LONG, raw_rows(rows))
    assert result.visits.is_empty()
    assert listed(result) == [
        (row, column, rule)
        for row in (2, 3)
        for column, rule in (("crp", "visit.no_time_zero"), ("date", "visit.no_time_zero"), ("zero", "value.conflict"))
    ]


def test_an_empty_unit_is_left_to_harmonise() -> None:
    result = standardised(LONG, raw_rows([event("b", "2020-01-01", zero="2020-01-02", unit=" ")]))
    assert result.measurements["unit_reported"].to_list() == [""]


@pytest.mark.parametrize(
    ("below", "cells", "operator", "limit"),
    [
        pytest.param({}, {"crp": "<0.3"}, "<", 0.3, id="sign"),
        pytest.param({}, {"crp": ">20"}, ">", 20.0, id="above"),
        pytest.param({"heap": 0.01, "limit": 0.02}, {"crp": "0.010"}, "<", 0.02, id="heap"),
        pytest.param({"heap": 0.01}, {"crp": "0.01"}, "<", None, id="heap, limit of the assay"),
        pytest.param({"heap": 0.01}, {"crp": "0.011"}, "", None, id="just above the heap"),
        pytest.param({"heap": 0.01}, {"crp": "<0.01"}, "<", 0.01, id="the sign stands before the heap"),
        pytest.param({"column": "flag", "codes": ["1"]}, {"flag": " 1 "}, "<", None, id="flag"),
        pytest.param({"column": "flag", "codes": ["1"]}, {"flag": "0"}, "", None, id="flag says no"),
        pytest.param({"column": "flag", "codes": ["1"]}, {"flag": ""}, "", None, id="flag empty"),
        pytest.param(
            {"column": "flag", "codes": ["1"], "limit": 0.2}, {"flag": "1", "crp": ">9"}, ">", 9.0, id="sign first"
        ),
    ],
)
def test_marks_below_the_limit(
    below: dict[str, Any], cells: dict[str, str], operator: str, limit: float | None
) -> None:
    measurement = {"column": "crp", "unit": "mg/L", **({"below": below} if below else {})}
    site = {"visits": {"single": "baseline"}, "columns": {}, "measurements": {"hscrp": measurement}}
    result = standardised(site, raw_rows([{"id": "a", "crp": "1", "flag": "", **cells}]))
    assert result.measurements.select("operator", "limit_reported").row(0) == (operator, limit)
    assert result.visits["study_day"].to_list() == [0]


def test_laboratory_rows_take_the_day_of_the_clinic_visit() -> None:
    site = {
        "tables": {
            "people": {"participant": "id", "time_zero": {"column": "zero", "date": "%Y-%m-%d"}},
            "clinic": {"participant": "id", "visits": LONG["visits"], "instruments": {"phq9": {"total": "total"}}},
            "lab": {
                "participant": "id",
                "visits": {"long": {"column": "event", "codes": {"b": "baseline", "w4": "week_4", "w12": "week_12"}}},
                "laboratory": {
                    "analyte": {"column": "test", "codes": {"CRP": "hscrp"}},
                    "value": "result",
                    "unit": "mg/L",
                    "assays": {"hscrp": "roche_crphs"},
                },
            },
        }
    }
    people = [{"id": person, "zero": "2020-01-02"} for person in "ab"]
    clinic = [
        {"id": "a", "event": "b", "date": "2020-01-01", "total": "9"},
        {"id": "a", "event": "w4", "date": "2019-06-01", "total": "9"},
    ]
    lab = [
        {"id": person, "event": code, "test": "CRP", "result": "1"}
        for person, code in (("a", "b"), ("a", "w4"), ("a", "w12"), ("b", "b"))
    ]
    raw = {
        "people": raw_rows(people, file="p.csv"),
        "clinic": raw_rows(clinic, file="q.csv"),
        "lab": raw_rows(lab, file="r.csv"),
    }
    result = standardised(site, raw)
    assert result.measurements.select("visit", "study_day", "assay_id").rows() == [
        ("baseline", -1, "roche_crphs"),
        ("week_12", 84, "roche_crphs"),  # the clinic dates no such visit: its planned day
    ]
    assert result.ledger.select("source_file", "row_number", "column", "rule_id").rows() == [
        ("q.csv", 3, "date", "visit.before_enrolment"),
        ("q.csv", 3, "total", "visit.before_enrolment"),
        ("r.csv", 3, "result", "visit.before_enrolment"),
        ("r.csv", 5, "result", "visit.no_date"),
    ]
    assert account(result, "participant")["n_out"] == 2


@pytest.mark.parametrize(
    ("cell", "expected", "listed_rules"),
    [
        pytest.param("SERTRALINE", [("sertraline", "SERTRALINE")], [], id="one"),
        pytest.param("Sertraline ;lithium", [("sertraline", "Sertraline"), ("lithium", "lithium")], [], id="any case"),
        pytest.param(
            "amitriptyline; Perphenazine",
            [("amitriptyline_perphenazine", "amitriptyline; Perphenazine")],
            [],
            id="a whole name in any case",
        ),
        pytest.param("SERTRALINE; LITHIUM", [("sertraline", "SERTRALINE"), ("lithium", "LITHIUM")], [], id="two"),
        pytest.param(
            "AMITRIPTYLINE; PERPHENAZINE",
            [("amitriptyline_perphenazine", "AMITRIPTYLINE; PERPHENAZINE")],
            [],
            id="the whole name before its parts",
        ),
        pytest.param("SERTRALINE; SERTRALINE", [("sertraline", "SERTRALINE")], [], id="twice is once"),
        pytest.param(
            "X; LITHIUM; Y",
            [(None, "X; Y"), ("lithium", "LITHIUM")],
            ["treatment.unknown"],
            id="unknown names are kept",
        ),
        pytest.param(";;", [(None, ";;")], ["treatment.unknown"], id="separators alone are not nothing"),
        pytest.param("none", [], ["value.missing_code"], id="missing code"),
        pytest.param("", [], [], id="empty"),
    ],
)
def test_treatments(cell: str, expected: list[tuple[str | None, str]], listed_rules: list[str]) -> None:
    treatments = {"name": "drug", "role": "concomitant", "split": ";", "missing": ["none"]}
    site = {"visits": {"single": "baseline"}, "treatments": treatments}
    result = standardised(site, raw_rows([{"id": "a", "drug": cell}]))
    assert result.treatments.select("treatment", "name_reported").rows() == expected
    assert [rule for *_, rule in listed(result)] == listed_rules
    assert account(result, "value").get("n_out", 0) == len(expected)


def test_registry_tells_kind_and_code_of_a_treatment() -> None:
    site = {"visits": {"single": "baseline"}, "treatments": {"name": "drug", "role": "arm"}}
    result = standardised(site, raw_rows([{"id": "a", "drug": "SERTRALINE"}]))
    assert result.treatments.select("kind", "atc", "role").row(0) == ("antidepressant", "N06AB06", "arm")


def test_items_are_the_scored_ones_at_each_visit() -> None:
    site = {"visits": {"wide": {"0": "baseline", "4": "week_4"}}, "instruments": {"phq9": {"items": "DPQ0{item}0"}}}
    cells = {f"DPQ0{item}0_{suffix}": str(item % 4) for item in range(1, 10) for suffix in ("0", "4")}
    result = standardised(site, raw_rows([{"id": "a", **cells, "DPQ100_0": "3"}]))
    assert result.items["item"].to_list() == [item for item in range(1, 10) for _ in range(2)]
    assert result.items.filter(result.items["visit"] == "week_4")["value"].to_list() == [
        item % 4 for item in range(1, 10)
    ]


def test_measured_visits_limit_a_long_table() -> None:
    site = {**LONG, "measurements": {"hscrp": {"column": "crp", "unit": "mg/L", "visits": ["baseline"]}}}
    rows = [event("b", "2020-01-01", zero="2020-01-02"), event("w4", "2020-01-30")]
    result = standardised(site, raw_rows(rows))
    assert result.measurements["visit"].to_list() == ["baseline"]
    assert account(result, "value")["n_created"] == 3 * 2 + 1


def test_sheets_of_one_file_with_one_column_name_stay_apart() -> None:
    table = {"participant": "id", "measurements": {"hscrp": {"column": "crp", "unit": "mg/L"}}}
    site = {
        "tables": {
            "first": {**table, "visits": {"single": "baseline"}},
            "second": {**table, "visits": {"single": "week_4"}},
        }
    }
    raw = {
        name: raw_rows([{"id": "a", "crp": "1"}], file="book.xlsx", sheet=sheet)
        for name, sheet in (("first", "V0"), ("second", "V4"))
    }
    result = standardised(site, raw)
    assert result.measurements.select("source_file", "sheet", "row_number", "column").rows() == [
        ("book.xlsx", "V0", 2, "crp"),
        ("book.xlsx", "V4", 2, "crp"),
    ]
    assert result.visits["sheet"].to_list() == ["V0", "V4"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"columns": {"age": {"column": "AGE", "unit": "a"}}}, "names AGE", id="absent column"),
        pytest.param({"time_zero": {"column": "absent", "date": "%Y"}}, "names absent", id="absent time zero"),
        pytest.param(
            {"measurements": {name: {"column": "crp", "unit": "mg/L"} for name in ("hscrp", "crp_standard")}},
            "maps crp twice",
            id="one column for two analytes",
        ),
    ],
)
def test_refuses_a_mapping_that_cannot_be_carried_out(change: dict[str, Any], message: str) -> None:
    with pytest.raises(EmberError, match=message):
        standardised({**LONG, **change}, raw_rows([event("b", "2020-01-01")]))


def test_refuses_visit_dates_without_time_zero() -> None:
    site = {key: value for key, value in LONG.items() if key != "time_zero"}
    with pytest.raises(EmberError, match="no time zero"):
        standardised(site, raw_rows([event("b", "2020-01-01")]))


def test_order_does_not_depend_on_pseudonyms() -> None:
    rows = [event("b", "2020-01-01", zero="2020-01-02", id=person) for person in ("zz", "mm", "aa")]
    result = standardised(LONG, raw_rows(rows))
    assert result.participants["participant_id"].to_list() == ["zz", "mm", "aa"]
    assert result.measurements["row_number"].to_list() == [2, 3, 4]


def test_two_names_of_treatments_that_differ_in_case_alone_are_refused() -> None:
    class Twice:
        def rows(self, table: str) -> list[dict[str, str]]:
            if table == "treatments":
                return [{"treatment": "lithium", "kind": "", "atc": ""}]
            return [{"name": name, "treatment": "lithium"} for name in ("Lithium", "LITHIUM ")]

    with pytest.raises(EmberError, match="'lithium' stands twice"):
        TreatmentNames.of(cast(Registry, Twice()))
