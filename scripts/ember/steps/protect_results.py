"""Protect the results: the only step that writes aggregate/."""

from __future__ import annotations

import json
from argparse import Namespace
from pathlib import Path

import polars as pl

from ember.consortium.disclosure import profile_of, protect
from ember.provenance.settings import included_sites
from ember.registry.load import load_study
from ember.registry.model import Study
from ember.reporting.flow import flow_table
from ember.steps.command import report, run_step
from ember.tables.store import read_table, read_tables, write_frame
from ember.validate.gate_rule import GATES
from ember.validate.gates import published

SUMMARIES = ("quality", "harmonisation", "distributions", "endotypes", "characteristics", "rules", "dictionary")
INPUTS = {"source": pl.String, "file": pl.String, "sha256": pl.String, "bytes": pl.Int64, "rows": pl.Int64}
INPUTS |= {"variant": pl.String, "recorded": pl.Boolean}
DECLARES = ("validate/rules.yaml",)


def main(arguments: Namespace) -> None:
    study, registry = load_study(arguments.study)
    tables = protect(_tables(study, arguments.results[0]), profile_of(registry, study.disclosure))
    for name, table in tables.items():
        write_frame(table, arguments.aggregate / f"{name}.csv")
    write_frame(tables["estimates"], arguments.aggregate / "estimates.parquet")
    report(arguments.log, f"{len(tables)} tables under the profile {study.disclosure}")


def _tables(study: Study, results: Path) -> dict[str, pl.DataFrame]:
    restricted, checks = results / "restricted", results / "checks"
    fits = [restricted / "fits" / analysis for analysis in study.analyses]
    found = [
        checks / f"findings/{site}/{step}.csv"
        for site in included_sites(study)
        for step in ("standardise_site", "harmonise_site")
    ]
    accounting = read_table(checks / "accounting.csv", "accounting")
    ledgers = {name: read_table(restricted / f"ledger/analysis/{name}.parquet", "ledger") for name in study.analyses}
    records = [json.loads((checks / f"inputs/{source}.json").read_text(encoding="utf-8")) for source in study.sources]
    return {
        "flow": flow_table(accounting, ledgers),
        **{name: pl.read_parquet(restricted / f"summaries/{name}.parquet") for name in SUMMARIES},
        "findings": read_tables(found, "findings"),
        "gates": published(read_tables([checks / f"gates/{gate}.csv" for gate in GATES], "gates")),
        "accounting": accounting,
        "inputs": pl.DataFrame([{name: record.get(name) for name in INPUTS} for record in records], schema=INPUTS),
        "estimates": read_tables([fit / "estimates.parquet" for fit in fits], "estimates"),
        "curves": read_tables([fit / "curves.parquet" for fit in fits], "curves"),
    }


if __name__ == "__main__":
    run_step(main, inputs=("results",), outputs=("aggregate",))
