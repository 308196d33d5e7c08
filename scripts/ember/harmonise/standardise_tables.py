"""The standard tables from the cells that can be used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ember.errors import EmberError
from ember.harmonise.origin import Origin
from ember.registry.model import TreatmentMap
from ember.registry.registry import Registry


def measurements(cells: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """Return the table of laboratory results; a second result of one visit and analyte is a conflict of rows."""
    return origin.named(cells).with_columns(
        pl.lit(1, pl.Int16).alias("replicate"), origin.sheet(cells), origin.source_column(cells)
    )


def items(cells: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """Return the table of answers and totals (item 0)."""
    order = cells["order"].cast(pl.UInt32)
    return origin.named(cells).with_columns(
        pl.Series([column.name for column in origin.columns], dtype=pl.String).gather(order).alias("instrument"),
        pl.Series([column.item for column in origin.columns], dtype=pl.Int16).gather(order).alias("item"),
        origin.sheet(cells),
        origin.source_column(cells),
        pl.col("number").alias("value"),
    )


def visits(cells: Sequence[pl.DataFrame], origin: Origin) -> pl.DataFrame:
    """Return one row a visit with a usable value or date, where it is first seen."""
    places = pl.concat([part.select("at", "visit", "person", "study_day") for part in cells])
    n_visits = len(origin.visits)
    slot = places["person"].to_numpy().astype(np.int64) * n_visits + places["visit"].to_numpy()
    at = places["at"].to_numpy()
    first = np.full(origin.roster.height * n_visits, np.iinfo(np.int64).max)
    np.minimum.at(first, slot, at)
    seen = np.zeros(len(first), dtype=np.int64)
    earliest = np.flatnonzero(at == first[slot])
    seen[slot[earliest]] = earliest  # any cell of that row and visit: they share their study day
    taken_place = seen[first < np.iinfo(np.int64).max]
    placed = places[taken_place].sort("at", "visit")
    return origin.named(placed).with_columns(origin.sheet(placed))


def plain_name(text: pl.Expr) -> pl.Expr:
    """Return a name as names are compared: in small letters, without outer white space."""
    return text.str.strip_chars().str.to_lowercase()


@dataclass(frozen=True)
class TreatmentNames:
    """Names of treatments as registry rows.

    Attributes
    ----------
    table : DataFrame
        `name` (as `plain_name`), `treatment`, `kind`, `atc`.
    """

    table: pl.DataFrame

    @classmethod
    def of(cls, registry: Registry) -> TreatmentNames:
        known = {row["treatment"]: row for row in registry.rows("treatments")}
        rows = [
            (
                row["name"].strip().lower(),
                row["treatment"],
                *(known[row["treatment"]][key] or None for key in ("kind", "atc")),
            )
            for row in registry.rows("treatment_names")
        ]
        schema = {"name": pl.String, "treatment": pl.String, "kind": pl.String, "atc": pl.String}
        table = pl.DataFrame(rows, schema=schema, orient="row")
        twice = table.filter(table["name"].is_duplicated())["name"].unique(maintain_order=True).to_list()
        if twice:
            raise EmberError(
                f"The treatment name '{twice[0]}' stands twice; capital and small letters make no difference.",
                where="config/registry/treatment_names.csv",
            )
        return cls(table)


def treatments(
    cells: pl.DataFrame, mappings: Sequence[TreatmentMap | None], names: TreatmentNames, origin: Origin
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
    Capital and small letters make no difference.
    """
    known = names.table["name"].implode()
    parts = [
        _split(cells.filter(pl.col("mapping") == index), mapping.split, known)
        for index, mapping in enumerate(mappings)
        if mapping is not None
    ]
    long = pl.concat(parts).sort("at", "order", maintain_order=True)
    long = long.with_columns(plain_name(pl.col("text")).alias("name"))
    long = long.join(names.table, on="name", how="left", maintain_order="left")
    once = long.group_by(["at", "order", "treatment"], maintain_order=True).agg(
        pl.col("person", "visit", "study_day", "kind", "atc", "mapping").first(),
        pl.col("text").unique(maintain_order=True).str.join("; ").alias("name_reported"),
    )
    roles = pl.Series([mapping.role if mapping else None for mapping in mappings], dtype=pl.String)
    return origin.named(once).with_columns(roles.gather(once["mapping"].cast(pl.UInt32)).alias("role"))


def _split(cells: pl.DataFrame, separator: str | None, known: pl.Series) -> pl.DataFrame:
    if separator is None:
        return cells
    text = pl.col("text")
    parts = text.str.split(separator).list.eval(pl.element().str.strip_chars())
    parts = parts.list.eval(pl.element().filter(pl.element() != ""))
    whole = plain_name(text).is_in(known) | (
        parts.list.len() == 0
    )  # a cell of separators alone is an unknown name, not nothing
    return cells.with_columns(pl.when(whole).then(pl.concat_list(text)).otherwise(parts).alias("text")).explode("text")
