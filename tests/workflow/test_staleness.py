"""What reruns, and what does not: Snakemake alone decides, from contents."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.workflow.conftest import Run, Workspace

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group(name="workflow")]

AFTER_ONE_SITE = {
    "compare_sites", "run_gates", "pass_gates", "derive_endotypes", "build_analysis_set", "fit_models",
    "summarise_sites", "collect_accounting", "protect_results", "identify_release", "render_report", "write_manifest",
    "publish_report",
}  # fmt: skip


def dry(workspace: Workspace) -> Run:
    run = workspace.snakemake("--dry-run")
    assert run.status == 0, run.output
    return run


def replace_text(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_finished_study_starts_no_job(finished: Workspace) -> None:
    run = finished.snakemake()
    assert run.status == 0
    assert "Nothing to be done" in run.output
    assert run.jobs == {}


def test_a_copied_tree_starts_no_job(finished: Workspace, tmp_path: Path) -> None:
    assert dry(finished.copy(tmp_path)).jobs == {}


def test_touched_files_start_no_job(finished: Workspace, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path)
    for path in [*(workspace.study / "extracts").rglob("*.csv"), *workspace.results.rglob("*.parquet")]:
        os.utime(path)
    assert dry(workspace).jobs == {}


def test_an_edited_extract_reruns_its_site_and_what_follows(finished: Workspace, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path)
    extract = workspace.study / "extracts" / "porto" / "estudo.csv"
    content = extract.read_bytes().rstrip(b"\r\n").split(b"\n")
    extract.write_bytes(b"\n".join(content[:-1]) + b"\n")
    run = dry(workspace)
    of_the_site = {"read_source": 1, "standardise_site": 1, "harmonise_site": 1}
    assert {rule: count for rule, count in run.jobs.items() if rule in of_the_site} == of_the_site
    assert {"Reading porto", "Standardising porto", "Harmonising porto"} <= run.messages
    assert set(run.jobs) - set(of_the_site) == AFTER_ONE_SITE


def test_an_edited_site_file_reruns_its_site_and_what_follows(finished: Workspace, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path)
    site = workspace.study / "sites" / "porto.yaml"
    replace_text(site, "missing: [", 'missing: ["-77", ')
    run = dry(workspace)
    assert "read_source" not in run.jobs
    assert run.jobs["standardise_site"] == run.jobs["harmonise_site"] == 1
    assert {"Standardising porto", "Harmonising porto"} <= run.messages
    assert set(run.jobs) - {"standardise_site", "harmonise_site"} == AFTER_ONE_SITE


def test_a_comment_in_a_helper_reruns_nothing(finished: Workspace, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path)
    helper = workspace.project / "scripts" / "ember" / "harmonise" / "units.py"
    helper.write_text(helper.read_text(encoding="utf-8") + "\n# A comment changes nothing.\n", encoding="utf-8")
    assert dry(workspace).jobs == {}


def test_logic_in_a_helper_reruns_its_users_and_what_follows(finished: Workspace, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path)
    helper = workspace.project / "scripts" / "ember" / "models" / "meta_analysis.py"
    helper.write_text(helper.read_text(encoding="utf-8") + "\nADDED = 1\n", encoding="utf-8")
    jobs = dry(workspace).jobs
    expected = {
        "fit_models",
        "protect_results",
        "identify_release",
        "render_report",
        "write_manifest",
        "publish_report",
    }
    assert set(jobs) == expected


def test_a_new_registry_row_that_is_not_used_reruns_nothing(finished: Workspace, tmp_path: Path) -> None:
    workspace = finished.copy(tmp_path)
    table = workspace.project / "config" / "registry" / "unit_aliases.csv"
    table.write_text(table.read_text(encoding="utf-8") + "furlong,mm/h,invented for a test,false\n", encoding="utf-8")
    assert dry(workspace).jobs == {}


def test_a_second_run_at_the_same_time_is_refused(finished: Workspace) -> None:
    import fcntl

    with (finished.study / ".ember.lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        run = finished.snakemake()
    assert run.status != 0
    assert "Another run works in" in run.output
