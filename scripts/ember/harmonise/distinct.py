"""Distinct texts of a column: files repeat few texts many times, so each is read once and handed back to its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True)
class Distinct:
    """The distinct texts of a column.

    Attributes
    ----------
    texts : Series of str
        As the file has them, in order of appearance; an empty cell is "".
    code : uint32 array
        Position in `texts` of each row's text.
    """

    texts: pl.Series
    code: NDArray[np.uint32]

    @classmethod
    def of(cls, column: pl.Series) -> Distinct:
        """Return the distinct texts of a column in order of appearance; null counts as empty.

        A categorical column has been told apart already.
        """
        if column.dtype == pl.Categorical:
            return cls._of_categories(column.fill_null("") if column.null_count() else column)
        # Rows of one participant mostly stand together: the text of a run is looked up once.
        column = column.fill_null("") if column.null_count() else column
        run = column.rle_id().to_numpy()
        heads = np.flatnonzero(np.diff(run, prepend=np.uint32(1 << 31))).astype(np.uint32)
        few = len(heads) * 2 < len(run)
        code = category_codes(column.gather(pl.Series(heads)) if few else column).to_numpy()
        code = code.astype(np.uint32, copy=False)
        first = first_places(code, int(code.max()) + 1 if len(code) else 0)
        found = heads[first] if few else first
        return cls(column.gather(pl.Series(found)), code[run] if few else code)

    @classmethod
    def _of_categories(cls, column: pl.Series) -> Distinct:
        codes = category_codes(column).to_numpy().astype(np.uint32, copy=False)
        first = first_places(codes, int(codes.max()) + 1 if len(codes) else 0)
        seen = np.flatnonzero(first < len(codes))
        seen = seen[np.argsort(first[seen], kind="stable")]
        place = np.zeros(len(first), dtype=np.uint32)
        place[seen] = np.arange(len(seen), dtype=np.uint32)
        return cls(column.gather(pl.Series(first[seen])).cast(pl.String), place[codes])

    def spread(self, values: pl.Series) -> pl.Series:
        """Return one value a row from one value a text."""
        return values.gather(pl.Series(self.code))

    def read(self, read: Callable[[pl.Expr], pl.Expr]) -> pl.Series:
        """Return what an expression makes of each row's text."""
        return self.spread(self.texts.to_frame("text").select(read(pl.col("text"))).to_series())


def category_codes(texts: pl.Series) -> pl.Series:
    """Return a code for each text, null where there is none: those of a categorical column are taken as they are."""
    # Categories of their own, or the codes would count on from those of other columns.
    told = texts if texts.dtype == pl.Categorical else texts.cast(pl.Categorical(pl.Categories.random()))
    return told.to_physical()


def first_places(code: NDArray[np.integer], n: int) -> NDArray[np.uint32]:
    """Return the position of the first row of each code from 0 to n - 1; n rows where a code has none."""
    first = np.full(n, len(code), dtype=np.uint32)
    first[code[::-1]] = np.arange(len(code), dtype=np.uint32)[::-1]  # the earliest is written last and stays
    return first
