"""The raw rows of each table of a site: its share of a source, with the columns that its formulas derive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl

from ember.errors import EmberError
from ember.extract.own_rows import own_rows
from ember.harmonise.dates import day_of
from ember.harmonise.derived import with_derived
from ember.harmonise.missing import missing_rule
from ember.harmonise.standardise_rows import RawRows
from ember.harmonise.value_columns import value_columns
from ember.registry.model import Site, Study, TableMap
from ember.registry.registry import Registry

OWN = ("_person", "_visit", "_day", "_analyte", "_at", "_rule", "_unplaced", "_start")
"""Columns that this stage adds to the rows; one of the file by that name would be overwritten."""


def table_rows(study: Study, site: Site, registry: Registry, raw: Mapping[str, RawRows]) -> list[RawRows]:
    """Return the rows of each table of a site, in the order of its tables.

    Raises
    ------
    EmberError
        Tables that share a source do not divide its rows, a formula cannot be carried out, or a column has a name
        that EMBER uses.
    """
    for source in site.sources:
        taken = [name for name in OWN if name in raw[source].frame.columns]
        if taken:
            raise EmberError(
                f"EMBER itself uses the column name {', '.join(taken)}.", where=f"source {source}", fix="Rename it."
            )
    _refuse_undivided(site, raw)
    return [_with_derived(study, table, registry, _share(site, table, raw[table.source])) for table in site.tables]


def _share(site: Site, table: TableMap, rows: RawRows) -> RawRows:
    sharing = [other for other in site.tables if other.source == table.source]
    return rows if len(sharing) == 1 else RawRows(rows.frame.filter(_own(table, rows.frame)), rows.columns)


def _own(table: TableMap, frame: pl.DataFrame) -> pl.Series:
    if table.rows and table.rows.column not in frame.columns:
        raise EmberError(
            f"The site file names {table.rows.column}; the source has no such column.",
            where=f"source {table.source}  rows",
        )
    return own_rows(frame, table)


def _refuse_undivided(site: Site, raw: Mapping[str, RawRows]) -> None:
    """Refuse rows of a shared source that no table of the site claims, or more than one: counts only."""
    for source in site.sources:
        sharing = [table for table in site.tables if table.source == source]
        if len(sharing) < 2:
            continue
        frame = raw[source].frame
        claims = np.zeros(frame.height, dtype=np.int64)
        for table in sharing:
            claims += _own(table, frame).to_numpy()
        astray = int((claims != 1).sum())
        if astray:
            names = ", ".join(table.name for table in sharing)
            raise EmberError(
                f"{astray} rows of {source} belong to none or to several of the tables {names}.",
                where=f"sites/{site.id}.yaml  tables",
                fix="Let `rows:` of each table claim its own rows, and every row one of them.",
            )


def _with_derived(study: Study, table: TableMap, registry: Registry, rows: RawRows) -> RawRows:
    if not table.derived:
        return rows
    mapped = value_columns(table, registry, study.visits, rows.frame.columns)
    codes = {column.column: column.missing for column in mapped}
    told = study.sources[table.source]
    derived, _ = with_derived(rows, table, told.decimal, codes, told.thousands)
    return derived


def starts(study: Study, site: Site, rows: Sequence[RawRows]) -> pl.DataFrame | None:
    """Return the day of time zero by participant, where the date of a row tells its visit; None where none does.

    Returns
    -------
    DataFrame
        `_participant` and `_start` (days since 1970-01-01).

    Raises
    ------
    EmberError
        No table of the site has a time zero.

    Notes
    -----
    Rows have to be placed before it is known which of them stay, so time zero is read from all of them. A participant
    for whom they contradict each other has none.
    """
    if not any(table.visits.by_date for table in site.tables):
        return None
    told = [
        _told_starts(table, part, study.sources[table.source].decimal)
        for table, part in zip(site.tables, rows, strict=True)
        if table.time_zero
    ]
    if not told:
        raise EmberError(
            f"The site {site.id} tells visits by date and maps no time zero.",
            where=f"sites/{site.id}.yaml  time_zero",
            fix="Map the date from which study days count, or the study day of each row under `by_day:`.",
        )
    days = pl.concat(told).drop_nulls().unique(maintain_order=True)
    return days.filter(~days["_participant"].is_duplicated())


def _told_starts(table: TableMap, rows: RawRows, decimal: str) -> pl.DataFrame:
    assert table.time_zero is not None
    column = table.time_zero.column
    if column not in rows.frame.columns:
        return pl.DataFrame(schema={"_participant": pl.String, "_start": pl.Int32})
    pairs = rows.frame.select("_participant", pl.col(column).str.strip_chars().alias("text")).unique(
        maintain_order=True
    )
    missing = missing_rule(pl.col("text"), table.missing, rows.columns.get(column, {}), decimal)
    day = pl.when(missing.is_null()).then(day_of(pl.col("text"), table.time_zero.date, decimal))
    return pairs.select("_participant", day.cast(pl.Int32).alias("_start"))
