"""The tiny study from end to end: accounting, tiers, determinism, and what leaves the restricted folder."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.workflow.conftest import Workspace, new_workspace

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group(name="workflow")]

RUN_RECORDS = {"run.json", "ro-crate-metadata.json", "SHA256SUMS"}


def digests(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in RUN_RECORDS)
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def only_version(workspace: Workspace) -> Path:
    (version,) = workspace.versions
    return version


def test_the_report_is_published(finished: Workspace) -> None:
    version = only_version(finished)
    names = {path.name for path in version.iterdir()}
    assert {"report.html", "report.pdf", "estimates.csv", "manifest.json", "run.json", "SHA256SUMS"} <= names
    assert re.fullmatch(r"[A-Za-z0-9._]+-[0-9a-f]{12}", version.name)
    assert version.name in (version.parent / "index.html").read_text(encoding="utf-8")


def test_the_accounting_identity_holds_in_every_line(finished: Workspace) -> None:
    with (finished.results / "checks" / "accounting.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["unit"] for row in rows} == {"row", "value", "participant"}
    for row in rows:
        came = int(row["n_in"]) + int(row["n_created"])
        went = sum(int(row[key]) for key in ("n_out", "n_collapsed", "n_quarantined", "n_excluded"))
        assert came == went, row


def test_the_ledger_counts_what_the_accounting_counts(finished: Workspace) -> None:
    with (finished.results / "checks" / "accounting.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    for site in ("porto", "graz"):
        for stage in ("standardise_site", "harmonise_site"):
            ledger = pl.read_parquet(finished.results / "restricted" / "ledger" / site / f"{stage}.parquet")
            listed = ledger.filter(pl.col("action") == "quarantined", pl.col("unit") == "value").height
            (line,) = [r for r in rows if (r["site"], r["stage"], r["unit"]) == (site, stage, "value")]
            assert int(line["n_quarantined"]) == listed


def test_report_and_release_jobs_read_the_aggregate_tier_only(finished: Workspace) -> None:
    run = finished.snakemake("--detailed-summary")
    assert run.status == 0, run.output
    lines = [line.split("\t") for line in run.output.splitlines() if line.count("\t") >= 6]
    header, jobs = lines[0], lines[1:]
    rule, inputs = header.index("rule"), header.index("input-file(s)")
    seen = {}
    for job in jobs:
        if job[rule] in {"identify_release", "render_report", "write_manifest", "publish_report"}:
            seen.setdefault(job[rule], set()).update(job[inputs].split(","))
    assert set(seen) == {"identify_release", "render_report", "write_manifest", "publish_report"}
    allowed = ("results/tiny/aggregate/", "results/tiny/release/")
    for name, files in seen.items():
        assert files and all(file.startswith(allowed) for file in files), (name, files)


def test_the_manifest_tells_of_the_inputs_what_their_protected_table_tells(finished: Workspace) -> None:
    manifest = json.loads((only_version(finished) / "manifest.json").read_text(encoding="utf-8"))
    with (finished.results / "aggregate" / "inputs.csv").open(encoding="utf-8") as lines:
        assert manifest["version"]["input_records"] == list(csv.DictReader(lines))


def test_cores_and_hash_seed_do_not_change_a_byte(finished: Workspace, tmp_path: Path) -> None:
    other = finished.without_results(tmp_path)
    run = other.snakemake(cores=1, PYTHONHASHSEED="4321")
    assert run.status == 0, run.output
    assert only_version(other).name == only_version(finished).name
    assert digests(only_version(other)) == digests(only_version(finished))
    assert digests(other.results / "aggregate") == digests(finished.results / "aggregate")


@pytest.fixture(scope="module")
def restricted_runs(tmp_path_factory: pytest.TempPathFactory) -> list[Workspace]:
    """The tiny study as a restricted one, with canaries planted, under two keys; what the console said is kept."""
    runs = []
    for number in (1, 2):
        folder = tmp_path_factory.mktemp(f"key{number}")
        workspace = new_workspace(folder)
        study = workspace.study / "study.yaml"
        study.write_text(
            study.read_text(encoding="utf-8").replace("privacy: synthetic", "privacy: restricted"), encoding="utf-8"
        )
        plant_canaries(workspace)
        key = tmp_path_factory.mktemp(f"keys{number}") / "key"
        key.write_bytes(bytes([number]) * 32)
        key.chmod(0o600)
        run = workspace.snakemake(EMBER_KEY_FILE=str(key))
        assert run.status == 0, run.output
        (workspace.results / "console.txt").write_text(run.output, encoding="utf-8")
        runs.append(workspace)
    return runs


CANARIES = ("KANARIE", "987654.25", "9.8765")


def plant_canaries(workspace: Workspace) -> None:
    """Give one participant a telling identifier, one an impossible value and one a telling result."""
    extract = workspace.study / "extracts" / "porto" / "estudo.csv"
    lines = extract.read_text(encoding="latin-1").split("\n")
    header = lines[0].rstrip("\r").split(";")
    for row, (column, value) in enumerate([("PATID", "KANARIE"), ("IMC", "987654,25"), ("PCR_V0", "0,98765")], start=5):
        cells = lines[row].split(";")
        cells[header.index(column)] = value
        lines[row] = ";".join(cells)
    extract.write_text("\n".join(lines), encoding="latin-1")


def test_two_keys_give_the_same_report(restricted_runs: list[Workspace]) -> None:
    one, two = restricted_runs
    assert digests(one.results / "aggregate") == digests(two.results / "aggregate")
    assert digests(only_version(one)) == digests(only_version(two))
    pseudonyms = [
        pl.read_parquet(run.results / "restricted" / "harmonised" / "porto" / "participants.parquet")["participant_id"]
        for run in restricted_runs
    ]
    assert not set(pseudonyms[0]) & set(pseudonyms[1])


def test_no_participant_value_leaves_the_restricted_folder(restricted_runs: list[Workspace]) -> None:
    workspace = restricted_runs[0]
    restricted = workspace.results / "restricted"
    participants = pl.read_parquet(restricted / "harmonised" / "porto" / "participants.parquet")
    forbidden = [canary.encode() for canary in (*CANARIES, "987654,25", "0,98765", *participants["participant_id"])]
    folders = [workspace.results, workspace.study / "reports", workspace.study / ".snakemake"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    outside = [path for path in files if restricted not in path.parents]
    assert workspace.results / "console.txt" in outside
    assert len(outside) > 50
    for path in outside:
        content = path.read_bytes()
        assert not [word for word in forbidden if word in content], path.name


def test_a_restricted_study_without_its_key_is_refused(tmp_path: Path) -> None:
    workspace = new_workspace(tmp_path)
    study = workspace.study / "study.yaml"
    study.write_text(study.read_text(encoding="utf-8").replace("privacy: synthetic", "privacy: restricted"))
    run = workspace.snakemake(EMBER_KEY_FILE="")
    assert run.status != 0
    assert "EMBER_KEY_FILE" in run.output


def test_a_version_with_other_bytes_is_left_alone(finished: Workspace, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path)
    page = only_version(workspace) / "report.html"
    page.write_text("changed by hand", encoding="utf-8")
    shutil.rmtree(workspace.results / "release")
    run = workspace.snakemake()
    assert run.status != 0
    assert "exists with other bytes: report.html" in run.output
    assert page.read_text(encoding="utf-8") == "changed by hand"


def test_another_key_for_the_same_results_is_refused(restricted_runs: list[Workspace], tmp_path: Path) -> None:
    other = tmp_path / "key"
    other.write_bytes(b"\7" * 32)
    other.chmod(0o600)
    run = restricted_runs[0].snakemake(EMBER_KEY_FILE=str(other))
    assert run.status != 0
    assert "made under another key" in run.output
