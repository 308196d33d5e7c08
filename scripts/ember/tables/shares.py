"""Tables that are written and read in shares: all rows of some participants at a time, so that memory is bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import polars as pl

from ember.tables.files import replacing
from ember.tables.store import PARQUET, as_kept, conform, read_table

HEIGHTS = "ember.shares"


class TableWriter:
    """Writes the shares of one table, each as one row group; made by `table_writer`."""

    def __init__(self, path: Path, table: str) -> None:
        self._path, self._table = path, table
        self._first: pl.DataFrame | None = None
        self._writer: Any = None
        self._heights: list[int] = []

    @property
    def rows(self) -> int:
        """Rows written so far."""
        return sum(self._heights)

    def write(self, frame: pl.DataFrame) -> None:
        """Add a share, after its contract.

        Raises
        ------
        BrokenContractError
            As in `ember.tables.store.conform`. Keys are compared within the share: they name the participant.
        """
        share = as_kept(conform(frame, self._table), self._table)
        self._heights.append(share.height)
        if len(self._heights) == 1:
            self._first = share
            return
        if self._first is not None:
            self._open(self._first)
            self._first = None
        self._append(share)

    def close(self) -> None:
        if self._writer is not None:
            self._writer.add_key_value_metadata({HEIGHTS: json.dumps(self._heights)})
            self._writer.close()
        elif self._first is not None:
            self._first.write_parquet(self._path, **PARQUET)

    def _open(self, share: pl.DataFrame) -> None:
        # The usual table is one share; its job does not pay for starting another library.
        import pyarrow.parquet as pq  # type: ignore[import-untyped]

        schema = share.head(0).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
        self._writer = pq.ParquetWriter(self._path, schema, write_statistics=False, compression="none")
        self._append(share)

    def _append(self, share: pl.DataFrame) -> None:
        table = share.to_arrow(compat_level=pl.CompatLevel.oldest())
        self._writer.write_table(table, row_group_size=max(share.height, 1))


@contextmanager
def table_writer(path: Path | str, table: str) -> Iterator[TableWriter]:
    """Yield a writer of shares; the file is there, whole, once the block has ended, and not at all if it raises."""
    with replacing(path) as temporary, ExitStack() as closing:
        writer = TableWriter(temporary, table)
        closing.callback(writer.close)
        yield writer


def share_heights(path: Path | str) -> list[int]:
    """Return the rows of each share of a table, in order."""
    told = pl.read_parquet_metadata(path).get(HEIGHTS)
    if told is None:
        return [pl.scan_parquet(path, glob=False).select(pl.len()).collect().item()]
    heights: list[int] = json.loads(told)
    return heights


def read_shares(path: Path | str, table: str, *, coded: bool = False) -> Iterator[pl.DataFrame]:
    """Yield the shares of a table in order, as `ember.tables.store.read_table` reads them."""
    start = 0
    for height in share_heights(path):
        yield read_table(path, table, coded=coded, rows=(start, height))
        start += height
