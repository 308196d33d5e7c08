"""Protect the results: the only step that writes aggregate/."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import polars as pl

from ember.consortium.disclosure import profile_of, protect
from ember.registry.load import load_study
from ember.registry.model import Study
from ember.reporting.declared_tables import analysis_ledgers, declared_tables, input_records
from ember.reporting.flow import flow_table
from ember.reporting.parts import summaries_of
from ember.reporting.summary_run import findings_files, inputs_table
from ember.steps.command import report, run_step
from ember.tables.files import remove_others
from ember.tables.store import read_table, read_tables, write_frame
from ember.validate.gate_rule import GATES
from ember.validate.gates import published

DECLARES = (
    "contracts/consent_counts.yaml", "contracts/mixture_agreement.yaml", "contracts/mixture_assays.yaml",
    "contracts/mixture_classes.yaml", "contracts/mixture_search.yaml", "contracts/mixture_stability.yaml",
    "contracts/verdict_conditions.yaml", "contracts/verdict_curves.yaml", "contracts/verdict_witnesses.yaml",
    "validate/rules.yaml",
)  # fmt: skip


def main(arguments: Namespace) -> None:
    study, registry = load_study(arguments.study)
    tables = protect(_tables(study, arguments.results[0]), profile_of(registry, study.disclosure))
    remove_others(arguments.aggregate, [f"{name}.csv" for name in tables], "*.csv")
    for name, table in tables.items():
        write_frame(table, arguments.aggregate / f"{name}.csv")
    write_frame(tables["estimates"], arguments.aggregate / "estimates.parquet")
    report(arguments.log, f"{len(tables)} tables under the profile {study.disclosure}")


def _tables(study: Study, results: Path) -> dict[str, pl.DataFrame]:
    restricted, checks = results / "restricted", results / "checks"
    fits = [restricted / "fits" / analysis for analysis in study.analyses]
    accounting = read_table(checks / "accounting.csv", "accounting")
    return {
        "flow": flow_table(accounting, analysis_ledgers(study, restricted)),
        **{name: pl.read_parquet(restricted / f"summaries/{name}.parquet", glob=False) for name in summaries_of(study)},
        "findings": read_tables(findings_files(study, checks), "findings"),
        "gates": published(read_tables([checks / f"gates/{gate}.csv" for gate in GATES], "gates")),
        "accounting": accounting,
        "inputs": inputs_table(input_records(study, checks)),
        "estimates": read_tables([fit / "estimates.parquet" for fit in fits], "estimates"),
        "curves": read_tables([fit / "curves.parquet" for fit in fits], "curves"),
        **declared_tables(study, restricted, checks),
    }


if __name__ == "__main__":
    run_step(main, inputs=("results",), outputs=("aggregate",))
