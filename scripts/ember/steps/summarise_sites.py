"""Summarise the sites in counts, shares and means: unprotected tables behind the report."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

from ember.history.declared import has_history, site_steps
from ember.provenance.settings import included_sites
from ember.registry.load import load_study
from ember.registry.model import Study
from ember.reporting.not_asked import hidden_of, remarks
from ember.reporting.raw_columns import read_raw_columns
from ember.reporting.summaries import SiteTables, summarise
from ember.steps.command import report, run_step
from ember.tables.store import read_table, read_tables, write_frame

HARMONISED = ("participants", "visits", "measurements", "scores", "treatments")
DECLARES = (
    "contracts/measurements.yaml",
    "contracts/participants.yaml",
    "contracts/scores.yaml",
    "contracts/treatments.yaml",
    "contracts/visits.yaml",
    "validate/rules.yaml",
)


def main(arguments: Namespace) -> None:
    study, registry = load_study(arguments.study)
    restricted: Path = arguments.restricted[0]
    sites = {site: site_tables(restricted, site, has_history(study)) for site in included_sites(study)}
    ledger = read_tables(_ledgers(study, restricted), "ledger")
    endotypes = {name: read_table(restricted / f"endotypes/{name}.parquet", "endotypes") for name in study.schemes}
    sources = {source: read_raw_columns(restricted / f"raw/{source}.parquet") for source in study.sources}
    hidden = hidden_of(study, restricted / "raw", sources)
    for name, table in summarise(study, registry, sites, ledger, endotypes, sources, hidden).items():
        write_frame(table, arguments.summaries / f"{name}.parquet")
    report(arguments.log, "\n".join([f"{len(sites)} sites, {ledger.height} ledger entries", *remarks(hidden)]))


def site_tables(restricted: Path, site: str, history: bool) -> SiteTables:
    standard, harmonised = restricted / "standard" / site, restricted / "harmonised" / site
    return SiteTables(
        standard_measurements=read_table(standard / "measurements.parquet", "standard_measurements"),
        standard_items=read_table(standard / "items.parquet", "standard_items"),
        **{table: read_table(harmonised / f"{table}.parquet", table) for table in HARMONISED},
        history=read_table(harmonised / "history.parquet", "history") if history else None,
    )


def _ledgers(study: Study, restricted: Path) -> list[Path]:
    names = [f"{source}/read_source" for source in study.sources]
    names += [f"{site}/{step}" for site in included_sites(study) for step in site_steps(study)]
    names += [f"analysis/{analysis}" for analysis in study.analyses]
    return [restricted / "ledger" / f"{name}.parquet" for name in names]


if __name__ == "__main__":
    run_step(main, inputs=("restricted",), outputs=("summaries",))
