"""The raw file of a source: all text, each site in its own row groups, with what the file says about its columns."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from ember.extract.raw_rows import KEYS, METADATA_KEY, read_raw
from ember.extract.table import ColumnInfo
from ember.tables.files import replacing

__all__ = ["KEYS", "METADATA_KEY", "read_raw", "write_raw"]

ROW_GROUP = 1 << 18
WAITING = 2  # tables between the one who makes them and the one who compresses them
# Without dictionaries zstd makes columns of short text smaller, and faster.
WRITER_OPTIONS: Mapping[str, Any] = {
    "compression": "zstd",
    "use_dictionary": False,
    "write_statistics": ["_site", "_row"],
}


def write_raw(
    frames: Iterable[tuple[str, pl.DataFrame]],
    columns: Mapping[str, ColumnInfo],
    path: Path,
    *,
    file: str,
    sheet: str | None,
) -> dict[str, int]:
    """Write each frame as row groups of its site, in the order given; return the number of rows a site.

    Parameters
    ----------
    frames : iterable of (site, DataFrame)
        `_row`, `_participant` and text columns. An iterator, so that a batch is held at a time; a site may come
        again with later rows. If it raises, nothing is written.
    columns : mapping
        What the file says about its columns; those that are not written are left out.
    file : str
        Path of the source in its data folder.
    """
    counts: dict[str, int] = {}
    writer = None
    # Arrow compresses one table without holding the interpreter while Python makes the next one's pseudonyms.
    with replacing(path) as temporary, ThreadPoolExecutor(max_workers=1) as pool:
        try:
            pending: deque[Future[None]] = deque()
            for site, frame in frames:
                table = _with_keys(frame, site, file, sheet).to_arrow(compat_level=pl.CompatLevel.oldest())
                if writer is None:
                    writer = _writer(temporary, table.schema, columns)
                if len(pending) == WAITING:
                    pending.popleft().result()
                pending.append(pool.submit(writer.write_table, table, row_group_size=ROW_GROUP))
                counts[site] = counts.get(site, 0) + table.num_rows
            while pending:
                pending.popleft().result()
            if writer is None:
                empty = pl.DataFrame(schema={"_row": pl.Int64(), "_participant": pl.String()})
                schema = _with_keys(empty, "", file, sheet).to_arrow(compat_level=pl.CompatLevel.oldest()).schema
                writer = _writer(temporary, schema, {})
        finally:
            pool.shutdown()
            if writer is not None:
                writer.close()
    return counts


def _writer(path: Path, schema: pa.Schema, columns: Mapping[str, ColumnInfo]) -> pq.ParquetWriter:
    return pq.ParquetWriter(
        path, schema.with_metadata({METADATA_KEY: _metadata(columns, schema.names)}), **WRITER_OPTIONS
    )


def _with_keys(frame: pl.DataFrame, site: str, file: str, sheet: str | None) -> pl.DataFrame:
    keyed = frame.with_columns(
        pl.lit(site).alias("_site"),
        pl.lit(file).alias("_file"),
        pl.lit(sheet, dtype=pl.String).alias("_sheet"),
    )
    return keyed.select(*KEYS, pl.exclude(KEYS))


def _metadata(columns: Mapping[str, ColumnInfo], written: Iterable[str]) -> bytes:
    content = {name: columns[name].content() for name in written if name in columns}
    return json.dumps({"columns": content}, sort_keys=True, ensure_ascii=False).encode()
