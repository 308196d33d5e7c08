"""What many rows share: each distinct combination of columns is looked at once and handed back to its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.harmonise.distinct import Distinct, first_places

MOST = 1 << 20
"""Combinations that are numbered without looking which of them occur."""
SHIFTS = (52, 12)
"""Bits below the file and below the row number in a key of order."""


@dataclass(frozen=True)
class Contexts:
    """Distinct combinations of columns.

    Attributes
    ----------
    rows : DataFrame
    table : DataFrame
        One row a combination, in order of appearance; text as text. A column that the rows lack is null.
    code : integer array
        Position in `table` of each row's combination.
    """

    rows: pl.DataFrame
    table: pl.DataFrame
    code: NDArray[np.int64]

    @classmethod
    def of(cls, rows: pl.DataFrame, keys: Sequence[str]) -> Contexts:
        """Return the combinations of `keys` that occur."""
        found = [name for name in keys if name in rows.columns]
        code, n = np.zeros(rows.height, dtype=np.int64), 1
        for name in found:
            own, size = _dense(_codes(rows[name]))
            code, n = code * size + own, n * size
            if n > MOST:
                code, n = _dense(code)
        first = first_places(code, n)
        seen = np.flatnonzero(first < rows.height)
        seen = seen[np.argsort(first[seen], kind="stable")]
        place = np.zeros(n, dtype=np.int64)
        place[seen] = np.arange(len(seen))
        table = rows.select(found)[first[seen]].with_columns(pl.col(pl.Categorical).cast(pl.String))
        absent = [pl.lit(None, pl.String).alias(name) for name in keys if name not in found]
        return cls(rows, table.with_columns(absent).select(keys), place[code])

    def spread(self, told: pl.DataFrame) -> pl.DataFrame:
        """Return the rows with what is told of each combination; text becomes categories."""
        return self.rows.hstack(told.with_columns(pl.col(pl.String).cast(pl.Categorical()))[self.code])


def in_order(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows by file in order of appearance, row number and analyte; most sites map them in that order."""
    if rows.is_empty():
        return rows
    analytes = Distinct.of(rows["analyte"])
    rank = np.argsort(np.argsort(analytes.texts.to_numpy(), kind="stable"))
    key = (rows["row_number"].to_numpy() << SHIFTS[1]) | rank[analytes.code]
    files = Distinct.of(rows["source_file"])
    if len(files.texts) > 1:
        key |= files.code.astype(np.int64) << SHIFTS[0]
    return rows if bool((np.diff(key) >= 0).all()) else rows[np.argsort(key, kind="stable")]


def _codes(column: pl.Series) -> NDArray[np.int64]:
    """Return a number for each value, none negative; 0 where there is none."""
    if column.null_count() == column.len():
        return np.zeros(column.len(), dtype=np.int64)
    told = column if column.dtype == pl.Categorical else column.cast(pl.Categorical(pl.Categories.random()))
    codes: NDArray[np.int64] = (told.to_physical().cast(pl.Int64) + 1).fill_null(0).to_numpy()
    return codes


def _dense(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Return codes without gaps and how many there are."""
    if len(codes) and int(codes.max()) > 8 * len(codes) + MOST:
        distinct, numbered = np.unique(codes, return_inverse=True)
        return numbered.astype(np.int64), len(distinct)
    seen = np.zeros(int(codes.max(initial=0)) + 1, dtype=np.int64)
    seen[codes] = 1
    return (np.cumsum(seen) - 1)[codes], max(int(seen.sum()), 1)
