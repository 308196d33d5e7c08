"""What a site file can say of signs, units, specimens, repeated rows, ends and derived columns."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ember.errors import EmberError
from ember.harmonise.standardise import standardise_site
from ember.registry.build import build_site
from ember.registry.registry import Registry
from tests.unit.harmonise.standard_study import (
    account,
    listed,
    raw_rows,
    shared_registry,
    standardised,
    study_with,
)

DAY = "%Y-%m-%d"
WEEKS = {"column": "week", "codes": {"0": "baseline", "4": "week_4", "12": "week_12"}}


def laboratory(**more: Any) -> dict[str, Any]:
    mapping = {
        "analyte": {"column": "test", "codes": {"CRP": "hscrp"}},
        "value": "result",
        "unit": {"column": "unit", "codes": {"8751": "mg/L", " 8840 ": "mg/dL"}},
        "operator": {"column": "sign", "codes": {"LT": "<", "GT": ">", "EQ": "=", "NONE": "", "LE": "<="}},
        "specimen": {"column": "tube", "codes": {"1": "serum", "2": "plasma_edta"}},
    }
    return {"visits": {"single": "baseline"}, "laboratory": {**mapping, **more}}


def one(**cells: str) -> dict[str, str]:
    return {"id": "a", "test": "CRP", "result": "2", "unit": "mg/L", "sign": "", "tube": "", **cells}


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        pytest.param({}, ("", 2.0, None), id="no sign"),
        pytest.param({"sign": " LT "}, ("<", 2.0, 2.0), id="below"),
        pytest.param({"sign": "GT"}, (">", 2.0, 2.0), id="above"),
        pytest.param({"sign": "EQ"}, ("", 2.0, None), id="equal"),
        pytest.param({"sign": "NONE"}, ("", 2.0, None), id="code without a sign"),
        pytest.param({"sign": "LT", "result": "<2"}, ("<", 2.0, 2.0), id="the same sign twice"),
        pytest.param({"sign": "EQ", "result": "<2"}, ("<", 2.0, 2.0), id="the sign in the result stands"),
        pytest.param({"sign": "GT", "result": "<2"}, "value.operator_unclear", id="two signs"),
        pytest.param({"sign": "LE"}, "value.operator_unclear", id="at most is not read"),
        pytest.param({"sign": "lt"}, "value.operator_unclear", id="capitals count"),
        pytest.param({"sign": "LT", "result": "-2"}, "value.operator_unclear", id="below a negative number"),
        pytest.param({"sign": "LT", "result": "x"}, "value.not_numeric", id="no number"),
    ],
)
def test_a_sign_in_its_own_column(cells: dict[str, str], expected: Any) -> None:
    result = standardised(laboratory(), raw_rows([one(**cells)]))
    found = result.measurements.select("operator", "number", "limit_reported").rows()
    assert found == ([expected] if isinstance(expected, tuple) else [])
    assert listed(result) == ([] if isinstance(expected, tuple) else [(2, "result", expected)])


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        pytest.param("8751", "mg/L", id="code"),
        pytest.param(" 8840", "mg/dL", id="white space"),
        pytest.param("ug/mL", "ug/mL", id="a text without a code stays"),
        pytest.param("", "", id="empty is left to harmonise"),
    ],
)
def test_codes_of_units(unit: str, expected: str) -> None:
    assert standardised(laboratory(), raw_rows([one(unit=unit)])).measurements["unit_reported"].to_list() == [expected]
    wide = {"column": "result", "unit": {"column": "unit", "codes": {"8751": "mg/L", "8840": "mg/dL"}}}
    site = {"visits": {"single": "baseline"}, "measurements": {"hscrp": wide}}
    assert standardised(site, raw_rows([one(unit=unit)])).measurements["unit_reported"].to_list() == [expected]


@pytest.mark.parametrize(
    ("tube", "expected"),
    [
        pytest.param("1", ["serum"], id="code"),
        pytest.param(" ", [None], id="not told"),
        pytest.param("3", [], id="not translated"),
    ],
)
def test_codes_of_specimens(tube: str, expected: list[str | None]) -> None:
    result = standardised(laboratory(), raw_rows([one(tube=tube)]))
    assert result.measurements["specimen"].to_list() == expected
    assert listed(result) == ([] if expected else [(2, "result", "value.specimen_unknown")])


def test_thousands_in_every_number() -> None:
    site = {
        "visits": {"single": "baseline"},
        "missing": ["9999"],
        "columns": {"survey_weight": {"column": "weight"}},
        "measurements": {"hscrp": {"column": "crp", "unit": "ug/L"}},
        "instruments": {"phq9": {"total": "total"}},
    }
    cells = [("12.345,5", "<1.234,5", "1.0"), ("9.999", "1.23", "9.999")]
    rows = [
        {"id": person, "weight": weight, "crp": crp, "total": total}
        for person, (weight, crp, total) in zip("ab", cells, strict=True)
    ]
    result = standardised(site, raw_rows(rows), decimal=",", thousands=".")
    assert result.participants["survey_weight"].to_list() == [12345.5, None]
    assert result.measurements.select("number", "operator").rows() == [(1234.5, "<")]
    assert listed(result) == [
        (2, "total", "value.not_numeric"),
        (3, "crp", "value.not_numeric"),
        (3, "total", "value.missing_code"),
        (3, "weight", "value.missing_code"),
    ]
    message = result.ledger.filter(pl.col("column") == "crp")["message"].item()
    assert message == "Expected a number with the decimal mark ',' and '.' between groups of three digits."


@pytest.mark.parametrize(
    ("form", "zero", "date", "message"),
    [
        pytest.param("iso", "2020-01-01", "2020-01-29T07:45", None, id="iso"),
        pytest.param("iso", "2020-01-01", "2020-01", "Expected a whole date of ISO 8601", id="partial date"),
        pytest.param("excel_1900", "43831", "43859.25", None, id="excel"),
        pytest.param("excel_1904", "42369", "42397", None, id="excel of 1904"),
        pytest.param("excel_1900", "43831", "2020-01-29", "Expected a serial number of the 1900", id="iso in excel"),
    ],
)
def test_forms_of_dates(form: str, zero: str, date: str, message: str | None) -> None:
    site = {
        "time_zero": {"column": "zero", "date": form},
        "visits": {"long": WEEKS, "date": {"column": "date", "date": form}},
        "measurements": {"hscrp": {"column": "crp", "unit": "mg/L"}},
    }
    result = standardised(site, raw_rows([{"id": "a", "week": "4", "zero": zero, "date": date, "crp": "1"}]))
    assert result.measurements["study_day"].to_list() == ([28] if message is None else [])
    refused = [] if message is None else [(2, column, "visit.date_unreadable") for column in ("crp", "date")]
    assert listed(result) == refused
    assert all(text.startswith(message or "") for text in result.ledger.filter(pl.col("column") == "date")["message"])


CARDINALITY: dict[str, Any] = {
    "tables": {
        "people": {"participant": "id", "columns": {"age": {"column": "age", "unit": "a"}}},
        "blood": {
            "participant": "id",
            "visits": {"long": WEEKS},
            "measurements": {"hscrp": {"column": "crp", "unit": "mg/L"}},
        },
    }
}


@pytest.mark.parametrize(
    ("stated", "people", "message"),
    [
        pytest.param("one", "abc", None, id="one each"),
        pytest.param("one", "ab", "0 of 3 participants have several rows in blood and 1 have none", id="one has none"),
        pytest.param("one", "abcc", "1 of 3 participants have several rows in blood.", id="one has two"),
        pytest.param("at_most_one", "ab", None, id="none is allowed"),
        pytest.param("at_most_one", "aab", "1 of 3 participants have several rows in blood.", id="two are not"),
        pytest.param("at_most_one", "ax", None, id="somebody else's rows do not count"),
        pytest.param("many", "aabbcc", None, id="many"),
    ],
)
def test_rows_for_a_participant(stated: str, people: str, message: str | None) -> None:
    tables = CARDINALITY["tables"]
    mapping = {"tables": {**tables, "blood": {**tables["blood"], "per_participant": stated}}}
    blood = [{"id": person, "week": week, "crp": "1"} for person, week in zip(people, "04" * 3, strict=False)]
    blood.append(dict(blood[0]))  # an exact repeat is one row
    raw = {"people": raw_rows([{"id": person, "age": "40"} for person in "abc"]), "blood": raw_rows(blood, file="b")}
    if message is None:
        standardised(mapping, raw)
        return
    with pytest.raises(EmberError, match=message) as error:
        standardised(mapping, raw)
    assert "sites/s.yaml  blood  per_participant" in str(error.value)


@pytest.mark.parametrize(
    "ages", [pytest.param(("40", "41"), id="both rows left"), pytest.param(("40", ""), id="blank")]
)
def test_rows_for_a_participant_of_the_roster_itself(ages: tuple[str, str]) -> None:
    tables = CARDINALITY["tables"]
    mapping = {"tables": {**tables, "people": {**tables["people"], "per_participant": "one"}}}
    people = [{"id": "a", "age": age} for age in ages] + [{"id": "b", "age": "40"}, {"id": "", "age": "1"}]
    blood = raw_rows([{"id": "b", "week": "0", "crp": "1"}], file="b")
    with pytest.raises(EmberError, match="1 of 2 participants have several rows in people"):
        standardised(mapping, {"people": raw_rows(people), "blood": blood})


@pytest.mark.parametrize(
    ("keep", "used", "left"), [pytest.param("first", "1", [4, 5]), pytest.param("last", "3", [2, 4])]
)
def test_the_study_says_which_of_several_rows_is_kept(keep: str, used: str, left: list[int]) -> None:
    rows = [
        {"id": "a", "week": "0", "crp": crp, "age": age}
        for crp, age in (("1", "40"), ("1", "40"), ("2", "41"), ("3", "42"))
    ]
    site = {
        "visits": {"long": WEEKS},
        "columns": {"age": {"column": "age", "unit": "a"}},
        "measurements": {"hscrp": {"column": "crp", "unit": "mg/L"}},
        "duplicates": {"keep": keep, "reason": "a later row corrects an earlier one"},
        "per_participant": "one",
    }
    result = standardised(site, raw_rows(rows))
    assert result.measurements["value_reported"].to_list() == [used]
    assert result.findings.is_empty()
    resolved = result.ledger.filter(pl.col("rule_id") == "row.duplicate_resolved")
    assert resolved["row_number"].to_list() == left
    assert set(resolved["reason"]) == {"a later row corrects an earlier one"}
    assert account(result, "row") == {"n_in": 4, "n_out": 1, "n_collapsed": 1, "n_excluded": 2}


ENDED: dict[str, Any] = {
    "time_zero": {"column": "zero", "date": DAY},
    "death": {"column": "died", "date": DAY},
    "visits": {"long": WEEKS, "date": {"column": "date", "date": DAY}},
    "measurements": {"hscrp": {"column": "crp", "unit": "mg/L"}},
}


def ended(died: str, dates: tuple[str, ...] = ("2020-01-01", "2020-01-29", "2020-03-25")) -> list[dict[str, str]]:
    return [
        {"id": "a", "week": week, "zero": "2020-01-01", "died": died, "date": date, "crp": "1"}
        for week, date in zip(("0", "4", "12"), dates, strict=True)
    ]


@pytest.mark.parametrize(
    ("died", "day", "left"),
    [
        pytest.param("", None, [], id="alive"),
        pytest.param("2020-03-25", 84, [], id="on the day of the last visit"),
        pytest.param("2020-03-24", 83, [4], id="a day before the last visit"),
        pytest.param("2020-01-02", 1, [3, 4], id="two visits after death"),
    ],
)
def test_no_visit_after_death(died: str, day: int | None, left: list[int]) -> None:
    result = standardised(ENDED, raw_rows(ended(died)))
    assert result.participants["death_day"].to_list() == [day]
    assert listed(result) == [(row, column, "visit.after_death") for row in left for column in ("crp", "date")]
    assert account(result, "value").get("n_quarantined", 0) == 2 * len(left)


def test_a_visit_after_death_does_not_set_the_order() -> None:
    rows = ended("2020-03-26", ("2020-01-01", "2020-03-27", "2020-03-25"))
    result = standardised(ENDED, raw_rows(rows))
    assert result.measurements["visit"].to_list() == ["baseline", "week_12"]


def test_an_unreadable_day_of_death_ends_nothing() -> None:
    result = standardised(ENDED, raw_rows(ended("2020")))
    assert result.participants["death_day"].to_list() == [None]
    assert listed(result) == [(row, "died", "value.date_unreadable") for row in (2, 3, 4)]
    assert set(result.ledger["message"]) == {f"Expected {DAY}."}


def test_two_days_of_death_contradict_each_other() -> None:
    rows = [{**row, "died": died} for row, died in zip(ended(""), ("2020-02-01", "2020-02-02", ""), strict=True)]
    result = standardised(ENDED, raw_rows(rows))
    assert listed(result) == [(2, "died", "value.conflict"), (3, "died", "value.conflict")]
    assert result.measurements.height == 3


def test_a_day_of_death_needs_time_zero() -> None:
    site = {key: value for key, value in ENDED.items() if key != "time_zero"}
    site["visits"] = {"long": WEEKS}
    with pytest.raises(EmberError, match="no time zero"):
        standardised(site, raw_rows(ended("2020-02-01")))


def withdrawn(day: int) -> pl.DataFrame:
    schema = {"participant_id": pl.String, "withdrawn_on": pl.Int32}
    return pl.DataFrame([("a", 18262 + day), ("stranger", 0)], schema=schema, orient="row")  # 18262 is 2020-01-01


def test_no_visit_after_withdrawal() -> None:
    result = standardised(ENDED, raw_rows(ended("2020-01-10")), withdrawn=withdrawn(28))
    assert listed(result) == [
        *((3, column, "visit.after_death") for column in ("crp", "date")),
        *((4, column, "visit.after_withdrawal") for column in ("crp", "date")),
    ]
    values = account(result, "value")
    assert (values["n_quarantined"], values["n_excluded"]) == (2, 2)


def test_withdrawal_without_time_zero_leaves_no_visit() -> None:
    site = {"visits": {"long": WEEKS}, "measurements": ENDED["measurements"]}
    result = standardised(site, raw_rows(ended("")), withdrawn=withdrawn(500))
    assert [entry[2] for entry in listed(result)] == ["visit.after_withdrawal"] * 3
    assert result.participants.height == 1


def test_rows_by_day_end_as_well() -> None:
    site = {**ENDED, "visits": {"by_date": {"column": "date", "date": DAY}}}
    result = standardised(site, raw_rows(ended("2020-02-01")))
    assert listed(result) == [(4, "crp", "visit.after_death")]
    assert result.measurements["study_day"].to_list() == [0, 28]


NAMES = {
    f"sex_names|{name}": {"codelist": "sex_names", "name": name, "code": code, "source": "a test", "verified": "true"}
    for name, code in (("Female", "female"), ("kvinna", "female"), ("man", "male"), ("neutrum", "neuter"))
}


@pytest.mark.parametrize(
    ("text", "sex"),
    [
        pytest.param("FEMALE", "female", id="capitals"),
        pytest.param(" Kvinna ", "female", id="white space"),
        pytest.param("man", "female", id="codes of the site file go before names"),
        pytest.param("Man", "male", id="codes are exact, names are not"),
        pytest.param("neutrum", None, id="a code that the column cannot hold"),
        pytest.param("woman", None, id="no such name"),
    ],
)
def test_names_of_a_codelist(text: str, sex: str | None) -> None:
    column = {"column": "sex", "codelist": "sex_names", "codes": {"man": "female"}}
    site = build_site({"site": "s", "from": "a", "participant": "id", "columns": {"sex": column}})
    registry = Registry({**shared_registry().tables, "codelist_names": NAMES})
    result = standardise_site(study_with(site), site, registry, {"a": raw_rows([{"id": "a", "sex": text}])})
    assert result.participants["sex"].to_list() == [sex]
    assert listed(result) == ([] if sex else [(2, "sex", "value.not_in_codes")])


def test_a_formula_that_fails_takes_out_its_cell() -> None:
    site = {
        "visits": {"single": "baseline"},
        "missing": ["3"],
        "derived": {"bmi": {"formula": "kg / m ^ 2"}, "sum": {"formula": "kg + 1"}},
        "columns": {"bmi": {"column": "bmi", "unit": "kg/m2"}},
        "measurements": {"hscrp": {"column": "sum", "unit": "mg/L"}},
    }
    rows = [
        {"id": person, "kg": kg, "m": m}
        for person, kg, m in (("a", "80", "2"), ("b", "x", "2"), ("c", "80", "0"), ("d", "2", ""))
    ]
    result = standardised(site, raw_rows(rows))
    assert result.participants["bmi"].to_list() == [20.0, None, None, None]
    assert result.measurements["number"].to_list() == [81.0, 81.0, 3.0]  # a computed 3 is not the code 3
    assert listed(result) == [
        (3, "bmi", "value.not_derived"),
        (3, "sum", "value.not_derived"),
        (4, "bmi", "value.not_derived"),
    ]
    assert account(result, "value") == {"n_created": 8, "n_out": 4, "n_quarantined": 3, "n_excluded": 1}
    assert "\x00" not in "".join(result.ledger["message"])
