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
        By `at` of a cell: `_file`, `_sheet`, `_row`, `source_file`, and of its row `_person`, `_visit`, `_day`.
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
        return pl.concat(found).sort("at", "order")

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
    return SiteCells(tuple(columns), _origins(site, rows, columns), tuple(read))


def _origins(site: Site, rows: Sequence[SortedRows], columns: Sequence[MappedColumn]) -> pl.DataFrame:
    """Return the origin of each kept row.

    Two sheets of one file may hold the same column: then the sheet stands in `source_file`, because source file, row
    and column are the key of the standard tables. Tables of one source share out its rows and need nothing more.
    """
    origins = [part.kept.select("_file", "_sheet", "_row", "_person", "_visit", "_day") for part in rows]
    owners: dict[tuple[str, str], set[str]] = {}
    for mapped in columns:
        for file in origins[mapped.table]["_file"].unique() if mapped.column.kind in {"measurement", "item"} else ():
            owners.setdefault((file, mapped.column.column), set()).add(site.tables[mapped.table].source)
    shared = sorted({file for (file, _), sources in owners.items() if len(sources) > 1})
    with_sheet = pl.concat_str("_file", pl.lit("#"), pl.col("_sheet").fill_null(""))
    name = pl.when(pl.col("_file").is_in(shared)).then(with_sheet).otherwise("_file")
    return pl.concat(origins).with_columns(name.alias("source_file"))
