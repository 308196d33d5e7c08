"""Which rows of a source can be used: each other row leaves under one rule, before any cell is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ember.errors import EmberError
from ember.harmonise.row_visits import with_visits
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
        the column names tell it), `_day` (study day, where it tells the visit) and `_analyte` (laboratory tables).
    refused : DataFrame
        `_file`, `_sheet`, `_row`, `_rule` and `_participant`.
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


def sort_rows(
    raw: RawRows,
    table: TableMap,
    visits: tuple[Visit, ...],
    roster: pl.DataFrame | None,
    decimal: str = ".",
    starts: pl.DataFrame | None = None,
) -> SortedRows:
    """Return which rows are kept, and the rule under which each other row leaves.

    Parameters
    ----------
    raw : RawRows
        Rows of the table.
    roster : DataFrame or None
        As from `roster_of`; None for the first table, which makes the roster.
    decimal : str
        The declared decimal mark, for study days.
    starts : DataFrame, optional
        As for `with_visits`.
    """
    known = pl.int_range(pl.len(), dtype=pl.Int64).alias("_at"), _analyte(table), pl.lit(None, pl.String).alias("_rule")
    frame = with_visits(raw.frame.with_columns(*known), table, visits, raw.columns, decimal, starts)
    frame = _marked(frame, "row.no_participant", pl.col("_participant").fill_null("") == "")
    # Samples of two days of one visit are two samples; what has one row a visit has one day.
    own_day = table.laboratory and (table.visits.by_date or table.visits.by_day)
    key = ["_participant", "_visit", "_analyte", *(["_day"] if own_day else [])]
    # Only rows of one key can repeat or contradict each other; these few are compared cell by cell.
    alike = frame.filter(frame.select(key).is_duplicated() & frame["_rule"].is_null())
    frame = _marked(frame, "row.duplicate_exact", pl.col("_at").is_in(_repeats(alike).implode()))
    if roster is not None:
        frame = frame.join(roster.select("_participant", "_person"), "_participant", "left", maintain_order="left")
        frame = _marked(frame, "row.not_in_roster", pl.col("_person").is_null())
    frame = frame.with_columns(_rule=pl.coalesce("_rule", "_unplaced")).drop("_unplaced")
    if table.laboratory:
        frame = _marked(frame, "row.unknown_analyte", pl.col("_analyte").is_null())
    if not _lists_treatments(table):
        frame = _without_contradictions(frame, table, alike["_at"], key)
    open_rows = pl.col("_rule").is_null()
    kept = frame.filter(open_rows).drop("_rule", "_at")
    if roster is None:
        people = roster_of(kept).select("_participant", "_person")
        kept = kept.join(people, "_participant", "left", maintain_order="left")
    return SortedRows(kept, frame.filter(~open_rows).select("_file", "_sheet", "_row", "_rule", "_participant"))


def _without_contradictions(frame: pl.DataFrame, table: TableMap, alike: pl.Series, key: list[str]) -> pl.DataFrame:
    """Mark rows of one key that contradict each other: all of them, or all but the one that the study keeps."""
    # A row that already left does not make another one contradictory.
    left = frame.filter(pl.col("_rule").is_null() & pl.col("_at").is_in(alike.implode()))
    if table.duplicates is None:
        conflicts = left["_at"].filter(left.select(key).is_duplicated())
        return _marked(frame, "row.duplicate_conflict", pl.col("_at").is_in(conflicts.implode()))
    whole = pl.struct(key)
    chosen = whole.is_first_distinct() if table.duplicates.keep == "first" else whole.is_last_distinct()
    others = left.filter(~chosen)["_at"]
    return _marked(frame, "row.duplicate_resolved", pl.col("_at").is_in(others.implode()))


def refuse_cardinality(site: str, table: TableMap, rows: SortedRows, roster: pl.DataFrame | None) -> None:
    """Refuse a table with another number of rows a participant than its site file states; repeats do not count.

    Parameters
    ----------
    roster : DataFrame or None
        As from `roster_of`; None for the first table, whose own participants count, also those who left it.

    Raises
    ------
    EmberError
        With the number of participants who have none, and several.
    """
    if table.per_participant == "many":
        return
    repeats = ["row.duplicate_exact", "row.duplicate_resolved", "row.no_participant"]
    left = rows.refused.filter(~pl.col("_rule").is_in(repeats)).select("_participant")
    own = pl.concat([rows.kept.select("_participant"), left])
    own = own if roster is None else own.join(roster, "_participant", "semi")
    each = own.group_by("_participant").len()
    whole = each.height if roster is None else roster.height
    n_several = each.filter(pl.col("len") > 1).height
    n_none = whole - each.height if table.per_participant == "one" else 0
    if n_several or n_none:
        none = f" and {n_none} have none" if n_none else ""
        raise EmberError(
            f"{n_several} of {whole} participants have several rows in {table.name}{none}.",
            where=f"sites/{site}.yaml  {table.name}  per_participant: {table.per_participant}",
            fix="Correct `per_participant:`, or say under `duplicates:` which row is kept.",
        )


def _lists_treatments(table: TableMap) -> bool:
    """Return whether a table has one row a treatment, so that rows of one visit do not contradict each other."""
    return table.treatments is not None and not (table.measurements or table.laboratory or table.instruments)


def _analyte(table: TableMap) -> pl.Expr:
    if table.laboratory is None:
        return pl.lit(None, pl.String).alias("_analyte")
    names = {code.strip(): name for code, name in table.laboratory.analyte.codes.items()}
    text = pl.col(table.laboratory.analyte.column).str.strip_chars()
    return text.replace_strict(names, default=None, return_dtype=pl.String).alias("_analyte")


def _marked(frame: pl.DataFrame, rule_id: str, condition: pl.Expr) -> pl.DataFrame:
    """Give the rule to the rows that meet the condition and have none yet."""
    return frame.with_columns(_rule=pl.coalesce("_rule", pl.when(condition).then(pl.lit(rule_id))))


def _repeats(alike: pl.DataFrame) -> pl.Series:
    """Return the positions of rows that repeat an earlier one cell by cell; outer white space does not count."""
    content = [name for name in alike.columns if name not in {"_row", "_rule", "_at", "_unplaced"}]
    cells = alike.select(pl.col(content).cast(pl.String).str.strip_chars().fill_null(""))
    return alike["_at"].filter(~cells.select(pl.struct(pl.all()).is_first_distinct()).to_series())
