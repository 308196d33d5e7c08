"""Which rows of a source can be used: each other row leaves under one rule, before any cell is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ember.registry.model import TableMap, Visit


@dataclass(frozen=True)
class RawRows:
    """Rows of one source of one site as read_source wrote them.

    Attributes
    ----------
    frame : DataFrame
        `_site`, `_row`, `_file`, `_sheet`, `_participant`, and each source column as text.
    columns : mapping
        Metadata by column: `missing_values`, `missing_ranges` and others.
    """

    frame: pl.DataFrame
    columns: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class SortedRows:
    """The rows of a source, kept and refused.

    Attributes
    ----------
    kept : DataFrame
        Source columns, `_person` (position in the roster), `_visit` (position in the study's visits, null where
        the column names tell it) and `_analyte` (laboratory tables).
    refused : DataFrame
        `_file`, `_sheet`, `_row` and `_rule`.
    """

    kept: pl.DataFrame
    refused: pl.DataFrame

    def count(self, *rule_ids: str) -> int:
        return self.refused.filter(pl.col("_rule").is_in(rule_ids)).height


def roster_of(kept: pl.DataFrame) -> pl.DataFrame:
    """Return the participants of the kept rows in order of appearance.

    Returns
    -------
    DataFrame
        `_person` (position in the roster), `_participant`, `_at` (position of the first row).
    """
    first = kept.select("_participant").with_row_index("_at").unique("_participant", keep="first", maintain_order=True)
    return first.with_row_index("_person")


def sort_rows(raw: pl.DataFrame, table: TableMap, visits: tuple[Visit, ...], roster: pl.DataFrame | None) -> SortedRows:
    """Return which rows are kept, and the rule under which each other row leaves.

    Parameters
    ----------
    raw : DataFrame
        As in `RawRows`.
    roster : DataFrame or None
        As from `roster_of`; None for the first table, which makes the roster.
    """
    frame = raw.with_columns(*_known(table, visits), pl.lit(None, pl.String).alias("_rule"))
    frame = _marked(frame, "row.no_participant", pl.col("_participant").fill_null("") == "")
    key = ["_participant", "_visit", "_analyte"]
    # Only rows of one key can repeat or contradict each other; these few are compared cell by cell.
    alike = frame.filter(frame.select(key).is_duplicated() & frame["_rule"].is_null())
    frame = _marked(frame, "row.duplicate_exact", pl.col("_at").is_in(_repeats(alike).implode()))
    if roster is not None:
        frame = frame.join(roster.select("_participant", "_person"), "_participant", "left", maintain_order="left")
        frame = _marked(frame, "row.not_in_roster", pl.col("_person").is_null())
    if table.visits.long:
        frame = _marked(frame, "row.unknown_visit", pl.col("_visit").is_null())
    if table.laboratory:
        frame = _marked(frame, "row.unknown_analyte", pl.col("_analyte").is_null())
    open_rows = pl.col("_rule").is_null()
    if not _lists_treatments(table):
        # A row that already left does not make another one contradictory.
        left = frame.filter(open_rows & pl.col("_at").is_in(alike["_at"].implode()))
        conflicts = left["_at"].filter(left.select(key).is_duplicated())
        frame = _marked(frame, "row.duplicate_conflict", pl.col("_at").is_in(conflicts.implode()))
    kept = frame.filter(open_rows).drop("_rule", "_at")
    if roster is None:
        people = roster_of(kept).select("_participant", "_person")
        kept = kept.join(people, "_participant", "left", maintain_order="left")
    return SortedRows(kept, frame.filter(~open_rows).select("_file", "_sheet", "_row", "_rule"))


def _lists_treatments(table: TableMap) -> bool:
    """Return whether a table has one row a treatment, so that rows of one visit do not contradict each other."""
    return table.treatments is not None and not (table.measurements or table.laboratory or table.instruments)


def _known(table: TableMap, visits: tuple[Visit, ...]) -> list[pl.Expr]:
    """Return the expressions for the row's index, visit and analyte."""
    position = {visit.id: index for index, visit in enumerate(visits)}
    at_visit = pl.lit(position.get(table.visits.single or ""), pl.Int16)
    if table.visits.long:
        codes = {code.strip(): position[visit] for code, visit in table.visits.long.codes.items()}
        at_visit = _translated(table.visits.long.column, codes, pl.Int16())
    analyte = pl.lit(None, pl.String)
    if table.laboratory:
        names = {code.strip(): name for code, name in table.laboratory.analyte.codes.items()}
        analyte = _translated(table.laboratory.analyte.column, names, pl.String())
    return [pl.int_range(pl.len(), dtype=pl.Int64).alias("_at"), at_visit.alias("_visit"), analyte.alias("_analyte")]


def _translated(column: str, codes: Mapping[str, Any], dtype: pl.DataType) -> pl.Expr:
    return pl.col(column).str.strip_chars().replace_strict(codes, default=None, return_dtype=dtype)


def _marked(frame: pl.DataFrame, rule_id: str, condition: pl.Expr) -> pl.DataFrame:
    """Give the rule to the rows that meet the condition and have none yet."""
    return frame.with_columns(_rule=pl.coalesce("_rule", pl.when(condition).then(pl.lit(rule_id))))


def _repeats(alike: pl.DataFrame) -> pl.Series:
    """Return the positions of rows that repeat an earlier one cell by cell; outer white space does not count."""
    content = [name for name in alike.columns if name not in {"_row", "_rule", "_at"}]
    cells = alike.select(pl.col(content).cast(pl.String).str.strip_chars().fill_null(""))
    return alike["_at"].filter(~cells.select(pl.struct(pl.all()).is_first_distinct()).to_series())
