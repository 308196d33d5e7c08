"""Fit every model of one analysis file."""

from __future__ import annotations

import argparse

from ember.models.fit_analysis import fit_analysis
from ember.models.plan import analysis_plan
from ember.provenance.settings import included_sites
from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_table, write_table

DECLARES = (
    "contracts/analysis_set.yaml",
    "contracts/curves.yaml",
    "contracts/estimates.yaml",
    "contracts/participants.yaml",
)


def main(arguments: argparse.Namespace) -> None:
    study, registry = load_study(arguments.study)
    content = study.analyses[arguments.analysis]
    exposure = content.get("exposure")
    unit = registry.row("analytes", exposure["analyte"])["canonical_unit"] if exposure else ""
    plan = analysis_plan(content, included_sites(study), study.design, unit)
    frame = read_table(arguments.analysis_set[0], "analysis_set")
    estimates, curves = fit_analysis(frame, plan)
    write_table(estimates, arguments.estimates, "estimates")
    write_table(curves, arguments.curves, "curves")
    report(arguments.log, f"{plan.id}: {len(plan.models)} models, {estimates.height} estimates")


if __name__ == "__main__":
    run_step(main, inputs=("analysis_set",), outputs=("estimates", "curves"), wildcards=("analysis",))
