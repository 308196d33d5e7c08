"""The standard tables from the cells that can be used."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ember.harmonise.origin import Origin, words


def measurements(cells: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """Return the table of laboratory results; a second result of one visit and analyte is a conflict of rows."""
    return origin.named(cells).with_columns(
        pl.lit(1, pl.Int16).alias("replicate"), origin.sheet(cells), origin.source_column(cells)
    )


def items(cells: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    """Return the table of answers and totals (item 0)."""
    order = cells["order"].cast(pl.UInt32)
    return origin.named(cells).with_columns(
        words([column.name for column in origin.columns]).gather(order).alias("instrument"),
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
