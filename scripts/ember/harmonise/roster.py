"""Participants: what does not change, told once or repeated over rows, made one value a participant."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import polars as pl

from ember.harmonise.distinct import first_places
from ember.harmonise.origin import Origin
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
        Whose value it is; positions from 0.

    Returns
    -------
    DataFrame
        With `repeat`: true for each usable cell after the first. Where usable cells of one key differ, all of them
        carry `value.conflict`: there is no telling which is right.
    """
    others = cells.filter(pl.col("rule").is_not_null())
    told = cells.filter(pl.col("rule").is_null()) if others.height else cells
    slot = np.zeros(told.height, dtype=np.int64)
    for name in key:
        positions = told[name].to_numpy().astype(np.int64)
        slot = slot * (positions.max(initial=0) + 1) + positions
    first = first_places(slot, int(slot.max(initial=0)) + 1)[slot]
    differs = (told[value] != told[value].gather(pl.Series(first))).to_numpy()
    repeat = np.arange(told.height) != first
    rule = told["rule"]
    if differs.any():
        conflict = np.isin(slot, slot[differs])
        repeat &= ~conflict
        rule = pl.select(pl.when(pl.Series(conflict)).then(pl.lit("value.conflict")).alias("rule")).to_series()
    settled = told.with_columns(rule, pl.Series("repeat", repeat, pl.Boolean))
    return pl.concat([settled, others.with_columns(pl.lit(False).alias("repeat"))]) if others.height else settled


def usable(cells: pl.DataFrame) -> pl.DataFrame:
    """Return the settled cells that carry the value: neither refused nor repeats."""
    return cells.filter(pl.col("rule").is_null() & ~pl.col("repeat"))


def participants(
    roster: pl.DataFrame, settled: Mapping[str, pl.DataFrame], origin: Origin, death: pl.DataFrame | None = None
) -> pl.DataFrame:
    """Return the table of participants.

    Parameters
    ----------
    roster : DataFrame
        As from `roster_of`, in the order of the first table.
    settled : mapping
        Settled cells by column of participants.
    death : DataFrame, optional
        `person` and `death_day`, the study day.
    """
    table = roster.select(
        pl.lit(origin.site, pl.Categorical()).alias("site_id"),
        origin.participants.alias("participant_id"),
        origin.rows["_file"].gather(roster["_at"]).alias("source_file"),
        origin.rows["_row"].gather(roster["_at"]).alias("row_number"),
    )
    for name, column in contract("participants").mapped.items():
        dtype = POLARS_TYPES[column.type]
        if name not in settled:
            table = table.with_columns(pl.lit(None, dtype).alias(name))
            continue
        told = usable(settled[name])
        value = told["number"].cast(dtype) if column.type == "float64" else told["meaning"]
        table = table.with_columns(_by_person(told["person"], value, table.height).alias(name))
    if death is not None:
        table = table.with_columns(_by_person(death["person"], death["death_day"], table.height).alias("death_day"))
    return table


def _by_person(person: pl.Series, value: pl.Series, n: int) -> pl.Series:
    """Return one value for each of `n` participants, null where none is told."""
    place = np.full(n, len(value), dtype=np.uint32)
    place[person.to_numpy()] = np.arange(len(value), dtype=np.uint32)
    return pl.concat([value, value.clear(1)]).gather(pl.Series(place))
