"""Every way of bringing data in, in one study: its accounts, what runs again, what leaves the restricted folder."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from tests.workflow.conftest import Workspace, new_workspace
from tests.workflow.whole_study import CANARY, plant

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group(name="workflow")]

REPORTING = {
    "summarise_sites",
    "protect_results",
    "identify_release",
    "render_report",
    "write_manifest",
    "publish_report",
}
READING = {"collect_consent", "read_source", "standardise_site", "harmonise_site"}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("keys") / "key"
    path.write_bytes(b"\1" * 32)
    path.chmod(0o600)
    return str(path)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, key: str) -> Workspace:
    """The study with everything, run to its end; what the console said is kept."""
    workspace = new_workspace(tmp_path_factory.mktemp("whole"))
    plant(workspace)
    run = workspace.snakemake(EMBER_KEY_FILE=key)
    assert run.status == 0, run.output
    (workspace.results / "console.txt").write_text(run.output, encoding="utf-8")
    return workspace


def accounts(workspace: Workspace) -> dict[tuple[str, str, str], dict[str, int]]:
    with (workspace.results / "checks" / "accounting.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    return {
        (row["site"], row["stage"], row["unit"]): {name: int(row[name]) for name in row if name.startswith("n_")}
        for row in rows
    }


def test_identity_and_chain_hold_over_everything(whole: Workspace) -> None:
    told = accounts(whole)
    for place, n in told.items():
        assert n["n_in"] + n["n_created"] == sum(
            n[name] for name in ("n_out", "n_collapsed", "n_quarantined", "n_excluded")
        ), place
    for site in ("porto", "graz"):
        for unit in ("value", "participant"):
            before, after = (told[site, f"{step}_site", unit] for step in ("standardise", "harmonise"))
            assert before["n_out"] == after["n_in"]
        assert told[site, "read_source", "row"]["n_out"] == told[site, "standardise_site", "row"]["n_in"]
        # One refused, one did not answer, one was erased; the one who keeps the data up to a day stays.
        left = {"porto": 30, "graz": 29}[site] - 3
        assert told[site, "standardise_site", "participant"]["n_out"] == left


def test_each_new_path_has_its_rule(whole: Workspace) -> None:
    files = sorted((whole.results / "restricted" / "ledger").rglob("*.parquet"))
    found = set(pl.concat([pl.read_parquet(path) for path in files])["rule_id"])
    expected = {
        "consent.refused", "consent.unknown", "consent.erased", "row.no_partner", "value.corrected",
        "value.not_derived", "row.duplicate_resolved", "row.unknown_analyte", "value.unit_unknown",
        "value.operator_unclear", "value.specimen_unknown", "treatment.unknown", "value.not_in_codes",
        "value.not_numeric", "visit.date_unreadable", "treatment.unread",
    }  # fmt: skip
    assert expected <= found


def test_every_participant_has_one_line_of_history(whole: Workspace) -> None:
    told, found = accounts(whole), {}
    for site in ("porto", "graz"):
        harmonised = whole.results / "restricted" / "harmonised" / site
        history, people = (pl.read_parquet(harmonised / f"{name}.parquet") for name in ("history", "participants"))
        assert history["participant_id"].to_list() == people["participant_id"].to_list()
        assert told[site, "history:treatment", "participant"]["n_out"] == people.height
        found[site] = history
    assert set(found["graz"]["trd"]) == {"yes", "no", "indeterminate"}
    assert set(found["porto"]["trd"]) == {"indeterminate"}  # no list of treatments
    assert set(found["graz"]["dtd"]) == {"yes", "no", "indeterminate"}
    assert set(found["porto"]["dtd"]) == {"indeterminate"}
    pairs = set(found["graz"].select("trd", "dtd").rows())
    assert {("yes", "yes"), ("no", "yes"), ("yes", "no"), ("no", "no")} <= pairs
    assert {"mild", "moderate"} & set(found["graz"]["msm_band"])


def test_the_report_counts_histories_and_says_whose_rule_it_is(whole: Workspace) -> None:
    counted = pl.read_csv(whole.results / "aggregate" / "history.csv", infer_schema=False)
    assert set(counted["variable"]) == {"trd", "msm_band", "dtd", "anti_inflammatory_before_sample"}
    page = (whole.results / "release" / "report" / "report.html").read_text(encoding="utf-8")
    assert "study-defined, not validated" in page and "Treatment-resistant depression" in page


@pytest.mark.parametrize(
    ("file", "old", "new", "jobs", "at_rest"),
    [
        pytest.param("study.yaml", "study: tiny", "study: tiny", set(), READING | REPORTING, id="nothing"),
        pytest.param("decisions.csv", "again by mistake", "twice", REPORTING, READING, id="a decision"),
        pytest.param("study.yaml", "[baseline]\n", "[week_4]\n", REPORTING, READING, id="locked visits"),
        pytest.param(
            "study.yaml", "days_apart: 21", "days_apart: 28", {"derive_history", *REPORTING}, READING, id="rule of DTD"
        ),
        pytest.param("study.yaml", 'version: "2"', 'version: "3"', set(), READING, id="version of an extract"),
        pytest.param("study.yaml", "biomarkers, sharing]", "biomarkers]", READING, set(), id="required consent"),
        pytest.param("extracts/graz/corrections.csv", "Typing", "Reading", READING, set(), id="a correction"),
        pytest.param("extracts/porto/consent.csv", ",1,1,", ",0,1,", READING, set(), id="an answer"),
        pytest.param("extracts/graz/people.csv", ",1,1,", ",0,1,", READING, set(), id="an answer that is joined"),
    ],
)
def test_what_changes_decides_what_runs_again(
    whole: Workspace, key: str, file: str, old: str, new: str, jobs: set[str], at_rest: set[str]
) -> None:
    path = whole.study / file
    text, times = path.read_text(encoding="utf-8"), (path.stat().st_atime_ns, path.stat().st_mtime_ns)
    assert old in text
    try:
        if new != old:
            path.write_text(text.replace(old, new, 1), encoding="utf-8")
        run = whole.snakemake("--dry-run", EMBER_KEY_FILE=key)
    finally:
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=times)
    assert run.status == 0, run.output
    assert jobs <= set(run.jobs) and not at_rest & set(run.jobs), run.jobs


def ember(workspace: Workspace, key: str, *words: str) -> subprocess.CompletedProcess[str]:
    settings = {**os.environ, "EMBER_KEY_FILE": key, "PYTHONPATH": str(workspace.project / "scripts")}
    command = [sys.executable, "-m", "ember.cli.main", *words]
    return subprocess.run(command, cwd=workspace.project, env=settings, text=True, capture_output=True, check=False)


def test_no_text_of_a_participant_is_told_outside_the_restricted_folder(
    whole: Workspace, key: str, tmp_path: Path
) -> None:
    study = str(whole.study)
    commands = {
        "check": ("check", study),
        "describe": ("describe", study),
        "extracts": ("extracts", study),
        "queries": ("queries", study, "--site", "graz"),
        "freeze": ("freeze", study, "A"),
        "init": ("init", str(tmp_path / "draft"), str(whole.study / "extracts" / "graz" / "people.csv")),
        "init lab": ("init", str(tmp_path / "draft2"), str(whole.study / "extracts" / "graz" / "redcap_export.csv")),
    }
    told = {name: ember(whole, key, *words) for name, words in commands.items()}
    assert {name: done.returncode for name, done in told.items() if done.returncode} == {"extracts": 1}
    for name, done in told.items():
        (tmp_path / f"{name}.txt").write_text(done.stdout + done.stderr, encoding="utf-8")
    restricted = whole.results / "restricted"
    people = pl.concat(
        [pl.read_parquet(restricted / f"harmonised/{site}/participants.parquet") for site in ("porto", "graz")]
    )["participant_id"]
    forbidden = [text.encode() for text in (CANARY, "9.8765", "0,98765", *people)]
    folders = [whole.results, whole.study / "reports", whole.study / ".snakemake", whole.study / "freezes", tmp_path]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    outside = [path for path in files if restricted not in path.parents]
    assert len(outside) > 80
    for path in outside:
        content = path.read_bytes()
        assert not [word for word in forbidden if word in content], path


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        pytest.param("extracts/graz/corrections.csv", ",il6,", ",tnf,", "no longer what it expects", id="correction"),
        pytest.param("extracts/graz/people.csv", f"{CANARY}-001,", f"{CANARY}-000,", "more than one row", id="join"),
        pytest.param("extracts/graz/redcap_export.csv", f"{CANARY}-remark", f'"{CANARY}', "not closed", id="quote"),
        pytest.param("study.yaml", "header_row: 0", "header_row: 2", "looks like a row of data", id="header"),
    ],
)
def test_a_job_that_fails_tells_no_text_of_a_participant(
    whole: Workspace, key: str, tmp_path: Path, file: str, old: str, new: str, said: str
) -> None:
    failing = whole.without_results(tmp_path)
    path = failing.study / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    text = text.replace(old, new, 1)
    if file == "study.yaml":
        text = "\n".join(line for line in text.split("\n") if not line.startswith("    names:"))
    path.write_text(text, encoding="utf-8")
    run = failing.snakemake("--keep-going", EMBER_KEY_FILE=key)
    assert run.status != 0
    assert said in run.output
    assert CANARY not in run.output
    logs = [path for path in (failing.study / "results").rglob("*.log") if CANARY in path.read_text(encoding="utf-8")]
    assert logs == []
