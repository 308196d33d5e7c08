"""The verdict on each cell of a mapped column: true, false, or null where the rule does not ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from ember.harmonise.dates import day_of
from ember.harmonise.missing import missing_rule
from ember.harmonise.numbers import number
from ember.registry.model import Source, TableMap
from ember.registry.registry import Registry
from ember.tables.contract import Column, contract
from ember.validate.gate_rule import COUNT
from ember.validate.raw_rules import MappedCell

TEXT = "_text"


@dataclass(frozen=True)
class Told:
    """What a site file and the file itself tell about the cells of a column."""

    cell: MappedCell
    table: TableMap
    source: Source
    metadata: Mapping[str, Any]


def text_verdicts(texts: pl.DataFrame, told: Told, registry: Registry) -> pl.DataFrame:
    """Return by rule ("filled", the form, "range") whether each text meets it, beside how often it stands.

    Parameters
    ----------
    texts : DataFrame
        `TEXT`, distinct texts of a column in rows that can be used (a cell of any other row is not judged, as in the
        ledger), and `COUNT`.

    Notes
    -----
    Files repeat few texts many times: each text is judged once. Written apart from the reading of cells in
    standardising, so that the two are held against each other by a test and not by construction.
    """
    text = pl.col("text")
    each = texts.with_columns(pl.col(TEXT).str.strip_chars().fill_null("").alias("text"))
    missing = missing_rule(text, told.cell.column.missing, told.metadata, told.source.decimal, told.source.thousands)
    filled = (text != "") & missing.is_null()
    verdicts = {"filled": filled}
    if told.cell.form:
        value = _read(told, registry)
        verdicts[told.cell.form] = pl.when(filled).then(value.is_not_null())
        if told.cell.low is not None or told.cell.high is not None:
            verdicts["range"] = pl.when(filled & value.is_not_null()).then(_inside(value, told.cell))
    return each.select(COUNT, *(verdict.alias(name) for name, verdict in verdicts.items()))


def _read(told: Told, registry: Registry) -> pl.Expr:
    """Return what a cell says, null where it cannot be read."""
    text, column, table = pl.col("text"), told.cell.column, told.table
    if told.cell.form == "date":
        declared = {"time_zero": table.time_zero, "death": table.death}.get(column.kind, table.visits.date)
        assert declared is not None
        return day_of(text, declared.date, told.source.decimal)
    if told.cell.form == "codes":
        return _meaning(text, contract("participants").by_name[column.name], table, registry)
    codes = {} if column.kind != "participant" else _stripped(table.columns[column.name].codes)
    return number(
        text.replace(codes) if codes else text, told.source.decimal, operators=column.kind == "measurement",
        thousands=told.source.thousands,
    )  # fmt: skip


def _meaning(text: pl.Expr, target: Column, table: TableMap, registry: Registry) -> pl.Expr:
    """Return the text itself where the site file, its code list or the contract knows it."""
    mapping = table.columns[target.name]
    allowed = (
        [row[target.registry.removesuffix("s")] for row in registry.rows(target.registry)] if target.registry else []
    )
    allowed = allowed or list(target.allowed)
    if mapping.codelist:
        rows = [row for row in registry.rows("codelist_names") if row["codelist"] == mapping.codelist]
        names = [row["name"].strip().lower() for row in rows if not allowed or row["code"] in allowed]
        known = text.str.to_lowercase().is_in(names) | text.is_in(list(_stripped(mapping.codes)))
    else:
        known = text.is_in(list(_stripped(mapping.codes)) or allowed)
    return pl.when(known).then(text)


def _stripped(codes: Mapping[str, str]) -> dict[str, str]:
    return {code.strip(): meaning for code, meaning in codes.items()}


def _inside(value: pl.Expr, cell: MappedCell) -> pl.Expr:
    low = pl.lit(True) if cell.low is None else value >= cell.low
    high = pl.lit(True) if cell.high is None else value <= cell.high
    return low & high
