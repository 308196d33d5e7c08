"""Check the tables of all sites after a stage; the verdict is a table, so this step always succeeds."""

from __future__ import annotations

from argparse import Namespace

from ember.registry.load import load_study
from ember.steps.command import report, run_step
from ember.tables.store import read_table, write_table
from ember.validate.expectations import run_gates
from ember.validate.gate_rules import STAGES

DECLARES = (
    "contracts/participants.yaml",
    "contracts/visits.yaml",
    "contracts/standard_measurements.yaml",
    "contracts/standard_items.yaml",
    "contracts/measurements.yaml",
    "contracts/scores.yaml",
    "contracts/gates.yaml",
)
OPTION = {"standard_measurements": "measurements", "standard_items": "items"}


def main(arguments: Namespace) -> None:
    study, registry = load_study(arguments.study)
    files = {table: getattr(arguments, OPTION.get(table, table)) for table in STAGES[arguments.stage]}
    # The folder of a file is its site: <stage>/<site>/<table>.parquet; a table without rows does not name it.
    sites = {
        paths[0].parent.name: {table: read_table(path, table) for table, path in zip(files, paths, strict=True)}
        for paths in zip(*files.values(), strict=True)
    }
    gates = run_gates(arguments.stage, sites, study, registry)
    write_table(gates, arguments.gates, "gates")
    report(arguments.log, f"{arguments.stage}: {gates.height} rules, {(~gates['passed']).sum()} not met")


if __name__ == "__main__":
    run_step(
        main,
        inputs=("participants", "visits", "measurements", "items", "scores"),
        outputs=("gates",),
        wildcards=("stage",),
    )
