"""The shipped demonstration: estimates lie near the known truth, and its planted unit error stops it until answered."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from ember.errors import EmberError
from ember.steps import pass_gates
from ember.tables.store import empty_table, write_table
from tests.in_process import call, run_stages

PROJECT = Path(__file__).parents[2]
FINDING = "unit:porto:hscrp:L3"


def demo_copy(folder: Path) -> Path:
    study = folder / "study"
    shutil.copytree(PROJECT / "config" / "studies" / "demo", study)
    shutil.copytree(PROJECT / "resources" / "demo", study / "extracts")
    file = study / "study.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("folder: resources/demo", "folder: extracts"), "utf-8")
    return study


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run_stages(demo_copy(tmp_path_factory.mktemp("demo")))[1]


@pytest.fixture(scope="module")
def truth() -> dict[str, dict[str, dict[str, float]]]:
    return json.loads((PROJECT / "resources" / "demo" / "truth.json").read_text(encoding="utf-8"))["pooled"]


@pytest.mark.parametrize(
    ("analysis", "term", "name"),
    [
        pytest.param("moderation", "treatment:exposure", "treatment:exposure", id="interaction"),
        pytest.param("moderation", "treatment", "treatment", id="treatment"),
        pytest.param("moderation", "exposure", "exposure", id="exposure"),
        pytest.param("response", "treatment:exposure", "log_odds_ratio_treatment:exposure", id="log odds ratio"),
        pytest.param("response", "risk_difference", "risk_difference", id="risk difference"),
        pytest.param("response", "risk_active", "risk_active", id="risk, active arm"),
        pytest.param("response", "risk_reference", "risk_reference", id="risk, reference arm"),
    ],
)
def test_estimates_lie_within_three_standard_errors_of_the_truth(
    results: Path, truth: dict[str, dict[str, dict[str, float]]], analysis: str, term: str, name: str
) -> None:
    rows = pl.read_parquet(results / f"restricted/fits/{analysis}/estimates.parquet")
    pooled = rows.filter(pl.col("term") == term, pl.col("level") != "site").to_dicts()
    assert {row["level"] for row in pooled} == {"two_stage", "one_stage"}
    for row in pooled:
        assert abs(row["estimate"] - truth[analysis][name]["value"]) < 3 * row["std_error"]


def test_the_mislabelled_batch_stops_the_run_until_it_is_answered(tmp_path: Path) -> None:
    study = demo_copy(tmp_path)
    file = study / "study.yaml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text[: text.index("findings:")], encoding="utf-8")
    _, results = run_stages(study)
    findings = sorted((results / "checks/findings").glob("*/harmonise_site.csv"))
    write_table(empty_table("gates"), results / "gates.csv", "gates")
    with pytest.raises(EmberError) as stopped:
        call(
            pass_gates,
            study,
            stage="harmonised",
            gates=[results / "gates.csv"],
            findings=findings,
            passed=results / "passed",
        )
    said = str(stopped.value)
    assert FINDING in said and "findings:" in said and "results/demo/restricted/ledger/porto/harmonise_site" in said
    assert not (results / "passed").exists()
    verdict = pl.concat([pl.read_csv(path, infer_schema=False) for path in findings])
    assert verdict["finding"].to_list() == [FINDING]


def test_an_answered_finding_lets_the_run_go_on_and_keeps_the_reason(results: Path) -> None:
    findings = pl.read_csv(results / "checks/findings/porto/harmonise_site.csv", infer_schema=False)
    assert findings.select("finding", "answered", "action").rows() == [(FINDING, "true", "exclude")]
    ledger = pl.read_parquet(results / "restricted/ledger/porto/harmonise_site.parquet")
    excluded = ledger.filter(pl.col("rule_id") == "value.finding_excluded")
    assert excluded.height == 85
    assert "laboratory confirmed" in excluded["reason"][0]
