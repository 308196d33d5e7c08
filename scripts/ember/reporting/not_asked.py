"""Participants to whom the branching of a REDCap form never showed a field: nothing of theirs is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ember.extract.branching import EVENT, fields_of
from ember.extract.hidden import Branching, branching_said, filled_though_hidden, hidden_by_branching
from ember.extract.raw_rows import KEYS
from ember.extract.redcap import REPEAT
from ember.registry.model import Study, TableMap
from ember.reporting.raw_columns import RawColumns

Line = tuple[str, str, str]
Columns = Sequence[tuple[str, tuple[str, str, str | None]]]
"""The value columns of a table, each with table, variable and the visit that its name tells."""
ONCE = "participants"
"""Table of what does not change: its values stand in any one row of a participant."""


@dataclass(frozen=True)
class HiddenCells:
    """The rows of a source and which of their cells are empty because the form hid the field.

    Attributes
    ----------
    rows : DataFrame
        The five keys of a raw file, and the columns that conditions and site files look at to tell rows apart.
    hidden, told : mapping
        By column with branching: whether the cell was hidden and is empty; whether a field of its condition, in the
        same row, is filled, so that the row tells something about it.
    filled : mapping
        By column: cells that hold something although the field was hidden.
    unread : tuple of str
        Columns whose branching EMBER does not read.
    """

    rows: pl.DataFrame
    hidden: Mapping[str, pl.Series]
    told: Mapping[str, pl.Series]
    filled: Mapping[str, int]
    unread: tuple[str, ...]


def hidden_of(study: Study, folder: Path, sources: Mapping[str, RawColumns]) -> dict[str, HiddenCells]:
    """Return the hidden cells of each source with branching, from the raw files in a folder."""
    found: dict[str, HiddenCells] = {}
    for source, columns in sources.items():
        tables = [table for site in study.sites_of(source) for table in site.tables if table.source == source]
        cells = read_hidden(folder / f"{source}.parquet", columns.said, tables)
        if cells is not None:
            found[source] = cells
    return found


def remarks(hidden: Mapping[str, HiddenCells]) -> list[str]:
    """Return what a data manager should know of the branching: counts and columns, never a cell."""
    lines = []
    for source, cells in hidden.items():
        for column, count in cells.filled.items():
            lines.append(f"{source}: {count} cells of {column} are filled though branching hides the field")
        for column in cells.unread:
            lines.append(f"{source}: the branching of {column} is not read, so each of its empty cells is missing")
    return lines


def read_hidden(path: Path, said: Mapping[str, Mapping[str, Any]], tables: Collection[TableMap]) -> HiddenCells | None:
    """Read from a raw file what its dictionary's branching hid; None where no column has branching.

    Parameters
    ----------
    said : mapping
        What the file says of its columns.
    tables : collection of TableMap
        Tables that read the source.
    """
    branching = branching_said(said)
    if not branching.conditions and not branching.unread:
        return None
    fields = {field.column for condition in branching.conditions.values() for field in fields_of(condition)}
    keys = {column for table in tables for column in _row_columns(table)}
    wanted = {*KEYS, EVENT, REPEAT, *branching.conditions, *fields, *keys}
    scan = pl.scan_parquet(path, glob=False)
    frame = scan.select([name for name in scan.collect_schema().names() if name in wanted]).collect()
    return hidden_cells(frame, branching, keys)


def hidden_cells(frame: pl.DataFrame, branching: Branching, keys: Collection[str]) -> HiddenCells:
    """Return the cells of some raw rows that were hidden; `keys` are columns by which site files tell rows apart."""
    hidden = hidden_by_branching(frame, branching, "_participant")
    return HiddenCells(
        frame.select([name for name in frame.columns if name in {*KEYS, *keys}]),
        hidden,
        {name: _told(frame, branching, name) for name in hidden},
        filled_though_hidden(frame, branching, "_participant"),
        branching.unread,
    )


def not_asked(
    site: str,
    columns: Sequence[tuple[TableMap, Columns]],
    sources: Mapping[str, HiddenCells],
    participants: pl.Series,
    visits: pl.DataFrame,
) -> dict[Line, int]:
    """Return by table, variable and visit how many participants of a site never saw the field.

    Parameters
    ----------
    columns : sequence of (TableMap, Columns)
        The value columns of each table of the site.
    sources : mapping of str to HiddenCells
        Only of sources with branching.
    participants : Series of str
        Who is in the site's table of participants.
    visits : DataFrame
        `source_file`, `row_number`, `visit` of the rows whose visit only their date tells.

    Notes
    -----
    Somebody was not asked if each cell that could hold the value was hidden; for a questionnaire these are all its
    items. A variable of which one column has no branching, or branching that is not read, is expected of everyone.
    What does not change is asked at one event, and dictionaries do not say at which: rows that fill no field of the
    condition say nothing about it, unless no row does.
    """
    always: set[tuple[str, str, str | None]] = set()
    cells: list[pl.DataFrame] = []
    for table, places in columns:
        source = sources.get(table.source)
        rows = None if source is None else _placed(source, site, table, visits)
        for column, place in places:
            if source is None or rows is None or column not in source.hidden:
                always.add(place)
            else:
                cells.append(_cells(source, rows, column, place))
    if not cells:
        return {}
    counts: dict[Line, int] = {}
    for name, variable, visit, count in _unasked(pl.concat(cells), participants):
        if not {(name, variable, visit), (name, variable, None)} & always:
            counts[name, variable, visit] = count
    return counts


def _unasked(cells: pl.DataFrame, participants: pl.Series) -> Iterator[tuple[str, str, str, int]]:
    line = ["table", "variable", "visit"]
    says = pl.col("told") | ~pl.col("told").any().over([*line, "_participant"])
    known = cells.filter(pl.col("visit").is_not_null() & pl.col("_participant").is_in(participants.implode()))
    people = known.filter(says).group_by([*line, "_participant"], maintain_order=True).agg(pl.col("hidden").all())
    counted = people.filter("hidden").group_by(line, maintain_order=True).agg(pl.len())
    return counted.iter_rows()


def _told(frame: pl.DataFrame, branching: Branching, column: str) -> pl.Series:
    """Return whether a row itself fills the column or a field of its condition."""
    here = [field.column for field in fields_of(branching.conditions[column]) if field.event is None]
    own = [] if column in branching.checkboxes else [column]
    filled = [pl.col(name).fill_null("").str.strip_chars() != "" for name in [*here, *own]]
    return frame.select(pl.any_horizontal([pl.lit(False), *filled]).alias("told")).to_series()


def _row_columns(table: TableMap) -> list[str]:
    """Return the columns by which a site file tells its rows, and their visits, apart."""
    told = (table.rows, table.visits.long)
    return [column.column for column in told if column is not None]


def _placed(source: HiddenCells, site: str, table: TableMap, visits: pl.DataFrame) -> pl.DataFrame:
    """Return the table's rows with their place in the source and the visit that they themselves tell, if any."""
    rows = source.rows.with_row_index("_at").filter(pl.col("_site") == site)
    if table.rows is not None:
        rows = rows.filter(_text(table.rows.column) == table.rows.equals.strip())
    if table.visits.long is not None:
        codes = {code.strip(): visit for code, visit in table.visits.long.codes.items()}
        visit = _text(table.visits.long.column).replace_strict(codes, default=None, return_dtype=pl.String)
        rows = rows.with_columns(visit.alias("_visit"))
    else:
        keys = {"source_file": "_file", "row_number": "_row", "visit": "_visit"}
        rows = rows.join(visits.rename(keys), on=["_file", "_row"], how="left", maintain_order="left")
    return rows.select("_at", "_participant", "_visit")


def _text(column: str) -> pl.Expr:
    return pl.col(column).fill_null("").str.strip_chars()


def _cells(source: HiddenCells, rows: pl.DataFrame, column: str, place: tuple[str, str, str | None]) -> pl.DataFrame:
    table, variable, named = place
    at = rows["_at"]
    told = source.told[column].gather(at) if table == ONCE else pl.repeat(True, at.len(), eager=True)
    visit = pl.col("_visit") if named is None else pl.lit(named)
    return rows.select(
        "_participant",
        pl.lit(table).alias("table"),
        pl.lit(variable).alias("variable"),
        visit.alias("visit"),
        source.hidden[column].gather(at).alias("hidden"),
        told.alias("told"),
    )
