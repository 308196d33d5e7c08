"""`ember describe`: the end of a run in a few lines, one line where nothing was done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ember.cli.describe import describe, findings_text, time_text
from ember.errors import EmberError
from ember.tables.contract import contract
from ember.tables.store import polars_schema, write_frame, write_json, write_table
from tests.unit.registry.study_folder import change

Printed = pytest.CaptureFixture[str]
ACCOUNTS = [
    ("north", "read_source", "row", 30, 0, 30, 0, 0, 0),
    ("", "read_source", "row", 2, 0, 0, 0, 1, 1),
    ("south", "read_source", "row", 20, 0, 20, 0, 0, 0),
    ("north", "standardise_site", "row", 30, 0, 27, 2, 1, 0),
    ("south", "standardise_site", "row", 20, 0, 20, 0, 0, 0),
    ("north", "standardise_site", "value", 0, 900, 800, 0, 4, 96),
    ("north", "harmonise_site", "value", 800, 20, 310, 500, 3, 7),
    ("north", "standardise_site", "participant", 0, 14, 14, 0, 0, 0),
    ("south", "standardise_site", "participant", 0, 20, 20, 0, 0, 0),
    ("north", "harmonise_site", "participant", 14, 0, 14, 0, 0, 0),
]


def estimate(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = dict.fromkeys(contract("estimates").names)
    row |= {
        "analysis": "course", "model_id": "pooled", "estimand": "association", "population": "everyone",
        "outcome": "severity (points)", "exposure": "hscrp", "exposure_scale": "log2", "term": "exposure",
        "level": "one_stage", "adjustment": "age, sex", "missing_data_method": "complete_cases", "scale": "points",
        "estimate": -0.124, "std_error": 0.04, "conf_low": -0.21, "conf_high": -0.03, "n_sites": 2,
        "converged": True, "note": "", "plan_hash": "x",
    }  # fmt: skip
    return row | changes


@pytest.fixture
def results(study: Path) -> Path:
    """Write what a run leaves behind."""
    folder = study / "results" / "trial"
    accounting = pl.DataFrame(ACCOUNTS, schema=contract("accounting").names, orient="row")
    write_table(accounting, folder / "checks" / "accounting.csv", "accounting")
    found = pl.DataFrame(
        [
            ("unit:north:hscrp:all", "error", True), ("x:north:a", "warning", False), ("x:south:a", "warning", False),
        ],
        schema=["finding", "severity", "answered"], orient="row",
    )  # fmt: skip
    write_frame(found, folder / "aggregate" / "findings.csv")
    write_estimates(folder, [estimate(term="age", estimate=9.0), estimate()])
    write_json({"version": "1-0123456789ab"}, folder / "release" / "version.json")
    return folder


def write_estimates(folder: Path, rows: list[dict[str, Any]]) -> None:
    frame = pl.DataFrame(rows, schema=polars_schema("estimates"), orient="row")
    write_table(frame, folder / "aggregate" / "estimates.parquet", "estimates")


def test_the_end_of_a_run(study: Path, results: Path, capsys: Printed) -> None:
    report = study / "reports" / "trial" / "1-0123456789ab"
    report.mkdir(parents=True)
    for name in ("report.html", "report.pdf"):
        (report / name).touch()
    assert describe(str(study)) == 0
    assert capsys.readouterr().out.splitlines() == [
        "trial 1-0123456789ab  2 sites, 34 participants, 310 values",
        "  rows      52 in = 47 kept + 2 collapsed + 2 quarantined + 1 excluded",
        "  values    920 in = 310 kept + 500 joined + 7 quarantined + 103 empty or excluded"
        "      ledger: results/trial/restricted/ledger",
        "  findings  1 error answered (unit:north:hscrp:all), 2 warnings",
        "  answer    Difference per doubling of hsCRP: −0.12 points (95 % −0.21 to −0.03; 2 sites)",
        "  report    reports/trial/1-0123456789ab/report.html   report.pdf",
    ]


def test_nothing_to_do_is_one_line(study: Path, results: Path, capsys: Printed) -> None:
    assert describe(str(study), unchanged=True) == 0
    assert capsys.readouterr().out == "trial: nothing to do; 1-0123456789ab stands.\n"


def test_a_report_that_was_not_published_is_not_named(study: Path, results: Path, capsys: Printed) -> None:
    describe(str(study))
    assert capsys.readouterr().out.splitlines()[-1] == "  report    not published"


def test_the_time_it_took(study: Path, results: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ember.cli.describe.time.time", lambda: 1041.4)
    describe(str(study), started=1000.0)
    assert capsys.readouterr().out.splitlines()[0].endswith("values in 41 s")


def test_an_excluded_site_is_not_counted(study: Path, results: Path, capsys: Printed) -> None:
    change(study, "study.yaml", "seed: 1", "seed: 1\nexclude_sites: [{site: south, reason: no contract}]")
    describe(str(study))
    assert "  1 site, " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"estimate": None, "conf_low": None, "conf_high": None, "note": "withheld: disclosure"},
                     "Difference per doubling of hsCRP: withheld: disclosure", id="withheld"),
        pytest.param({"conf_low": None, "conf_high": None, "n_sites": None},
                     "Difference per doubling of hsCRP: −0.12 points", id="no-interval"),
        pytest.param({"pred_low": -0.31, "pred_high": 0.07, "level": "two_stage"},
                     "Difference per doubling of hsCRP: −0.12 points (95 % −0.21 to −0.03; "
                     "prediction −0.31 to 0.07; 2 sites)", id="prediction"),
        pytest.param({"estimate": 0.0, "conf_low": -0.1, "conf_high": 0.1, "scale": "log_odds_ratio", "n_sites": 1},
                     "Odds ratio per doubling of hsCRP: 1.00 (95 % 0.90 to 1.11; 1 site)", id="ratio"),
    ],
)  # fmt: skip
def test_the_answer(study: Path, results: Path, capsys: Printed, changes: dict[str, Any], expected: str) -> None:
    write_estimates(results, [estimate(**changes)])
    describe(str(study))
    assert capsys.readouterr().out.splitlines()[4] == f"  answer    {expected}"


def test_a_study_that_was_never_run(study: Path) -> None:
    with pytest.raises(EmberError, match="has not been run to its end"):
        describe(str(study))


def test_a_study_that_cannot_be_read(study: Path) -> None:
    (study / "study.yaml").write_text("study: trial\n", encoding="utf-8")
    with pytest.raises(EmberError, match="ember check"):
        describe(str(study))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param([], "none", id="none"),
        pytest.param([("a:b", "error", "false")], "1 error not answered", id="open-error"),
        pytest.param([("a:b", "error", "true"), ("c:d", "error", "true"), ("e:f", "information", "false")],
                     "2 errors answered (a:b, c:d)", id="answered"),
        pytest.param([("a:b", "warning", "false")], "1 warning", id="warning"),
    ],
)  # fmt: skip
def test_findings(lines: list[tuple[str, str, str]], expected: str) -> None:
    rows = [dict(zip(("finding", "severity", "answered"), line, strict=True)) for line in lines]
    assert findings_text(rows) == expected


def test_the_longest_rules_come_first(tmp_path: Path) -> None:
    for rule, job, seconds in (("fit", "a", 1.0), ("fit", "b", 2.0), ("read", "a", 0.5)):
        path = tmp_path / rule / f"{job}.tsv"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"s\th:m:s\n{seconds}\t0:00:01\n", encoding="utf-8")
    assert time_text(tmp_path) == "fit 3.0 s, read 0.5 s"
    assert time_text(tmp_path, most=1) == "fit 3.0 s, the rest 0.5 s"
    assert time_text(tmp_path / "absent") == "not recorded"
