"""A REDCap export whose dictionary hides a field: completeness from the file to the summary."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl
import pytest

from ember.registry.load import load_study
from ember.reporting.not_asked import hidden_of, remarks
from ember.reporting.raw_columns import read_raw_columns
from ember.reporting.summary_quality import quality
from ember.steps.summarise_sites import site_tables
from ember.tables.store import read_tables
from tests.in_process import harmonise, read, standardise
from tests.unit.cli.tiny_study import tiny_copy

BRANCH = "Branching Logic (Show field only if...)"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The tiny study; at Graz the form asks women only for interleukin-6, and says so in its dictionary."""
    folder = tiny_copy(tmp_path)
    graz = folder / "extracts/graz"
    rows = table(graz / "redcap_export.csv")
    sex = {row["record_id"]: row["sex"] for row in rows if row["redcap_event_name"] == "baseline_arm_1"}
    write(graz / "redcap_export.csv", [row | ({"il6": ""} if sex[row["record_id"]] == "0" else {}) for row in rows])
    branches = {"il6": "[baseline_arm_1][sex] = '1'", "phq9_10": "datediff([visit_date],'today','y') > 1"}
    fields = table(graz / "redcap_dictionary.csv")
    name = next(iter(fields[0]))
    write(graz / "redcap_dictionary.csv", [field | {BRANCH: branches.get(field[name], "")} for field in fields])
    return folder


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    path.write_text(text.getvalue(), encoding="utf-8")


def summary(folder: Path) -> tuple[pl.DataFrame, list[str]]:
    """Run Graz up to its completeness; return that and what is remarked on its branching."""
    study, registry = load_study(str(folder))
    results = folder / "results" / "tiny"
    read(study, folder, results, "graz")
    standardise(study, folder, results, "graz")
    harmonise(folder, results, "graz")
    restricted = results / "restricted"
    hidden = hidden_of(study, restricted / "raw", {"graz": read_raw_columns(restricted / "raw/graz.parquet")})
    ledger = read_tables(sorted((restricted / "ledger").glob("*/*.parquet")), "ledger")
    made = quality(study, registry, {"graz": site_tables(restricted, "graz", history=False)}, ledger, hidden)
    return made, remarks(hidden)


def expected(made: pl.DataFrame, variable: str) -> dict[str, tuple[int, int]]:
    rows = made.filter(pl.col("variable") == variable)
    return {visit: (n, present) for visit, n, present in rows.select("visit", "n_expected", "n_present").iter_rows()}


def test_only_who_saw_the_field_is_expected_to_have_a_value(study: Path) -> None:
    made, said = summary(study)
    men_at_week_12 = len(
        [row for row in table(study / "extracts/graz/redcap_export.csv") if row["redcap_event_name"] == "week_12_arm_1"]
    ) - len(women_at_week_12(study))
    il6 = expected(made, "il6")
    assert il6["baseline"][0] == 30 - 11
    assert il6["week_12"][0] == 30 - men_at_week_12
    assert all(present <= wanted for wanted, present in il6.values())
    # What has no branching is expected of everyone, and so is what has branching that is not read.
    assert {n for variable in ("hscrp", "tnf", "phq9", "age") for n, _ in expected(made, variable).values()} == {30}
    assert said == ["graz: the branching of phq9_10 is not read, so each of its empty cells is missing"]


def women_at_week_12(study: Path) -> list[str]:
    rows = table(study / "extracts/graz/redcap_export.csv")
    women = {row["record_id"] for row in rows if row["sex"] == "1"}
    return [r["record_id"] for r in rows if r["redcap_event_name"] == "week_12_arm_1" and r["record_id"] in women]


def test_a_value_where_the_field_was_hidden_is_remarked_and_counts_as_expected(study: Path) -> None:
    path = study / "extracts/graz/redcap_export.csv"
    rows = table(path)
    man = next(row for row in rows if row["sex"] == "0")
    man["il6"] = "2.5"
    write(path, rows)
    made, said = summary(study)
    assert expected(made, "il6")["baseline"][0] == 30 - 10
    assert "graz: 1 cells of il6 are filled though branching hides the field" in said


def test_without_branching_nothing_changes(study: Path) -> None:
    path = study / "extracts/graz/redcap_dictionary.csv"
    write(path, [field | {BRANCH: ""} for field in table(path)])
    made, said = summary(study)
    assert {n for n, _ in expected(made, "il6").values()} == {30}
    assert said == []
