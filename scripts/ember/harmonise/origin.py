"""Where cells come from: positions of rows, participants, visits and columns put into words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from ember.harmonise.value_columns import ValueColumn
from ember.registry.model import Visit
from ember.tables.store import category


def words(names: Sequence[str | None]) -> pl.Series:
    """Return names as categories: what is gathered from them to millions of cells stays a code until it is read."""
    return pl.Series(names, dtype=pl.Categorical())


@dataclass(frozen=True)
class Origin:
    """Where cells come from.

    Attributes
    ----------
    rows : DataFrame
        By `at`: `_file`, `_sheet` (categorical), `_row`.
    roster : DataFrame
        By `person`: `_participant` and `_at`, the participant's first row.
    columns : sequence of ValueColumn
        By `order`.
    """

    site: str
    visits: tuple[Visit, ...]
    rows: pl.DataFrame
    roster: pl.DataFrame
    columns: Sequence[ValueColumn]

    @cached_property
    def participants(self) -> pl.Series:
        """Pseudonyms by `person`, as categories."""
        return self.roster["_participant"].cast(category("participant_id"))

    def named(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Return the cells with site, participant, visit, source file and row number in words."""
        names = words([visit.id for visit in self.visits])
        at = cells["at"].cast(pl.UInt32)
        return cells.with_columns(
            pl.lit(self.site, pl.Categorical()).alias("site_id"),
            self.participants.gather(cells["person"]).alias("participant_id"),
            names.gather(cells["visit"].cast(pl.UInt32)).alias("visit"),
            self.rows["_file"].gather(at).alias("source_file"),
            self.rows["_row"].gather(at).alias("row_number"),
        )

    def sheet(self, cells: pl.DataFrame) -> pl.Series:
        """Return the sheet of each cell; null outside workbooks."""
        if self.rows["_sheet"].null_count() == self.rows.height:
            return pl.Series("sheet", [None], pl.String).new_from_index(0, cells.height)
        return self.rows["_sheet"].gather(cells["at"].cast(pl.UInt32)).alias("sheet")

    def source_column(self, cells: pl.DataFrame) -> pl.Series:
        """Return the name of each cell's column in the source."""
        names = words([column.column for column in self.columns])
        return names.gather(cells["order"].cast(pl.UInt32)).alias("column")
