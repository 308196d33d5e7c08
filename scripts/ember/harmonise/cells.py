"""Read the cells of one value column: strip, set aside what is missing, parse the rest."""

from __future__ import annotations

import polars as pl
import polars.selectors as cs

from ember.harmonise.dates import day_of
from ember.harmonise.derived import NOT_DERIVED
from ember.harmonise.derived import RULE as NOT_DERIVED_RULE
from ember.harmonise.distinct import Distinct
from ember.harmonise.measurement_cells import beside_measurement, joined_marks, read_measurement
from ember.harmonise.missing import missing_rule
from ember.harmonise.numbers import number
from ember.harmonise.reading import Cells, Reading, ruled, without_blanks
from ember.harmonise.treatment_cells import beside_treatment
from ember.registry.model import DateColumn
from ember.registry.registry import Registry
from ember.tables.contract import Column, contract

PLACE = ("at", "order", "person", "visit")
WORDS = cs.by_name("reported", "operator", "meaning", require_all=False)
"""Text that repeats: kept as categories."""
UNREADABLE = {
    "time_zero": "visit.date_unreadable",
    "visit_date": "visit.date_unreadable",
    "death": "value.date_unreadable",
}
OF_THE_PARTICIPANT = {"time_zero", "participant", "death"}
"""Kinds of columns that hold what does not change."""


def read_cells(reading: Reading, registry: Registry) -> Cells:
    """Return the non-empty cells of a column, parsed, each with the rule that takes it out or null.

    The frame has the columns `at`, `order`, `person`, `visit`, `rule`, and by the kind of the column `number`,
    `meaning`, `day` and the rest of a measurement.
    """
    column = reading.column
    rows = reading.rows
    if reading.visits and column.visit is None:
        rows = rows.filter(pl.col("_visit").is_in(reading.visits))
    if column.kind in OF_THE_PARTICIPANT:
        at_visit = pl.lit(None, pl.Int16)  # what does not change belongs to no visit
    else:
        at_visit = pl.col("_visit") if column.visit is None else pl.lit(reading.visit, pl.Int16)
    distinct = Distinct.of(rows[column.column])
    texts = distinct.texts.to_frame("reported").with_columns(pl.col("reported").str.strip_chars().alias("text"))
    filled = (texts["text"] != "").to_numpy()[distinct.code]
    read = _parsed(texts.with_columns(_first_rule(reading).alias("rule")), reading, registry)
    if column.kind != "measurement":
        read = read.drop("reported")
    told = rows.select(
        pl.col("_at").alias("at"),
        pl.lit(reading.order, pl.Int32).alias("order"),
        pl.col("_person").alias("person"),
        at_visit.alias("visit"),
        *(beside_measurement(reading, rows) if column.kind == "measurement" else []),
        *(beside_treatment(reading) if column.kind == "treatment" else []),
    )
    told, code = (told, distinct.code) if filled.all() else (told.filter(pl.Series(filled)), distinct.code[filled])
    cells = told.hstack(read.with_columns(WORDS.cast(pl.Categorical()))[code])
    if column.kind != "measurement":
        return Cells(cells, rows.height)
    return Cells(joined_marks(cells, reading).rename({"reported": "value_reported"}), rows.height)


def _first_rule(reading: Reading) -> pl.Expr:
    """Return the rule of a cell that is not read at all: its formula failed, or it is missing by code."""
    text = pl.col("text")
    missing = missing_rule(text, reading.column.missing, reading.metadata, reading.decimal, reading.thousands)
    if reading.column.column not in reading.table.derived:
        return missing
    return pl.when(text == NOT_DERIVED).then(pl.lit(NOT_DERIVED_RULE)).otherwise(missing)


def _parsed(frame: pl.DataFrame, reading: Reading, registry: Registry) -> pl.DataFrame:
    kind = reading.column.kind
    if kind == "measurement":
        return read_measurement(frame, reading)
    if kind == "item":
        numbers = frame.with_columns(_number(pl.col("text"), reading).alias("number"))
        return ruled(numbers, "value.not_numeric", pl.col("number").is_null()).drop("text")
    if kind in UNREADABLE:
        return _read_date(frame, reading)
    if kind == "participant":
        return _read_participant(frame, reading, registry)
    return frame


def _number(text: pl.Expr, reading: Reading) -> pl.Expr:
    return number(text, reading.decimal, thousands=reading.thousands)


def declared_date(reading: Reading) -> DateColumn:
    """Return how the site file declares a column of dates."""
    table = reading.table
    declared = {"time_zero": table.time_zero, "death": table.death}.get(reading.column.kind, table.visits.date)
    assert declared is not None
    return declared


def _read_date(frame: pl.DataFrame, reading: Reading) -> pl.DataFrame:
    day = day_of(pl.col("text"), declared_date(reading).date, reading.decimal)
    frame = frame.with_columns(day.alias("day"))
    return ruled(frame, UNREADABLE[reading.column.kind], pl.col("day").is_null()).drop("text")


def _read_participant(frame: pl.DataFrame, reading: Reading, registry: Registry) -> pl.DataFrame:
    target = contract("participants").by_name[reading.column.name]
    mapping = reading.table.columns[target.name]
    codes = without_blanks(mapping.codes)
    text = pl.col("text")
    if target.type == "float64":
        value = _number(text.replace(codes) if codes else text, reading)
        frame = frame.with_columns(value.alias("number"))
        frame = ruled(frame, "value.not_numeric", pl.col("number").is_null())
        return ruled(frame, "value.outside_hard_limits", ~_inside(target)).drop("text")
    allowed = allowed_names(target, registry)
    if mapping.codelist:
        names = codelist_names(registry, mapping.codelist)
        listed = text.str.to_lowercase().replace_strict(names, default=None, return_dtype=pl.String)
        listed = pl.when(listed.is_in(allowed)).then(listed) if allowed else listed
        declared = text.replace_strict(codes, default=None, return_dtype=pl.String) if codes else pl.lit(None)
        meaning = pl.coalesce(declared, listed)
    elif codes:
        meaning = text.replace_strict(codes, default=None, return_dtype=pl.String)
    else:
        meaning = pl.when(text.is_in(allowed)).then(text) if allowed else text
    frame = frame.with_columns(meaning.alias("meaning"))
    return ruled(frame, "value.not_in_codes", pl.col("meaning").is_null()).drop("text")


def allowed_names(target: Column, registry: Registry) -> list[str]:
    """Return the names that a column of participants may hold; empty where any text may stand."""
    if target.registry:
        return [row[target.registry.removesuffix("s")] for row in registry.rows(target.registry)]
    return list(target.allowed)


def codelist_names(registry: Registry, codelist: str) -> dict[str, str]:
    """Return code by name, in small letters and without outer white space, of one list of codelist_names.csv."""
    rows = [row for row in registry.rows("codelist_names") if row["codelist"] == codelist]
    return {row["name"].strip().lower(): row["code"] for row in rows}


def _inside(target: Column) -> pl.Expr:
    low = pl.lit(True) if target.low is None else pl.col("number") >= target.low
    high = pl.lit(True) if target.high is None else pl.col("number") <= target.high
    return low & high
