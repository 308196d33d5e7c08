"""The standard tables from the cells that can be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ember.harmonise.value_columns import ValueColumn
from ember.registry.model import TreatmentMap, Visit
from ember.registry.registry import Registry


@dataclass(frozen=True)
class Origin:
    """Where cells come from.

    Attributes
    ----------
    rows : DataFrame
        By `at`: `source_file`, `_row`.
    roster : DataFrame
        By `person`: `_participant`.
    columns : sequence of ValueColumn
        By `order`.
    """

    site: str
    visits: tuple[Visit, ...]
    rows: pl.DataFrame
    roster: pl.DataFrame
    columns: Sequence[ValueColumn]

    def named(self, cells: pl.DataFrame) -> pl.DataFrame:
        """Return the cells with site, participant, visit, source file and row number in words."""
        names = pl.Series([visit.id for visit in self.visits], dtype=pl.String)
        at = cells["at"].cast(pl.UInt32)
        return cells.with_columns(
            pl.lit(self.site).alias("site_id"),
            self.roster["_participant"].gather(cells["person"]).alias("participant_id"),
            names.gather(cells["visit"].cast(pl.UInt32)).alias("visit"),
            self.rows["source_file"].gather(at).alias("source_file"),
            self.rows["_row"].gather(at).alias("row_number"),
        )

    def source_column(self, cells: pl.DataFrame) -> pl.Series:
        """Return the name of each cell's column in the source."""
        names = pl.Series([column.column for column in self.columns], dtype=pl.String)
        return names.gather(cells["order"].cast(pl.UInt32)).alias("column")


def measurements(cells: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """Return the table of laboratory results; a second result of one visit and analyte is a conflict of rows."""
    return origin.named(cells).with_columns(pl.lit(1, pl.Int16).alias("replicate"), origin.source_column(cells))


def items(cells: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """Return the table of answers and totals (item 0)."""
    order = cells["order"].cast(pl.UInt32)
    return origin.named(cells).with_columns(
        pl.Series([column.name for column in origin.columns], dtype=pl.String).gather(order).alias("instrument"),
        pl.Series([column.item for column in origin.columns], dtype=pl.Int16).gather(order).alias("item"),
        origin.source_column(cells),
        pl.col("number").alias("value"),
    )


def visits(cells: Sequence[pl.DataFrame], origin: Origin) -> pl.DataFrame:
    """Return one row a visit with a usable value or date, where it is first seen."""
    places = pl.concat([part.select("at", "visit", "person", "study_day") for part in cells])
    seen = places.unique(["at", "visit"], maintain_order=False).sort("at", "visit")
    return origin.named(seen.unique(["person", "visit"], keep="first", maintain_order=True))


@dataclass(frozen=True)
class TreatmentNames:
    """Names of treatments as registry rows.

    Attributes
    ----------
    table : DataFrame
        `name`, `treatment`, `kind`, `atc`.
    """

    table: pl.DataFrame

    @classmethod
    def of(cls, registry: Registry) -> TreatmentNames:
        known = {row["treatment"]: row for row in registry.rows("treatments")}
        rows = [
            (row["name"], row["treatment"], known[row["treatment"]]["kind"] or None, known[row["treatment"]]["atc"] or None)
            for row in registry.rows("treatment_names")
        ]
        schema = {"name": pl.String, "treatment": pl.String, "kind": pl.String, "atc": pl.String}
        return cls(pl.DataFrame(rows, schema=schema, orient="row"))


def treatments(
    cells: pl.DataFrame, mappings: Sequence[TreatmentMap], names: TreatmentNames, origin: Origin
) -> pl.DataFrame:
    """Return the table of treatments, in order of the source and of the names within a cell.

    Parameters
    ----------
    cells : DataFrame
        `text` and `mapping`, the position of the cell's mapping in `mappings`.

    Notes
    -----
    The whole cell is looked up before its parts: some combinations have a name of their own. Names in one cell that
    mean the same treatment make one row, and so do those that the registry does not know; they are joined as reported.
    """
    known = names.table["name"].implode()
    parts = [_split(cells.filter(pl.col("mapping") == index), mapping, known) for index, mapping in enumerate(mappings)]
    long = pl.concat(parts).sort("at", "order", maintain_order=True)
    long = long.join(names.table, left_on="text", right_on="name", how="left", maintain_order="left")
    once = long.group_by(["at", "order", "treatment"], maintain_order=True).agg(
        pl.col("person", "visit", "study_day", "kind", "atc", "mapping").first(),
        pl.col("text").unique(maintain_order=True).str.join("; ").alias("name_reported"),
    )
    roles = pl.Series([mapping.role for mapping in mappings], dtype=pl.String)
    return origin.named(once).with_columns(roles.gather(once["mapping"].cast(pl.UInt32)).alias("role"))


def _split(cells: pl.DataFrame, mapping: TreatmentMap, known: pl.Series) -> pl.DataFrame:
    if mapping.split is None:
        return cells
    text = pl.col("text")
    whole = pl.concat_list(text)
    names = pl.when(text.is_in(known)).then(whole).otherwise(text.str.split(mapping.split))
    long = cells.with_columns(names.alias("text")).explode("text").with_columns(text.str.strip_chars())
    return long.filter(text != "")
