"""What many rows share: each distinct combination of columns is looked at once and handed back to its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.harmonise.distinct import category_codes, first_places

Codes = NDArray[np.uint32]

MOST = 1 << 20
"""Combinations that are numbered without looking which of them occur."""
NARROW = 64
"""A column of so few codes is taken with its gaps."""


@dataclass(frozen=True)
class Contexts:
    """Distinct combinations of columns.

    Attributes
    ----------
    rows : DataFrame
    table : DataFrame
        One row a combination, in order of appearance, with what is told of it; text is categorical.
    code : Series of uint32
        Position in `table` of each row's combination.
    """

    rows: pl.DataFrame
    table: pl.DataFrame
    code: pl.Series

    @classmethod
    def of(cls, rows: pl.DataFrame, keys: Sequence[str]) -> Contexts:
        """Return the combinations of `keys` that occur, with `n`, how many rows have them.

        A column of numbers comes after the texts it was read from. A key that the rows lack is null.
        """
        found = [name for name in keys if name in rows.columns]
        code, n = np.zeros(rows.height, dtype=np.uint32), 1
        for name in found:
            own, size = _numbered(rows[name], code, n)
            if n * size <= MOST:
                code, n = (code * np.uint32(size) + own, n * size) if size > 1 else (code, n)
            else:
                code, n = _dense(code.astype(np.int64) * size + own)
        first = first_places(code, n)
        heads = np.sort(first[first < rows.height])
        place = np.zeros(n, dtype=np.uint32)
        place[code[heads]] = np.arange(len(heads), dtype=np.uint32)
        told = pl.Series(place[code])
        counts = np.bincount(told.to_numpy(), minlength=len(heads)).astype(np.int64, copy=False)
        absent = [pl.lit(None, pl.String).alias(name) for name in keys if name not in found]
        table = rows.select(found)[heads].with_columns(*absent, pl.Series("n", counts))
        return cls(rows, table, told).telling(table)

    def telling(self, table: pl.DataFrame) -> Contexts:
        """Return the same with another table; text in it becomes categorical."""
        return replace(self, table=table.with_columns(pl.col(pl.String).cast(pl.Categorical())))

    def places(self, which: pl.Series, columns: Sequence[str]) -> pl.DataFrame:
        """Return columns of the rows of some combinations (one boolean each, none null)."""
        return self.rows.select(columns).filter(which.gather(self.code))

    def without(self, away: pl.Series) -> Contexts:
        """Return the same without some combinations (one boolean each, none null) and their rows."""
        stays = ~away
        kept = stays.gather(self.code)
        place = (stays.cast(pl.UInt32).cum_sum() - 1).cast(pl.UInt32)
        return Contexts(self.rows.filter(kept), self.table.filter(stays), place.gather(self.code.filter(kept)))

    def spread(self, columns: Sequence[str]) -> pl.DataFrame:
        """Return the rows with columns of the table."""
        return self.rows.hstack(self.table.select(columns)[self.code])


def _numbered(column: pl.Series, code: Codes, n: int) -> tuple[Codes, int]:
    """Return a number for each value, none negative, and how many there may be.

    There is one if the column tells nothing beyond the `n` codes of the columns before it.
    """
    nothing = np.zeros(1, dtype=np.uint32), 1
    if column.null_count() == column.len():
        return nothing
    if column.dtype.is_float():
        if _is_told(column, code, n):
            return nothing
        codes = column.rank("dense")
    else:
        codes = category_codes(column)
    own = codes.cast(pl.UInt32)
    numbers = (own - own.min() + 1).fill_null(0).to_numpy() if own.null_count() else (own - own.min()).to_numpy()
    size = int(numbers.max()) + 1
    return (numbers, size) if size <= NARROW else _dense(numbers)


def _is_told(column: pl.Series, code: Codes, n: int) -> bool:
    """Return whether rows of the same code have the same value."""
    first = np.minimum(first_places(code, n), len(code) - 1)
    return bool(column[first].gather(pl.Series(code)).eq_missing(column).all())


def _dense(codes: NDArray[np.integer]) -> tuple[Codes, int]:
    """Return codes without gaps and how many there are."""
    highest = int(codes.max(initial=0))
    if highest > 8 * len(codes) + MOST:
        distinct, numbered = np.unique(codes, return_inverse=True)
        return numbered.astype(np.uint32), len(distinct)
    seen = np.zeros(highest + 1, dtype=np.bool_)
    seen[codes] = True
    numbers = np.cumsum(seen, dtype=np.uint32)
    return numbers[codes] - np.uint32(1), int(numbers[-1])
