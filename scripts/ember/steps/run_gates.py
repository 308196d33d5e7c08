"""Check the tables of all sites at a gate; the verdict is a table, so this step always succeeds."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import polars as pl

from ember.registry.load import load_study
from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.steps.command import report, run_step
from ember.tables.store import write_table, write_text
from ember.validate.expectations import run_analysis_gate, run_gates, run_raw_gate
from ember.validate.gate_files import set_loader, site_loader
from ember.validate.gate_page import render_gate_page
from ember.validate.gate_rule import GATES

DECLARES = (
    "contracts/participants.yaml",
    "contracts/visits.yaml",
    "contracts/standard_measurements.yaml",
    "contracts/standard_items.yaml",
    "contracts/measurements.yaml",
    "contracts/scores.yaml",
    "contracts/analysis_set.yaml",
    "contracts/gates.yaml",
    "validate/rules.yaml",
    "templates/gates.html.j2",
    "templates/report.css",
)


def main(arguments: Namespace) -> None:
    study, registry = load_study(arguments.study)
    stages = GATES[arguments.stage]
    gates = pl.concat([_checked(stage, study, registry, arguments.restricted[0]) for stage in stages])
    write_table(gates, arguments.gates, "gates")
    write_text(render_gate_page(arguments.stage, gates, study), arguments.page)
    report(arguments.log, f"{arguments.stage}: {gates.height} rules, {(~gates['passed']).sum()} not met")


def _checked(stage: str, study: Study, registry: Registry, restricted: Path) -> pl.DataFrame:
    if stage == "raw":
        return run_raw_gate({name: restricted / f"raw/{name}.parquet" for name in study.sources}, study, registry)
    if stage == "analysis":
        return run_analysis_gate(set_loader(restricted), study, registry)
    return run_gates(stage, site_loader(restricted, stage), study, registry)


if __name__ == "__main__":
    run_step(main, inputs=("restricted",), outputs=("gates", "page"), wildcards=("stage",))
