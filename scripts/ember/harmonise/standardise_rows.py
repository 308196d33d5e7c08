"""Which rows of a source can be used: each other row leaves under one rule, before any cell is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.extract.own_rows import other_tests
from ember.harmonise.distinct import Distinct, first_places
from ember.harmonise.row_visits import with_visits
from ember.registry.model import TableMap, Visit

MANY_KEYS = 8
"""Keys a row up to which they are counted in an array."""


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
    person = kept["_person"].to_numpy()
    first = pl.Series("_at", first_places(person, int(person.max()) + 1 if len(person) else 0))
    return kept["_participant"].gather(first).to_frame().with_row_index("_person").with_columns(first)


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
    frame = with_visits(raw.frame.with_columns(_analyte(table, raw.frame)), table, visits, raw.columns, decimal, starts)
    people = Distinct.of(frame["_participant"])
    key = _keys(frame, table, people.code)
    rules = _Rules(frame.height)
    rules.give("row.no_participant", (people.texts == "").to_numpy()[people.code])
    rules.give("row.other_analyte", other_tests(frame, table).to_numpy())
    # Only rows of one key can repeat or contradict each other; these few are compared cell by cell.
    alike = np.flatnonzero(_repeated(key) & rules.none)
    rules.give("row.duplicate_exact", alike[_repeats(frame[alike])])
    person = people.code
    if roster is not None:
        position = people.texts.to_frame("_participant").join(roster, "_participant", "left", maintain_order="left")
        rules.give("row.not_in_roster", position["_person"].is_null().to_numpy()[person])
        person = position["_person"].fill_null(0).to_numpy()[person]
    unplaced = frame["_unplaced"]
    for rule_id in unplaced.drop_nulls().unique(maintain_order=True):
        rules.give(rule_id, (unplaced == rule_id).fill_null(False).to_numpy())
    if table.laboratory:
        rules.give("row.unknown_analyte", frame["_analyte"].is_null().to_numpy())
    if not _lists_treatments(table):
        _refuse_contradictions(rules, table, alike, key)
    if roster is None:
        person = _by_appearance(person, rules.none)
    # Columns are put together, not dropped or selected: that would copy every text of a frame that lies in pieces.
    kept = pl.DataFrame([column for column in frame if column.name != "_unplaced"])
    kept, none = kept.with_columns(pl.Series("_person", person, pl.UInt32)), rules.none
    if not none.all():  # most sites keep every row
        kept = kept.filter(pl.Series(none))
    refused = frame.select("_file", "_sheet", "_row", rules.names, "_participant").filter(pl.Series(~none))
    return SortedRows(kept, refused)


class _Rules:
    """The rule under which each row leaves: the first that it is given."""

    def __init__(self, n: int) -> None:
        self._given = np.zeros(n, dtype=np.int16)
        self._ids: list[str | None] = [None]

    @property
    def none(self) -> NDArray[np.bool_]:
        """Return which rows have no rule yet."""
        return np.asarray(self._given == 0)

    @property
    def names(self) -> pl.Series:
        return pl.Series("_rule", self._ids, pl.String).gather(pl.Series(self._given, dtype=pl.UInt32))

    def give(self, rule_id: str, rows: NDArray[np.bool_] | NDArray[np.intp]) -> None:
        """Give the rule to rows (a mask or positions) that have none yet."""
        found = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        self._given[found[self._given[found] == 0]] = len(self._ids)
        self._ids.append(rule_id)


def _keys(frame: pl.DataFrame, table: TableMap, person: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Return one number for rows of one participant, visit, and in laboratory tables analyte and sample."""
    parts = [frame["_visit"]]
    if table.laboratory:
        parts.append(pl.Series(Distinct.of(frame["_analyte"]).code))
        # Samples of two days of one visit are two samples; what has one row a visit has one day.
        parts.extend([frame["_day"]] if table.visits.by_date or table.visits.by_day else [])
    key = person.astype(np.int64)
    for part in parts:
        told = part.is_not_null().to_numpy()
        position = part.fill_null(0).to_numpy().astype(np.int64)
        position = np.where(told, position - position.min(initial=0) + 1, 0)
        key = key * (int(position.max(initial=0)) + 1) + position
    return key


def _repeated(key: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which keys, none negative, stand in several rows."""
    highest = int(key.max(initial=0))
    if highest > MANY_KEYS * (len(key) + 1):
        return np.asarray(pl.Series(key).is_duplicated(), dtype=np.bool_)
    return np.asarray(np.bincount(key, minlength=1) > 1, dtype=np.bool_)[key]


def _by_appearance(person: NDArray[np.uint32], kept: NDArray[np.bool_]) -> NDArray[np.uint32]:
    """Number the participants of kept rows from 0 in order of their first row; the others' numbers mean nothing."""
    n = int(person.max()) + 1 if len(person) else 0
    among = first_places(person[kept], n)
    number = np.empty(n, dtype=np.uint32)
    number[np.argsort(among, kind="stable")] = np.arange(n, dtype=np.uint32)
    return number[person]


def _refuse_contradictions(rules: _Rules, table: TableMap, alike: NDArray[np.intp], key: NDArray[np.int64]) -> None:
    """Refuse rows of one key that contradict each other: all of them, or all but the one that the study keeps."""
    # A row that already left does not make another one contradictory.
    left = alike[rules.none[alike]]
    same = pl.Series(key[left])
    if table.duplicates is None:
        rules.give("row.duplicate_conflict", left[same.is_duplicated().to_numpy()])
        return
    chosen = same.is_first_distinct() if table.duplicates.keep == "first" else same.is_last_distinct()
    rules.give("row.duplicate_resolved", left[~chosen.to_numpy()])


def _lists_treatments(table: TableMap) -> bool:
    """Return whether a table has one row a treatment, so that rows of one visit do not contradict each other."""
    return table.treatments is not None and not (table.measurements or table.laboratory or table.instruments)


def _analyte(table: TableMap, frame: pl.DataFrame) -> pl.Series:
    if table.laboratory is None:
        return pl.repeat(None, frame.height, dtype=pl.String, eager=True).alias("_analyte")
    names = {code.strip(): name for code, name in table.laboratory.analyte.codes.items()}
    told = Distinct.of(frame[table.laboratory.analyte.column])
    return told.read(
        lambda text: text.str.strip_chars().replace_strict(names, default=None, return_dtype=pl.String)
    ).alias("_analyte")


def _repeats(alike: pl.DataFrame) -> NDArray[np.bool_]:
    """Return which rows repeat an earlier one cell by cell; outer white space does not count."""
    if alike.is_empty():
        return np.zeros(0, dtype=np.bool_)
    content = [name for name in alike.columns if name not in {"_row", "_unplaced"}]
    cells = alike.select(pl.col(content).cast(pl.String).str.strip_chars().fill_null(""))
    return ~cells.select(pl.struct(pl.all()).is_first_distinct()).to_series().to_numpy()
