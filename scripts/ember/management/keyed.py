"""Rows of an extract with the keys by which two extracts, or an extract and a query, are held together."""

from __future__ import annotations

import polars as pl

from ember.extract.claims import pseudonyms
from ember.extract.own_rows import own_rows
from ember.harmonise.value_columns import value_columns
from ember.registry.model import Site, TableMap, Visit
from ember.registry.registry import Registry


def keyed_rows(frame: pl.DataFrame, site: Site, table: TableMap, key: bytes) -> pl.DataFrame:
    """Return a site's rows of a table with `_participant` and `_visit` in place of the participant's id.

    Parameters
    ----------
    frame : DataFrame
        `_row` and the columns of the source as text; all rows of the source.
    """
    rows = frame.filter(own_rows(frame, table))
    names = pseudonyms(rows[table.participant], site.id, key).alias("_participant")
    return rows.with_columns(names, visit_of_row(table).alias("_visit")).drop(table.participant)


def visit_of_row(table: TableMap) -> pl.Expr:
    """Return the visit that a row tells, null where it tells none: in a wide file, or by its date."""
    visits = table.visits
    if visits.long is not None:
        codes = {code.strip(): visit for code, visit in visits.long.codes.items()}
        return pl.col(visits.long.column).str.strip_chars().replace_strict(codes, default=None, return_dtype=pl.String)
    return pl.lit(visits.single, pl.String)


def row_key(table: TableMap) -> list[str]:
    """Return the columns that tell the rows of a participant and visit apart."""
    dated = [column.column for column in (table.visits.by_date, table.visits.by_day) if column is not None]
    named = [table.laboratory.analyte.column] if table.laboratory else []
    drug = [table.treatments.name] if table.treatments and not (table.measurements or table.instruments) else []
    return [*dated, *named, *drug]


def visit_of_column(
    table: TableMap, registry: Registry, visits: tuple[Visit, ...], columns: list[str]
) -> dict[str, str]:
    """Return the visit that the name of a column tells, in a wide file."""
    if not table.visits.wide:
        return {}
    mapped = value_columns(table, registry, visits, columns)
    return {column.column: column.visit for column in mapped if column.visit is not None}
