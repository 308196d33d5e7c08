"""Shares of a site: all rows of some participants at a time, so that a large site needs no more memory than a share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

WHOLE_ROWS = 5 << 16
"""Rows up to which a site is one share."""
SHARE_ROWS = 5 << 15
"""Rows of a share of a larger site: beside it lie the open files, and what is known of all its participants."""

Positions = Mapping[str, NDArray[np.intp]]


def shares(participants: Mapping[str, pl.Series], rows: int = SHARE_ROWS) -> Iterator[Positions]:
    """Yield by source the positions of the rows of each share, in file order.

    Parameters
    ----------
    participants : mapping
        By source the participant of each row of the site; rows without one count as one participant.
    rows : int
        Rows that a share should not exceed by more than the rows of one participant.

    Notes
    -----
    Participants are dealt out in order of appearance, so that the rows of a file which keeps them together are read
    once; of one sorted by visit each share is gathered from the whole of it. A site without rows is one empty share.
    """
    heights = {source: told.len() for source, told in participants.items()}
    n_shares = max(-(-sum(heights.values()) // rows), 1)
    if n_shares == 1:
        yield {source: np.arange(height) for source, height in heights.items()}
        return
    share = _share_of_rows(pl.concat(participants.values()), n_shares)
    del participants  # a number a row is enough from here
    starts = np.cumsum([0, *heights.values()])
    for number in np.unique(share):
        yield {
            source: np.flatnonzero(share[start:end] == number)
            for source, start, end in zip(heights, starts[:-1], starts[1:], strict=True)
        }


def _share_of_rows(everyone: pl.Series, n_shares: int) -> NDArray[np.int16]:
    person = everyone.fill_null("").cast(pl.Categorical(pl.Categories.random())).to_physical().to_numpy()
    counts = np.bincount(person)
    before = np.cumsum(counts) - counts
    share = (before // -(-everyone.len() // n_shares)).astype(np.int16)
    return np.asarray(share[person])
