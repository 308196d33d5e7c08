"""Summarise the sites in counts, shares and means: unprotected tables behind the report."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ember.history.declared import has_history
from ember.provenance.settings import included_sites
from ember.registry.load import load_study
from ember.reporting.not_asked import hidden_of, remarks
from ember.reporting.parts import COMPOSITE_FILES, USUAL_FILES, schemes_with_composite, schemes_with_usual_level
from ember.reporting.raw_columns import read_raw_columns
from ember.reporting.restricted_tables import ledger_files, scheme_tables, site_tables
from ember.reporting.summaries import summarise
from ember.steps.command import report, run_step
from ember.tables.store import read_table, read_tables, write_frame

DECLARES = (
    "contracts/measurements.yaml",
    "contracts/participants.yaml",
    "contracts/scores.yaml",
    "contracts/treatments.yaml",
    "contracts/composites.yaml",
    "contracts/composite_references.yaml",
    "contracts/usual_levels.yaml",
    "contracts/usual_components.yaml",
    "contracts/visits.yaml",
    "validate/rules.yaml",
)


def main(arguments: Namespace) -> None:
    study, registry = load_study(arguments.study)
    restricted: Path = arguments.restricted[0]
    sites = {site: site_tables(restricted, site, has_history(study)) for site in included_sites(study)}
    ledger = read_tables(ledger_files(study, restricted), "ledger")
    endotypes = {name: read_table(restricted / f"endotypes/{name}.parquet", "endotypes") for name in study.schemes}
    sources = {source: read_raw_columns(restricted / f"raw/{source}.parquet") for source in study.sources}
    hidden = hidden_of(study, restricted / "raw", sources)
    beside = {
        "composites": scheme_tables(restricted, schemes_with_composite(study), COMPOSITE_FILES),
        "usual": scheme_tables(restricted, schemes_with_usual_level(study), USUAL_FILES),
    }
    for name, table in summarise(study, registry, sites, ledger, endotypes, sources, hidden, **beside).items():
        write_frame(table, arguments.summaries / f"{name}.parquet")
    report(arguments.log, "\n".join([f"{len(sites)} sites, {ledger.height} ledger entries", *remarks(hidden)]))


if __name__ == "__main__":
    run_step(main, inputs=("restricted",), outputs=("summaries",))
