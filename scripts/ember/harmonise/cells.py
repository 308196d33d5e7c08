"""Read the cells of one value column: strip, set aside what is missing, parse the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from ember.harmonise.missing import missing_rule
from ember.harmonise.numbers import number, operator
from ember.harmonise.value_columns import ValueColumn
from ember.registry.model import TableMap
from ember.registry.registry import Registry
from ember.tables.contract import Column, contract

PLACE = ("at", "order", "person", "visit")
EARLIEST_YEAR = 1000  # below it, "%Y" was given a year of two digits


@dataclass(frozen=True)
class Reading:
    """What reading the cells of one column needs to know.

    Attributes
    ----------
    rows : DataFrame
        Kept rows with `_at`, `_person`, `_visit`, `_analyte`.
    order : int
        Position of the column among the site's value columns.
    visit : int or None
        Position of the visit that the column's name tells.
    visits : tuple of int
        Positions of the visits at which a long table is mapped; empty means all.
    """

    rows: pl.DataFrame
    table: TableMap
    column: ValueColumn
    order: int
    decimal: str
    metadata: Mapping[str, Any]
    visit: int | None
    visits: tuple[int, ...]


@dataclass(frozen=True)
class Cells:
    """Cells of one column: `frame` has the non-empty ones with `rule` (null where usable), `n` counts all."""

    frame: pl.DataFrame
    n: int


def read_cells(reading: Reading, registry: Registry) -> Cells:
    """Return the non-empty cells of a column, parsed, each with the rule that takes it out or null.

    The frame has the columns `at`, `order`, `person`, `visit`, `rule`, and by the kind of the column `number`,
    `meaning`, `day` and the rest of a measurement.
    """
    column = reading.column
    rows = reading.rows
    if reading.visits and column.visit is None:
        rows = rows.filter(pl.col("_visit").is_in(reading.visits))
    if column.kind in {"time_zero", "participant"}:
        at_visit = pl.lit(None, pl.Int16)  # what does not change belongs to no visit
    else:
        at_visit = pl.col("_visit") if column.visit is None else pl.lit(reading.visit, pl.Int16)
    extra = _measurement_columns(reading) if column.kind == "measurement" else []
    frame = rows.select(
        pl.col("_at").alias("at"),
        pl.lit(reading.order, pl.Int32).alias("order"),
        pl.col("_person").alias("person"),
        at_visit.alias("visit"),
        pl.col(column.column).str.strip_chars().alias("text"),
        *extra,
    ).filter(pl.col("text").fill_null("") != "")
    missing = missing_rule(pl.col("text"), column.missing, reading.metadata, reading.decimal)
    frame = frame.with_columns(missing.alias("rule"))
    return Cells(_parsed(frame, reading, registry), rows.height)


def _parsed(frame: pl.DataFrame, reading: Reading, registry: Registry) -> pl.DataFrame:
    kind = reading.column.kind
    if kind == "measurement":
        return _read_measurement(frame, reading)
    if kind == "item":
        numbers = frame.with_columns(number(pl.col("text"), reading.decimal).alias("number"))
        return _ruled(numbers, "value.not_numeric", pl.col("number").is_null()).drop("text")
    if kind in {"time_zero", "visit_date"}:
        return _read_date(frame, reading)
    if kind == "participant":
        return _read_participant(frame, reading, registry)
    return frame


def _ruled(frame: pl.DataFrame, rule_id: str, condition: pl.Expr) -> pl.DataFrame:
    return frame.with_columns(pl.coalesce("rule", pl.when(condition).then(pl.lit(rule_id))).alias("rule"))


def _read_date(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    declared = reading.table.time_zero if reading.column.kind == "time_zero" else reading.table.visits.date
    assert declared is not None
    date = pl.col("text").str.to_date(declared.date, strict=False, exact=True)
    readable = (date.dt.year() >= EARLIEST_YEAR) & ~pl.col("text").str.contains("+", literal=True)
    frame = frame.with_columns(pl.when(readable).then(date.cast(pl.Int32)).alias("day"))
    return _ruled(frame, "visit.date_unreadable", pl.col("day").is_null()).drop("text")


def _read_participant(frame: pl.DataFrame, reading: Reading, registry: Registry) -> pl.DataFrame:
    target = contract("participants").by_name[reading.column.name]
    codes = {code.strip(): meaning for code, meaning in reading.table.columns[target.name].codes.items()}
    text = pl.col("text")
    if target.type == "float64":
        value = number(text.replace(codes) if codes else text, reading.decimal)
        frame = frame.with_columns(value.alias("number"))
        frame = _ruled(frame, "value.not_numeric", pl.col("number").is_null())
        return _ruled(frame, "value.outside_hard_limits", ~_inside(target)).drop("text")
    if codes:
        meaning = text.replace_strict(codes, default=None, return_dtype=pl.String)
    else:
        allowed = allowed_names(target, registry)
        meaning = pl.when(text.is_in(allowed)).then(text) if allowed else text
    frame = frame.with_columns(meaning.alias("meaning"))
    return _ruled(frame, "value.not_in_codes", pl.col("meaning").is_null()).drop("text")


def allowed_names(target: Column, registry: Registry) -> list[str]:
    """Return the names that a column of participants may hold; empty where any text may stand."""
    if target.registry:
        return [row[target.registry.removesuffix("s")] for row in registry.rows(target.registry)]
    return list(target.allowed)


def _inside(target: Column) -> pl.Expr:
    low = pl.lit(True) if target.low is None else pl.col("number") >= target.low
    high = pl.lit(True) if target.high is None else pl.col("number") <= target.high
    return low & high


def _measurement_columns(reading: Reading) -> list[pl.Expr]:
    """Return what stands beside the value: text as reported, analyte, unit, specimen, assay, batch and flag."""
    table, column = reading.table, reading.column
    if table.laboratory:
        analyte = pl.col("_analyte")
        unit, specimen = table.laboratory.unit, table.laboratory.specimen
        assays = table.laboratory.assays
        assay = analyte.replace_strict(assays, default=None, return_dtype=pl.String) if assays else pl.lit(None)
        flagged = pl.lit(False)
    else:
        mapping = table.measurements[column.name]
        analyte = pl.lit(column.name)
        unit, specimen, assay = mapping.unit, mapping.specimen, pl.lit(mapping.assay)
        codes = [code.strip() for code in mapping.below.codes] if mapping.below else []
        flagged = pl.col(column.flag).str.strip_chars().is_in(codes) if column.flag and codes else pl.lit(False)
    return [
        pl.col(column.column).alias("value_reported"),
        analyte.alias("analyte"),
        (pl.lit(unit) if column.unit_column is None else _beside(column.unit_column).fill_null("")).alias(
            "unit_reported"
        ),
        pl.lit(specimen, pl.String).alias("specimen"),
        assay.cast(pl.String).alias("assay_id"),
        (_beside(column.batch) if column.batch else pl.lit(None, pl.String)).alias("batch"),
        flagged.fill_null(False).alias("flagged"),
    ]


def _beside(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text)


def _read_measurement(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    text = pl.col("text")
    frame = frame.with_columns(
        number(text, reading.decimal, operators=True).alias("number"), operator(text).alias("sign")
    )
    frame = _ruled(frame, "value.not_numeric", pl.col("number").is_null())
    mapping = reading.table.measurements.get(reading.column.name)
    below = mapping.below if mapping else None
    marked = pl.col("flagged")
    if below and below.heap is not None:
        # A file format that stores floats may return the fill one unit in the last place off.
        marked = marked | ((pl.col("number") - below.heap).abs() <= 1e-9 * abs(below.heap))
    limit = pl.lit(below.limit if below else None, pl.Float64)
    signed = pl.col("sign") != ""
    # The laboratory's own sign stands before a flag or a fill value: it carries its limit with it.
    return frame.with_columns(
        pl.when(signed).then("sign").when(marked).then(pl.lit("<")).otherwise(pl.lit("")).alias("operator"),
        pl.when(signed).then("number").when(marked).then(limit).alias("limit_reported"),
    ).drop("text", "sign", "flagged")
