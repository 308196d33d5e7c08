"""The raw rows of a site in shares: all rows of some participants, from every source that the site reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.extract.raw_rows import n_rows, read_participants, read_raw
from ember.extract.shares import SHARE_ROWS, WHOLE_ROWS, shares

Raw = dict[str, tuple[pl.DataFrame, dict[str, Any]]]


def raw_shares(paths: Mapping[str, Path], site: str, rows: int | None = None) -> Iterator[Raw]:
    """Yield by source the rows of a share and what the file says of its columns, as `read_raw` returns them.

    Parameters
    ----------
    paths : mapping
        Raw file by source, in the order in which their participants are dealt out.
    rows : int, optional
        As for `shares`. By default a site up to `WHOLE_ROWS` is one share, and those of a larger one are smaller.

    Notes
    -----
    A site of one share is read at once; of a larger one the participants are read first.
    """
    total = sum(n_rows(path, site) for path in paths.values())
    rows = rows or (WHOLE_ROWS if total <= WHOLE_ROWS else SHARE_ROWS)
    if total <= rows:
        yield {source: read_raw(path, site) for source, path in paths.items()}
        return
    for share in shares({source: read_participants(path, site) for source, path in paths.items()}, rows):
        yield {source: _rows(paths[source], site, at) for source, at in share.items()}


def _rows(path: Path, site: str, at: NDArray[np.intp]) -> tuple[pl.DataFrame, dict[str, Any]]:
    span = (int(at[0]), int(at[-1] - at[0] + 1)) if len(at) else (0, 0)
    frame, told = read_raw(path, site, rows=span)
    return (frame if frame.height == len(at) else frame[at - at[0]]), told
