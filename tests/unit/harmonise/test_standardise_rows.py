from __future__ import annotations

import copy
from typing import Any

import pytest

from ember.errors import EmberError
from ember.registry.model import Answer
from tests.unit.harmonise.standard_study import account, listed, raw_rows, standardised

LONG: dict[str, Any] = {
    "visits": {"long": {"column": "week", "codes": {"0": "baseline", "W0": "baseline", "4": "week_4"}}},
    "columns": {"age": {"column": "age", "unit": "a"}},
    "measurements": {"hscrp": {"column": "crp", "unit": "mg/L"}},
}
LABORATORY: dict[str, Any] = {
    "tables": {
        "people": {"participant": "id", "columns": {"age": {"column": "age", "unit": "a"}}},
        "lab": {
            "participant": "id",
            "visits": {"long": {"column": "week", "codes": {"0": "baseline"}}},
            "laboratory": {
                "analyte": {"column": "test", "codes": {"CRP": "hscrp", "IL-6": "il6"}},
                "value": "result",
                "unit": {"column": "unit"},
            },
        },
    }
}


def row(person: str, week: str = "0", crp: str = "1", age: str = "40", **other: str) -> dict[str, str]:
    return {"id": person, "week": week, "crp": crp, "age": age, **other}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([row("a"), row("")], [(3, None, "row.no_participant")], id="no participant"),
        pytest.param([row("a"), row("a")], [(3, None, "row.duplicate_exact")], id="exact duplicate: the first stays"),
        pytest.param(
            [row("a"), row("a", crp=" 1 ")], [(3, None, "row.duplicate_exact")], id="white space is no content"
        ),
        pytest.param(
            [row("a"), row("a"), row("a")],
            [(3, None, "row.duplicate_exact"), (4, None, "row.duplicate_exact")],
            id="threefold",
        ),
        pytest.param(
            [row("a"), row("b"), row("a", crp="2")],
            [(2, None, "row.duplicate_conflict"), (4, None, "row.duplicate_conflict")],
            id="conflict: neither stays",
        ),
        pytest.param(
            [row("a"), row("a"), row("a", crp="2")],
            [
                (2, None, "row.duplicate_conflict"),
                (3, None, "row.duplicate_exact"),
                (4, None, "row.duplicate_conflict"),
            ],
            id="a copy is collapsed before the conflict",
        ),
        pytest.param(
            [row("a", "0"), row("a", "W0")],
            [(2, None, "row.duplicate_conflict"), (3, None, "row.duplicate_conflict")],
            id="two codes of one visit",
        ),
        pytest.param([row("a"), row("a", "4")], [], id="two visits are no duplicate"),
        pytest.param(
            [row("a"), row("a", note="x")],
            [(2, None, "row.duplicate_conflict"), (3, None, "row.duplicate_conflict")],
            id="unmapped columns count",
        ),
        pytest.param(
            [row("a"), row("a", "7"), row("a", "")],
            [(3, None, "row.unknown_visit"), (4, None, "row.unknown_visit")],
            id="unknown visit",
        ),
        pytest.param([row("a"), row("a", " 4 ")], [], id="white space around a visit code"),
    ],
)
def test_rows_of_a_long_table(rows: list[dict[str, str]], expected: list[tuple[int, str | None, str]]) -> None:
    result = standardised(LONG, raw_rows(rows))
    assert [entry for entry in listed(result) if entry[2].startswith("row.")] == expected
    counts = account(result, "row")
    assert counts["n_in"] == len(rows)
    assert counts.get("n_out", 0) == len(rows) - len(expected)


def test_rows_of_a_laboratory_table() -> None:
    people = raw_rows([{"id": "a", "age": "30"}, {"id": "b", "age": "31"}], file="people.csv")
    results = [
        {"id": "a", "week": "0", "test": "CRP", "result": "1", "unit": "mg/L"},
        {"id": "a", "week": "0", "test": "IL-6", "result": "2", "unit": "pg/mL"},
        {"id": "x", "week": "0", "test": "CRP", "result": "1", "unit": "mg/L"},
        {"id": "a", "week": "0", "test": "TNF", "result": "1", "unit": "pg/mL"},
        {"id": "b", "week": "9", "test": "CRP", "result": "1", "unit": "mg/L"},
        {"id": "b", "week": "0", "test": "CRP", "result": "1", "unit": "mg/L"},
        {"id": "b", "week": "0", "test": "CRP", "result": "3", "unit": "mg/L"},
    ]
    result = standardised(LABORATORY, {"people": people, "lab": raw_rows(results, file="lab.csv")})
    assert listed(result) == [
        (4, None, "row.not_in_roster"),
        (5, None, "row.unknown_analyte"),
        (6, None, "row.unknown_visit"),
        (7, None, "row.duplicate_conflict"),
        (8, None, "row.duplicate_conflict"),
    ]
    assert result.measurements["analyte"].to_list() == ["hscrp", "il6"]
    assert account(result, "row") == {"n_in": 9, "n_out": 4, "n_quarantined": 5}


def test_tests_that_nobody_wants_leave_first() -> None:
    site = copy.deepcopy(LABORATORY)
    site["tables"]["lab"]["laboratory"]["others"] = "ignore"
    people = raw_rows([{"id": "a", "age": "30"}], file="people.csv")
    results = [
        {"id": "a", "week": "0", "test": " CRP ", "result": "1", "unit": "mg/L"},
        {"id": "a", "week": "0", "test": "TNF", "result": "1", "unit": "pg/mL"},
        {"id": "a", "week": "0", "test": "TNF", "result": "1", "unit": "pg/mL"},
        {"id": "a", "week": "9", "test": "TNF", "result": "1", "unit": "pg/mL"},
        {"id": "x", "week": "0", "test": "crp", "result": "1", "unit": "mg/L"},
        {"id": "", "week": "0", "test": "TNF", "result": "1", "unit": "pg/mL"},
        {"id": "a", "week": "0", "test": " ", "result": "1", "unit": "pg/mL"},
    ]
    result = standardised(site, {"people": people, "lab": raw_rows(results, file="lab.csv")})
    assert listed(result) == [
        (3, None, "row.other_analyte"),
        (4, None, "row.other_analyte"),
        (5, None, "row.other_analyte"),
        (6, None, "row.other_analyte"),
        (7, None, "row.no_participant"),
        (8, None, "row.unknown_analyte"),
    ]
    assert result.measurements["analyte"].to_list() == ["hscrp"]
    assert account(result, "row") == {"n_in": 8, "n_out": 2, "n_excluded": 4, "n_quarantined": 2}


def test_tests_that_nobody_wants_count_for_no_cardinality() -> None:
    site = copy.deepcopy(LABORATORY)
    site["tables"]["lab"] |= {"per_participant": "one"}
    people = raw_rows([{"id": "a", "age": "30"}], file="people.csv")
    results = [
        {"id": "a", "week": "0", "test": "CRP", "result": "1", "unit": "mg/L"},
        {"id": "a", "week": "0", "test": "TNF", "result": "1", "unit": "pg/mL"},
    ]
    lab = raw_rows(results, file="lab.csv")
    with pytest.raises(EmberError, match="1 of 1 participants have several rows"):
        standardised(site, {"people": people, "lab": lab})
    site["tables"]["lab"]["laboratory"]["others"] = "ignore"
    assert standardised(site, {"people": people, "lab": lab}).measurements.height == 1


def test_conflicting_rows_are_a_finding_that_the_study_answers() -> None:
    rows = raw_rows([row("a"), row("a", crp="2"), row("b")])
    open_finding = standardised(LONG, rows).findings.row(0, named=True)
    assert (open_finding["finding"], open_finding["n"], open_finding["severity"], open_finding["answered"]) == (
        "duplicate:s:a",
        2,
        "error",
        False,
    )
    answer = Answer("duplicate:s:a", "exclude", "the laboratory repeated the sample")
    answered = standardised(LONG, rows, [answer])
    assert answered.findings.select("answered", "action", "reason").row(0) == (True, "exclude", answer.reason)
    assert set(answered.ledger["reason"]) == {answer.reason}
    assert answered.measurements.height == 1


def test_one_row_a_treatment_is_no_conflict() -> None:
    site = {
        "tables": {
            "people": {"participant": "id", "columns": {"age": {"column": "age", "unit": "a"}}},
            "drugs": {
                "participant": "id",
                "visits": {"single": "baseline"},
                "treatments": {"name": "drug", "role": "background"},
            },
        }
    }
    drugs = [{"id": "a", "drug": "SERTRALINE"}, {"id": "a", "drug": "LITHIUM"}, {"id": "a", "drug": "LITHIUM"}]
    raw = {"people": raw_rows([{"id": "a", "age": "30"}]), "drugs": raw_rows(drugs, file="drugs.csv")}
    result = standardised(site, raw)
    assert result.treatments["treatment"].to_list() == ["sertraline", "lithium"]
    assert listed(result) == [(4, None, "row.duplicate_exact")]
    assert result.findings.is_empty()


def test_no_row_is_left() -> None:
    result = standardised(LONG, raw_rows([row(""), row("a", "9")]))
    assert result.participants.is_empty()
    assert result.measurements.is_empty()
    assert account(result, "row") == {"n_in": 2, "n_quarantined": 2}
