"""Results of the CDISC pilot trial, placed by their dates, against the study days that the file states itself."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Mapping
from typing import Any

from tests.real_data import real_file
from tests.unit.harmonise.standard_study import VISITS, account, raw_rows, standardised

TESTS = {"WBC": "wbc", "LYM": "lymphocytes", "MONO": "monocytes", "PLAT": "platelets"}
PEOPLE = {
    "participant": "USUBJID",
    "time_zero": {"column": "RFSTDTC", "date": "iso"},
    "death": {"column": "DTHDTC", "date": "iso"},
    "missing": ["NA"],
    "columns": {"age": {"column": "AGE", "unit": "a"}},
    "per_participant": "one",
}
# The pilot has no day 0: day 1 is the day of time zero, day -1 the day before.
WITHOUT_DAY_0 = {"study_day": {"formula": "if(LBDY > 0, LBDY - 1, LBDY)"}}


def rows_of(name: str) -> list[dict[str, str]]:
    path = real_file(f"cdisc_lb/{name}")
    content = path.read_bytes()
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text)))


def laboratory(visits: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    mapping = {
        "analyte": {"column": "LBTESTCD", "codes": TESTS},
        "value": "LBORRES",
        "unit": {"column": "LBORRESU", "codes": {"THOU/uL": "10*3/uL"}},
    }
    return {"participant": "USUBJID", "visits": visits, "laboratory": mapping, **more}


def visit_of(day: int) -> str | None:
    return next((visit.id for visit in VISITS if visit.first <= day <= visit.last), None)


def test_results_of_a_trial_are_placed_by_their_dates() -> None:
    people, results = rows_of("dm.csv"), [row for row in rows_of("lb.csv.gz") if row["LBTESTCD"] in TESTS]
    raw = {"people": raw_rows(people, "USUBJID", "dm.csv"), "lab": raw_rows(results, "USUBJID", "lb.csv")}
    by_date = laboratory({"by_date": {"column": "LBDTC", "date": "iso"}})
    by_day = laboratory({"by_day": {"column": "study_day"}}, derived=WITHOUT_DAY_0)
    found = standardised({"tables": {"people": PEOPLE, "lab": by_date}}, raw)
    again = standardised({"tables": {"people": PEOPLE, "lab": by_day}}, raw)
    assert found.measurements.equals(again.measurements)
    assert found.accounts == again.accounts

    planned = {visit.id: visit.day for visit in VISITS}
    nearest: dict[tuple[str, str, str], tuple[int, int, str]] = {}
    n_outside = 0
    for row in results:
        day = int(row["LBDY"]) - (int(row["LBDY"]) > 0)
        visit = visit_of(day)
        n_outside += visit is None
        if visit is not None and row["LBORRES"].strip():
            key = (row["USUBJID"], visit, TESTS[row["LBTESTCD"]])
            nearest[key] = min(nearest.get(key, (10**6, 0, "")), (abs(day - planned[visit]), day, row["LBORRES"]))
    shown = found.measurements.select("participant_id", "visit", "analyte", "study_day", "value_reported").rows()
    assert len(shown) == len(nearest) > 500
    assert {(person, visit, analyte): (day, text) for person, visit, analyte, day, text in shown} == {
        key: (day, text) for key, (_, day, text) in nearest.items()
    }
    rules = found.ledger["rule_id"].value_counts(sort=True).rows()
    assert dict(rules)["row.outside_windows"] == n_outside > 500
    assert account(found, "row")["n_in"] == len(people) + len(results)


def test_days_of_death_of_a_trial() -> None:
    people = rows_of("dm.csv")
    table = {key: value for key, value in PEOPLE.items() if key != "participant"}
    found = standardised(
        {"from": "a", "participant": "USUBJID", **table}, raw_rows(people, "USUBJID", "dm.csv")
    ).participants
    died = found.drop_nulls("death_day").select("participant_id", "death_day").rows()
    assert [day for _, day in died] == [60, 174]  # 2012-11-15 to 2013-01-14 and 2014-05-11 to 2014-11-01
    assert {person for person, _ in died} == {row["USUBJID"] for row in people if row["DTHDTC"] != "NA"}
