"""`ember queries`: what one site is asked about its own data, and what became of earlier questions."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from ember.cli.words import STUDY_HELP
from ember.errors import EmberError, nearest_name
from ember.extract.columns import mapped_columns
from ember.extract.corrections import read_corrections
from ember.extract.own_rows import own_rows
from ember.extract.raw_rows import read_raw
from ember.management.keyed import visit_of_column, visit_of_row
from ember.management.queries import asked, read_register, updated, with_age
from ember.registry.load import load_study
from ember.registry.model import Site, Study, TableMap
from ember.registry.registry import Registry
from ember.tables.store import read_table, write_frame

STAGES = ("standardise_site", "harmonise_site")
DATES = {"visit_date", "row_date"}


def add_parser(commands: Any) -> None:
    """Add `ember queries` to the command line."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "queries",
        help="write the list of questions to one site",
        description="Write the queries of one site after a run: row, column, rule, a plain question, status and age. "
        "Numbers persist over extracts in <data folder>/queries/<site>.csv; the list is for that site only.",
    )
    parser.add_argument("study", metavar="STUDY", help=STUDY_HELP)
    parser.add_argument("--site", required=True, metavar="SITE")
    parser.add_argument("--date", type=date.fromisoformat, default=None, help="the day of the list; default today")
    parser.set_defaults(run=lambda given: queries(given.study, given.site, given.date or date.today()))


def queries(name: str, site_id: str, today: date) -> int:
    """Bring the register of a site's queries up to date, write the list, print counts, and return 0.

    Raises
    ------
    EmberError
        There is no such site, or the study has not been run.
    """
    study, registry = load_study(name)
    if site_id not in study.sites:
        raise EmberError(
            f"'{site_id}' is no site of the study.", allowed=study.sites, nearest=nearest_name(site_id, study.sites)
        )
    site = study.sites[site_id]
    results = study.workspace / "results" / study.id
    found = asked(_ledger(results, site), *_places(study, registry, results, site))
    path = study.data_folder / "queries" / f"{site.id}.csv"
    register = read_register(path, f"queries/{site.id}.csv")
    register = updated(register, found, _answers(study, site), site.id, today)
    write_frame(register, path)
    listed = results / "restricted" / "queries" / f"{site.id}.csv"
    write_frame(with_age(register, today), listed)
    counts = {status: int((register["status"] == status).sum()) for status in ("open", "answered", "closed")}
    told = ", ".join(f"{n} {status}" for status, n in counts.items())
    print(f"{site.id}  {register.height} queries: {told}")
    print(f"  for {site.label} only: {listed.relative_to(study.workspace)}")
    return 0


def _ledger(results: Path, site: Site) -> pl.DataFrame:
    paths = [results / "restricted" / "ledger" / source / "read_source.parquet" for source in site.sources]
    paths += [results / "restricted" / "ledger" / site.id / f"{stage}.parquet" for stage in STAGES]
    absent = [path for path in paths if not path.is_file()]
    if absent:
        raise EmberError(
            "The study has not been run: its ledger is not there.",
            where=str(absent[0].relative_to(results.parent.parent)),
            fix="Run it first: ember run STUDY.",
        )
    return pl.concat([read_table(path, "ledger") for path in paths]).filter(pl.col("site_id") == site.id)


def _places(
    study: Study, registry: Registry, results: Path, site: Site
) -> tuple[pl.DataFrame, dict[str, str], set[str]]:
    """Return whose row each row of the site is and at which visit, the visits that column names tell, and the dates."""
    parts: list[pl.DataFrame] = []
    told: dict[str, str] = {}
    dates: set[str] = set()
    raw = results / "restricted" / "raw"
    rows = {source: read_raw(raw / f"{source}.parquet", site.id)[0] for source in site.sources}
    for table in site.tables:
        frame = rows[table.source]
        parts.append(_rows(frame.filter(own_rows(frame, table)), table))
        told |= visit_of_column(table, registry, study.visits, frame.columns)
        dates |= {column for column, role in mapped_columns(table, registry, frame.columns) if role in DATES}
    return pl.concat(parts), told, dates


def _rows(frame: pl.DataFrame, table: TableMap) -> pl.DataFrame:
    return frame.select(
        source_file="_file", sheet="_sheet", row_number="_row", participant="_participant", visit=visit_of_row(table)
    )


def _answers(study: Study, site: Site) -> Sequence[str]:
    """Return the numbers of the queries that corrections of the site cite."""
    files = [table.corrections for table in site.tables if table.corrections]
    return [
        correction.query
        for file in files
        for correction in read_corrections(study.data_folder / file, file)
        if correction.query
    ]
