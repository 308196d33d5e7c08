"""The restricted tables that the summaries are made of, read from where the steps before left them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from ember.history.declared import site_steps
from ember.provenance.settings import included_sites
from ember.registry.model import Study
from ember.reporting.summaries import SiteTables
from ember.tables.store import read_table

HARMONISED = ("participants", "visits", "measurements", "scores", "treatments")


def site_tables(restricted: Path, site: str, history: bool) -> SiteTables:
    """Return the standard and harmonised tables of a site."""
    standard, harmonised = restricted / "standard" / site, restricted / "harmonised" / site
    return SiteTables(
        standard_measurements=read_table(standard / "measurements.parquet", "standard_measurements"),
        standard_items=read_table(standard / "items.parquet", "standard_items"),
        **{table: read_table(harmonised / f"{table}.parquet", table) for table in HARMONISED},
        history=read_table(harmonised / "history.parquet", "history") if history else None,
    )


def scheme_tables(
    restricted: Path, schemes: Iterable[str], files: Iterable[tuple[str, str]]
) -> dict[str, dict[str, pl.DataFrame]]:
    """Return by scheme and contract what stands beside its states; `files` gives ending and contract of each."""
    names = tuple(files)
    folder = restricted / "endotypes"
    return {
        scheme: {table: read_table(folder / f"{scheme}.{end}.parquet", table) for end, table in names}
        for scheme in schemes
    }


def ledger_files(study: Study, restricted: Path) -> list[Path]:
    """Return the ledgers of a study, in the order of its stages."""
    names = [f"{source}/read_source" for source in study.sources]
    names += [f"{site}/{step}" for site in included_sites(study) for step in site_steps(study)]
    names += [f"analysis/{analysis}" for analysis in study.analyses]
    return [restricted / "ledger" / f"{name}.parquet" for name in names]
