"""All value cells of a site, by kind, with the place that each comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.harmonise.cells import read_cells
from ember.harmonise.reading import Cells, Reading
from ember.harmonise.standardise_rows import RawRows, SortedRows
from ember.harmonise.value_columns import Kind, ValueColumn, value_columns
from ember.registry.model import Site, Study
from ember.registry.registry import Registry

ROW = ("_file", "_sheet", "_row", "_person", "_visit", "_day")


@dataclass(frozen=True)
class MappedColumn:
    """A value column with the position of its table in the site."""

    table: int
    column: ValueColumn


@dataclass(frozen=True)
class SiteCells:
    """The non-empty cells of every value column of a site.

    Attributes
    ----------
    columns : tuple of MappedColumn
        By `order` of a cell.
    rows : DataFrame
        By `at` of a cell: `_file`, `_sheet`, `_row`, and of its row `_person`, `_visit`, `_day`.
    read : tuple of Cells
        By `order`.
    """

    columns: tuple[MappedColumn, ...]
    rows: pl.DataFrame
    read: tuple[Cells, ...]

    @property
    def n(self) -> int:
        """Rows x mapped columns."""
        return sum(cells.n for cells in self.read)

    @property
    def n_empty(self) -> int:
        return self.n - sum(cells.frame.height for cells in self.read)

    def of(self, kind: Kind, name: str | None = None, table: int | None = None) -> pl.DataFrame | None:
        """Return the cells of one kind in order of source, row and mapping; None where nothing is mapped."""
        found = [
            cells.frame
            for mapped, cells in zip(self.columns, self.read, strict=True)
            if mapped.column.kind == kind and name in (None, mapped.column.name) and table in (None, mapped.table)
        ]
        if len(found) < 2:
            return found[0] if found else None
        return pl.concat(found)[merged([cells["at"].to_numpy() for cells in found])]

    def table_of(self, cells: pl.DataFrame) -> NDArray[np.int16]:
        """Return the position of each cell's table in the site."""
        tables = np.array([mapped.table for mapped in self.columns], dtype=np.int16)
        at: NDArray[np.int16] = tables[cells["order"].to_numpy()]
        return at


def read_site(
    study: Study, site: Site, registry: Registry, raw: Sequence[RawRows], rows: Sequence[SortedRows]
) -> SiteCells:
    """Read every value column of a site; raw and kept rows by table."""
    position = {visit.id: index for index, visit in enumerate(study.visits)}
    columns: list[MappedColumn] = []
    read: list[Cells] = []
    start = 0
    for index, (table, table_rows) in enumerate(zip(site.tables, rows, strict=True)):
        kept = table_rows.kept.with_columns(pl.int_range(start, start + pl.len(), dtype=pl.Int64).alias("_at"))
        start += kept.height
        source, told = raw[index], study.sources[table.source]
        for column in value_columns(table, registry, study.visits, source.frame.columns):
            reading = Reading(
                rows=kept,
                table=table,
                column=column,
                order=len(columns),
                decimal=told.decimal,
                thousands=told.thousands,
                metadata=source.columns.get(column.column, {}),
                visit=position[column.visit] if column.visit else None,
                visits=tuple(position[visit] for visit in column.visits),
            )
            columns.append(MappedColumn(index, column))
            read.append(read_cells(reading, registry))
    return SiteCells(tuple(columns), pl.concat([_places(part.kept) for part in rows]), tuple(read))


def _places(kept: pl.DataFrame) -> pl.DataFrame:
    return kept.select(ROW).with_columns(pl.col("_file", "_sheet").cast(pl.Categorical()))


def merged(rows: Sequence[NDArray[np.int64]]) -> NDArray[np.int64]:
    """Return which cells of the columns, one after the other, stand first, second ... when ordered by row.

    Each array has the rows of one column in ascending order; of one row the cell of an earlier column comes first.
    """
    n_rows = max((int(at[-1]) + 1 for at in rows if len(at)), default=0)
    taken = np.zeros(n_rows + 1, dtype=np.int64)
    for at in rows:
        taken[at + 1] += 1
    place = np.cumsum(taken)
    order = np.empty(int(place[-1]), dtype=np.int64)
    start = 0
    for at in rows:
        order[place[at]] = np.arange(start, start + len(at))
        place[at] += 1
        start += len(at)
    return order
