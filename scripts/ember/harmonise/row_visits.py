"""To which visit a row belongs: by a code, by the table, or by the window that holds its day."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ember.harmonise.dates import day_of
from ember.harmonise.distinct import Distinct
from ember.harmonise.missing import missing_rule
from ember.harmonise.numbers import number
from ember.registry.model import DateColumn, DayColumn, TableMap, Visit

LAST_DAY = 1_000_000
"""Study days beyond it, 2700 years, are no days."""


def with_visits(
    frame: pl.DataFrame,
    table: TableMap,
    visits: tuple[Visit, ...],
    metadata: Mapping[str, Mapping[str, Any]],
    decimal: str = ".",
    starts: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Return the rows with the visit that they tell.

    Parameters
    ----------
    frame : DataFrame
        Columns of the source as text, and `_participant`.
    starts : DataFrame, optional
        `_participant` and `_start`, the day of time zero; needed where dates tell the visit.

    Returns
    -------
    DataFrame
        With `_visit` (position in the study's visits, null where the column names tell it or the row cannot be
        placed), `_day` (study day, null where the visit does not follow from the day) and `_unplaced` (rule id).
    """
    day, by_day = table.visits.by_date, table.visits.by_day
    if day is not None:
        return _placed(_by_date(frame, table, day, metadata.get(day.column, {}), decimal, starts), visits)
    if by_day is not None:
        return _placed(_by_day(frame, table, by_day, metadata.get(by_day.column, {}), decimal), visits)
    position = {visit.id: index for index, visit in enumerate(visits)}
    at_visit = pl.lit(position.get(table.visits.single or ""), pl.Int16)
    unplaced = pl.lit(None, pl.String)
    if table.visits.long:
        codes = {code.strip(): position[visit] for code, visit in table.visits.long.codes.items()}
        told = Distinct.of(frame[table.visits.long.column]).read(
            lambda text: text.str.strip_chars().replace_strict(codes, default=None, return_dtype=pl.Int16)
        )
        at_visit = pl.lit(told)
        if told.null_count():
            unplaced = pl.when(at_visit.is_null()).then(pl.lit("row.unknown_visit"))
    return frame.with_columns(
        at_visit.alias("_visit"), pl.lit(None, pl.Int32).alias("_day"), unplaced.alias("_unplaced")
    )


def _by_date(
    frame: pl.DataFrame,
    table: TableMap,
    declared: DateColumn,
    metadata: Mapping[str, Any],
    decimal: str,
    starts: pl.DataFrame | None,
) -> pl.DataFrame:
    assert starts is not None
    text = pl.col(declared.column).str.strip_chars().fill_null("")
    date = day_of(text, declared.date, decimal)
    frame = frame.join(starts, "_participant", "left", maintain_order="left")
    unplaced = (
        pl.when(_absent(text, table, metadata, decimal))
        .then(pl.lit("row.no_date"))
        .when(date.is_null())
        .then(pl.lit("row.date_unreadable"))
        .when(pl.col("_start").is_null())
        .then(pl.lit("row.no_time_zero"))
    )
    frame = frame.with_columns(unplaced.alias("_unplaced"))
    day = pl.when(pl.col("_unplaced").is_null()).then(date - pl.col("_start"))
    return frame.with_columns(day.cast(pl.Int32).alias("_day")).drop("_start")


def _by_day(
    frame: pl.DataFrame, table: TableMap, declared: DayColumn, metadata: Mapping[str, Any], decimal: str
) -> pl.DataFrame:
    text = pl.col(declared.column).str.strip_chars().fill_null("")
    read = number(text, decimal) + declared.offset
    whole = (read == read.round()) & (read.abs() <= LAST_DAY)
    unplaced = (
        pl.when(_absent(text, table, metadata, decimal))
        .then(pl.lit("row.no_date"))
        .when(~whole.fill_null(False))
        .then(pl.lit("row.date_unreadable"))
    )
    frame = frame.with_columns(unplaced.alias("_unplaced"))
    day = pl.when(pl.col("_unplaced").is_null()).then(read)
    return frame.with_columns(day.cast(pl.Int32, strict=False).alias("_day"))


def _absent(text: pl.Expr, table: TableMap, metadata: Mapping[str, Any], decimal: str) -> pl.Expr:
    return (text == "") | missing_rule(text, table.missing, metadata, decimal).is_not_null()


def _placed(frame: pl.DataFrame, visits: tuple[Visit, ...]) -> pl.DataFrame:
    """Give each row the visit whose window holds its day; windows that share a day are refused by the check."""
    day = pl.col("_day")
    at_visit = pl.coalesce(
        pl.when(day.is_between(visit.first, visit.last)).then(pl.lit(index, pl.Int16))
        for index, visit in enumerate(visits)
    )
    outside = pl.when(day.is_not_null() & pl.col("_visit").is_null()).then(pl.lit("row.outside_windows"))
    return frame.with_columns(at_visit.alias("_visit")).with_columns(
        pl.coalesce("_unplaced", outside).alias("_unplaced")
    )
