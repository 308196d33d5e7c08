"""Numbers for keys, and codes for participants, of one site at a time: memory does not grow with the study."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

LARGEST = 1 << 62


class People:
    """Codes of the participants of a site: those of its roster come first, others as they turn up.

    Parameters
    ----------
    roster : iterable of Series of str
        Participants that are known; `known` is how many there are.

    Notes
    -----
    Categories of its own, which are forgotten with it: the shared ones would keep the pseudonyms of every site. They
    last as long as a column uses them, which `_holder` does.
    """

    def __init__(self, roster: Iterable[pl.Series] = ()) -> None:
        self._dtype = pl.Categorical(pl.Categories.random())
        self._holder = pl.Series([], dtype=self._dtype)
        highest = [codes.max() for codes in map(self.coded, roster)]
        self.known = max((high + 1 for high in highest if isinstance(high, int)), default=0)

    def coded(self, ids: pl.Series) -> pl.Series:
        """Return the code of each participant, null where nobody is named."""
        return ids.cast(pl.String).cast(self._dtype).to_physical()


def key_numbers(frame: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """Return a number for each row, the same for two rows if and only if all their key columns are the same.

    Notes
    -----
    Codes of the columns are the digits of a number with mixed bases; where it would pass 2^62 the digits so far are
    ranked first. A missing cell is a code of its own.
    """
    total, size = pl.repeat(0, frame.height, dtype=pl.Int64, eager=True), 1
    for name in key:
        column = frame[name].cast(pl.Categorical) if frame.schema[name] == pl.String else frame[name]
        codes = column.to_physical().cast(pl.Int64)
        low = codes.min()
        codes = (codes - (low if isinstance(low, int) else 0) + 1).fill_null(0)
        high = codes.max()
        base = (high if isinstance(high, int) else 0) + 1
        if size * base > LARGEST:
            total = total.rank("dense").cast(pl.Int64)
            size = frame.height + 1
        total = total * base + codes
        size *= base
    return total


def key_hashes(frame: pl.DataFrame, key: Sequence[str]) -> NDArray[np.uint64]:
    """Return a hash for each row: where two differ, so do the keys; where they are equal, the keys may differ."""
    return frame.select(key).hash_rows().to_numpy()


def all_differ(hashes: Sequence[NDArray[np.uint64]]) -> bool:
    """Return whether no hash of a site stands twice, eight bytes a row."""
    whole = np.concatenate(hashes)
    whole.sort()
    return not (whole[1:] == whole[:-1]).any()
