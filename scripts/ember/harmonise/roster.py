"""Participants: what does not change, told once or repeated over rows, made one value a participant."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ember.tables.contract import contract
from ember.tables.store import POLARS_TYPES


def settle(cells: pl.DataFrame, value: str, key: tuple[str, ...] = ("person",)) -> pl.DataFrame:
    """Return cells that tell one thing several times with conflicts refused and repeats marked.

    Parameters
    ----------
    cells : DataFrame
        `rule` (null where usable), the column `value`, and the key.
    value : str
        Column that has to agree within the key.
    key : tuple of str
        Whose value it is.

    Returns
    -------
    DataFrame
        With `repeat`: true for each usable cell after the first. Where usable cells of one key differ, all of them
        carry `value.conflict`: there is no telling which is right.
    """
    usable = pl.col("rule").is_null()
    first = pl.col(value).first().over(key)
    open_cells = cells.filter(usable).with_columns(
        (pl.col(value) != first).any().over(key).alias("conflict"),
        (~pl.struct(key).is_first_distinct() if len(key) > 1 else ~pl.col(key[0]).is_first_distinct()).alias("repeat"),
    )
    settled = open_cells.with_columns(
        pl.when("conflict").then(pl.lit("value.conflict")).alias("rule"),
        (pl.col("repeat") & ~pl.col("conflict")).alias("repeat"),
    ).drop("conflict")
    return pl.concat([settled, cells.filter(~usable).with_columns(pl.lit(False).alias("repeat"))])


def usable(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the settled cells that carry the value: neither refused nor repeats."""
    return cells.filter(pl.col("rule").is_null() & ~pl.col("repeat"))


def participants(roster: pl.DataFrame, settled: Mapping[str, pl.DataFrame], site: str) -> pl.DataFrame:
    """Return the table of participants.

    Parameters
    ----------
    roster : DataFrame
        `_person`, `_participant`, `source_file`, `_row` in the order of the first table.
    settled : mapping
        Settled cells by column of participants.
    """
    table = roster.select(
        pl.lit(site).alias("site_id"),
        pl.col("_participant").alias("participant_id"),
        "source_file",
        pl.col("_row").alias("row_number"),
        "_person",
    )
    for name, column in contract("participants").mapped.items():
        dtype = POLARS_TYPES[column.type]
        if name not in settled:
            table = table.with_columns(pl.lit(None, dtype).alias(name))
            continue
        value = "number" if column.type == "float64" else "meaning"
        found = usable(settled[name]).select(pl.col("person").alias("_person"), pl.col(value).cast(dtype).alias(name))
        table = table.join(found, "_person", "left", maintain_order="left")
    return table.drop("_person")
