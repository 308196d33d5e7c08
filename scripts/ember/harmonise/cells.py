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
    cells = rows.select(
        pl.col("_at").alias("at"),
        pl.lit(reading.order, pl.Int32).alias("order"),
        pl.col("_person").alias("person"),
        at_visit.alias("visit"),
        pl.col(column.column).alias("reported"),
        *(_beside_measurement(reading) if column.kind == "measurement" else []),
    )
    # Files repeat few texts many times: each text is read once.
    distinct = cells.select("reported", pl.col("reported").str.strip_chars().alias("text")).unique("reported")
    distinct = distinct.filter(pl.col("text").fill_null("") != "")
    missing = missing_rule(pl.col("text"), column.missing, reading.metadata, reading.decimal)
    read = _parsed(distinct.with_columns(missing.alias("rule")), reading, registry)
    frame = cells.join(read, "reported", "inner", maintain_order="left")
    if column.kind != "measurement":
        return Cells(frame.drop("reported"), rows.height)
    return Cells(_flagged(frame, reading).rename({"reported": "value_reported"}), rows.height)


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


def _beside_measurement(reading: Reading) -> list[pl.Expr]:
    """Return what stands beside a result: analyte, unit, specimen, assay, batch and flag."""
    table, column = reading.table, reading.column
    mapping = table.laboratory or table.measurements[column.name]
    unit = pl.lit(mapping.unit) if column.unit_column is None else _stripped(column.unit_column).fill_null("")
    batch = _stripped(column.batch) if column.batch else pl.lit(None, pl.String)
    columns = [
        unit.alias("unit_reported"),
        pl.lit(mapping.specimen, pl.String).alias("specimen"),
        batch.alias("batch"),
    ]
    if table.laboratory:
        analyte = pl.col("_analyte")
        assays = table.laboratory.assays
        assay = analyte.replace_strict(assays, default=None, return_dtype=pl.String) if assays else pl.lit(None)
    else:
        analyte, assay = pl.lit(column.name), pl.lit(table.measurements[column.name].assay)
        below = table.measurements[column.name].below
        if column.flag and below:
            codes = [code.strip() for code in below.codes]
            columns.append(pl.col(column.flag).str.strip_chars().is_in(codes).fill_null(False).alias("flagged"))
    return [*columns, analyte.alias("analyte"), assay.cast(pl.String).alias("assay_id")]


def _stripped(column: str) -> pl.Expr:
    text = pl.col(column).str.strip_chars()
    return pl.when(text != "").then(text)


def _read_measurement(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    text = pl.col("text")
    value = number(text, reading.decimal, operators=True)
    frame = frame.with_columns(value.alias("number"), operator(text).alias("operator"))
    frame = _ruled(frame, "value.not_numeric", pl.col("number").is_null()).drop("text")
    frame = frame.with_columns(pl.when(pl.col("operator") != "").then("number").alias("limit_reported"))
    mapping = reading.table.measurements.get(reading.column.name)
    if mapping is None or mapping.below is None or mapping.below.heap is None:
        return frame
    heap = mapping.below.heap
    # A file format that stores floats may return the fill one unit in the last place off.
    return _left_censored(frame, (pl.col("number") - heap).abs() <= 1e-9 * abs(heap), mapping.below.limit)


def _flagged(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    """Apply the flag column, which the text of the result does not know of."""
    if "flagged" not in frame.columns:
        return frame
    below = reading.table.measurements[reading.column.name].below
    return _left_censored(frame, pl.col("flagged"), below.limit if below else None).drop("flagged")


def _left_censored(frame: pl.DataFrame, marked: pl.Expr, limit: float | None) -> pl.DataFrame:
    """Set the operator where a result is marked and has no sign of its own: a sign carries its limit with it."""
    unsigned = marked & (pl.col("operator") == "")
    return frame.with_columns(
        pl.when(unsigned).then(pl.lit("<")).otherwise("operator").alias("operator"),
        pl.when(unsigned).then(pl.lit(limit, pl.Float64)).otherwise("limit_reported").alias("limit_reported"),
    )
