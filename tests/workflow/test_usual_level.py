"""A scheme that asks for the usual level brings one more job; a study whose schemes do not ask has none."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ember.tables.store import read_table
from tests.workflow.conftest import Workspace

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group(name="workflow")]

ASKING = """\
scheme: usual
like: hscrp_bands
label: hsCRP bands with the usual level
usual_level: {cut: hscrp_high, within_person: hscrp_macy_1997, assay_cv: 0.05}
"""


def test_only_a_scheme_that_asks_has_usual_levels(finished: Workspace, tmp_path: Path) -> None:
    assert not list((finished.results / "restricted" / "endotypes").glob("*.usual.parquet"))
    workspace = finished.copy(tmp_path)
    (workspace.study / "endotypes").mkdir(exist_ok=True)
    (workspace.study / "endotypes" / "usual.yaml").write_text(ASKING, encoding="utf-8")
    study = workspace.study / "study.yaml"
    declared = study.read_text(encoding="utf-8")
    study.write_text(declared.replace("endotypes: [", "endotypes: [usual, "), encoding="utf-8")
    target = "results/tiny/restricted/endotypes/usual.usual.parquet"
    run = workspace.snakemake("--", target)
    assert run.status == 0, run.output
    # The gates know the schemes, so the one before it looks again.
    assert run.jobs == {"estimate_usual_level": 1, "run_gates": 1, "pass_gates": 1}
    table = read_table(workspace.study / target, "usual_levels")
    people = pl.read_parquet(workspace.results / "restricted" / "endotypes" / "hscrp_bands.parquet").filter("assigned")
    assert table["participant_id"].to_list() == people["participant_id"].to_list()
    labelled = people["class"].cast(pl.String).is_in(["inflamed_single", "inflamed_persistent"])
    means = [table.filter(side)["probability"].mean() for side in (labelled, ~labelled)]
    assert means[0] > 0.5 > 0.2 > means[1]
