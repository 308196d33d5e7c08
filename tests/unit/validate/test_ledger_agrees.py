"""The gates and the ledger count the same on the same dirty extract, rule by rule."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ember.registry.load import load_study
from ember.validate.expectations import run_gates, run_raw_gate
from ember.validate.gate_files import site_loader
from tests.in_process import read, standardise

TINY = Path(__file__).parents[2] / "data" / "tiny"
EXPORT = "extracts/graz/redcap_export.csv"
Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Dirty:
    """What the gates and the ledger say of the site graz."""

    gates: pl.DataFrame
    ledger: pl.DataFrame

    def failed(self, *endings: str) -> int:
        found = self.gates.filter(pl.any_horizontal(pl.col("rule").str.ends_with(ending) for ending in endings))
        assert found.height, endings
        return int(found["n_failed"].sum())

    def listed(self, rule: str, *columns: str) -> int:
        found = self.ledger.filter(pl.col("rule_id") == rule)
        return found.filter(pl.col("column").is_in(columns)).height if columns else found.height


def soil(rows: Rows) -> None:
    """Put one fault of each kind into rows of different participants."""
    first = {row["record_id"]: row for row in rows if row["redcap_event_name"] == "baseline_arm_1"}
    later = {row["record_id"]: row for row in rows if row["redcap_event_name"] == "week_4_arm_1"}
    ids = [name for name in first if name in later]
    first[ids[0]]["crp"] = "n.d."
    first[ids[1]]["il6"] = "1,5"
    first[ids[2]]["phq9_1"] = "x"
    first[ids[2]]["phq9_2"] = "+1"
    first[ids[3]]["age"] = "abc"
    first[ids[4]]["sex"] = "7"
    first[ids[5]]["smoker"] = "yes"
    first[ids[6]]["rand_group"] = "esc"
    first[ids[7]]["age"] = "150"
    first[ids[8]]["bmi"] = "9.99"
    later[ids[9]]["visit_date"] = "2024-13-01"
    first[ids[10]]["rand_date"] = "soon"
    later[ids[11]]["visit_date"] = later[ids[11]]["visit_date"].replace("2024-", "2026-").replace("2025-", "2026-")
    first[ids[12]]["bmi"] = "-9"
    rows.append({**first[ids[13]], "crp": "20.5"})
    rows.append(dict(first[ids[14]]))
    rows.append({**first[ids[15]], "record_id": " ", "crp": "dirt of nobody", "sex": "8"})
    rows.append({**first[ids[16]], "redcap_event_name": "week_99_arm_1", "crp": "dirt of no visit"})


@pytest.fixture(scope="module")
def dirty(tmp_path_factory: pytest.TempPathFactory) -> Dirty:
    return checked(tmp_path_factory.mktemp("dirty"), soil)


def checked(folder: Path, change: Callable[[Rows], None]) -> Dirty:
    """Run reading, standardising and the gate on the tiny study with a changed extract."""
    study_folder = folder / "study"
    shutil.copytree(TINY, study_folder)
    with (study_folder / EXPORT).open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    names = list(rows[0])
    change(rows)
    with (study_folder / EXPORT).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    study, registry = load_study(str(study_folder))
    results = study_folder / "results" / study.id
    raw = {source: results / f"restricted/raw/{source}.parquet" for source in study.sources}
    for source in raw:
        read(study, study_folder, results, source)
    for site in study.sites:
        standardise(study, study_folder, results, site)
    gates = pl.concat(
        [
            run_raw_gate(raw, study, registry),
            run_gates("standardised", site_loader(results / "restricted", "standardised"), study, registry),
        ]
    )
    ledger = pl.read_parquet(results / "restricted/ledger/graz/standardise_site.parquet")
    return Dirty(gates.filter(pl.col("site") == "graz"), ledger)


@pytest.mark.parametrize(
    ("endings", "rule", "columns", "n"),
    [
        pytest.param([".number"], "value.not_numeric", [], 5, id="not a number"),
        pytest.param([".codes"], "value.not_in_codes", [], 3, id="outside the codebook"),
        pytest.param(["raw.age.range", "raw.bmi.range"], "value.outside_hard_limits", [], 2, id="impossible value"),
        pytest.param([".date"], "visit.date_unreadable", ["visit_date", "rand_date"], 2, id="unreadable date"),
        pytest.param(["raw.rows.participant"], "row.no_participant", [], 1, id="no participant"),
        pytest.param(["raw.rows.visit"], "row.unknown_visit", [], 1, id="unknown visit"),
    ],
)
def test_the_gate_counts_what_the_ledger_lists(
    dirty: Dirty, endings: list[str], rule: str, columns: list[str], n: int
) -> None:
    names = [ending for ending in endings if not ending.startswith(".")]
    raw = Dirty(dirty.gates.filter(pl.col("stage") == "raw"), dirty.ledger)
    if endings == [".number"]:
        raw = Dirty(raw.gates.filter(pl.col("rule") != "raw.rows.number"), raw.ledger)
    assert raw.failed(*(names or endings)) == dirty.listed(rule, *columns) == n


def test_repeated_rows(dirty: Dirty) -> None:
    """The gate counts all rows of a repeated key; of an exact pair the ledger lists the later one."""
    conflicts, exact = dirty.listed("row.duplicate_conflict"), dirty.listed("row.duplicate_exact")
    assert (conflicts, exact) == (2, 1)
    assert dirty.failed("raw.rows.once") == conflicts + 2 * exact


def test_visit_windows(dirty: Dirty) -> None:
    windows = dirty.gates.filter(pl.col("rule").str.starts_with("visits.study_day.window."))
    assert windows["n_failed"].sum() == dirty.listed("visit.outside_window") > 0


def test_missing_codes_are_neither_errors_nor_values(dirty: Dirty, tmp_path: Path) -> None:
    clean = checked(tmp_path, lambda rows: None)
    more = dirty.listed("value.missing_code", "bmi") - clean.listed("value.missing_code", "bmi")
    bmi = [found.gates.filter(pl.col("rule") == "raw.bmi.filled") for found in (dirty, clean)]
    # Besides the code: an empty cell more or less in the rows that were added.
    share = [frame["n_checked"][0] - frame["n_failed"][0] for frame in bmi]
    assert more == 1 and share == [clean_values(clean) + 2 - 1, clean_values(clean)]
    assert clean.gates.filter((pl.col("severity") == "error") & ~pl.col("passed")).is_empty()


def clean_values(clean: Dirty) -> int:
    row = clean.gates.filter(pl.col("rule") == "raw.bmi.number").row(0, named=True)
    assert row["n_failed"] == 0
    return int(row["n_checked"])


@pytest.mark.parametrize(
    ("column", "cell", "rule"),
    [
        pytest.param("crp", "", "raw.hscrp.some_value", id="empty"),
        pytest.param("crp", "-9", "raw.hscrp.some_value", id="missing codes only"),
        pytest.param("il6", "1,5", "raw.il6.some_readable", id="another decimal mark"),
        pytest.param("sex", "w", "raw.sex.some_readable", id="another codebook"),
        pytest.param("visit_date", "03.06.2024", "raw.visit_date.some_readable", id="another order of dates"),
    ],
)
def test_a_column_of_which_nothing_can_be_used_is_an_error(column: str, cell: str, rule: str, tmp_path: Path) -> None:
    def empty(rows: list[dict[str, Any]]) -> None:
        for row in rows:
            row[column] = cell

    failed = checked(tmp_path, empty).gates.filter((pl.col("severity") == "error") & ~pl.col("passed"))
    assert failed.filter(pl.col("stage") == "raw").select("rule", "n_failed", "unit").rows() == [(rule, 1, "column")]


def test_counts_do_not_depend_on_the_size_of_row_groups(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dirty: Dirty
) -> None:
    monkeypatch.setattr("ember.extract.raw_file.ROW_GROUP", 7)
    monkeypatch.setattr("ember.validate.expectations.BATCH_ROWS", 50)
    assert checked(tmp_path, soil).gates.equals(dirty.gates)
