"""A study that declares a mixture has one more job; its tables reach the report only through the disclosure."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from ember.endotypes.mixtures.artefact import hash_of
from ember.tables.store import read_table
from tests.workflow.conftest import Workspace

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group(name="workflow")]

MIXTURE = """\
mixture: panel
version: 1
label: Panel
visit: baseline
source: a test of the whole pipeline
analytes: [hscrp, il6, tnf]
classes: {from: 1, to: 2}
covariance: [diagonal_equal]
starts: 200
variance_floor: 0.001
anchor: hscrp
choose: bic
compare: [hscrp_bands]
"""


def test_only_a_study_that_declares_a_mixture_has_one(finished: Workspace, tmp_path: Path) -> None:
    assert not list((finished.results / "aggregate").glob("mixture_*.csv"))
    workspace = finished.copy(tmp_path)
    (workspace.study / "mixtures").mkdir()
    (workspace.study / "mixtures" / "panel.yaml").write_text(MIXTURE, encoding="utf-8")
    study = workspace.study / "study.yaml"
    declared = study.read_text(encoding="utf-8")
    study.write_text(declared.replace("endotypes: [", "mixtures: [panel]\nendotypes: ["), encoding="utf-8")
    run = workspace.snakemake("--", "results/tiny/release/report/report.html")
    assert run.status == 0, run.output
    assert run.jobs["fit_mixture"] == 1
    endotypes = workspace.results / "restricted" / "endotypes"
    table = read_table(endotypes / "panel.mixture.parquet", "endotypes")
    sums = table.group_by("site_id", "participant_id", maintain_order=True).agg(pl.col("probability").sum())
    assert sums["probability"].to_numpy() == pytest.approx(1)
    made = json.loads((workspace.results / "restricted/fits/mixtures/panel.json").read_text(encoding="utf-8"))
    assert hash_of(made) == made["hash"]
    shown = pl.read_csv(workspace.results / "aggregate" / "mixture_classes.csv")
    counts = shown["n"].drop_nulls()
    assert counts.is_empty() or counts.min() >= 10
    report = (workspace.results / "release" / "report" / "report.html").read_text(encoding="utf-8")
    assert "Search for the number of classes" in report
