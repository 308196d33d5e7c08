"""The raw file of a source: all text, each site in its own row groups, with what the file says about its columns."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from ember.errors import EmberError
from ember.extract.table import ColumnInfo
from ember.tables.files import replacing

METADATA_KEY = b"ember"
ROW_GROUP = 1 << 18
WAITING = 2  # tables between the one who makes them and the one who compresses them
# Without dictionaries zstd makes columns of short text smaller, and faster.
WRITER_OPTIONS: Mapping[str, Any] = {
    "compression": "zstd",
    "use_dictionary": False,
    "write_statistics": ["_site", "_row"],
}
KEYS = ("_site", "_row", "_file", "_sheet", "_participant")


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


def read_raw(path: Path, site: str, columns: Collection[str] | None = None) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return one site's rows in file order and the metadata of the columns.

    Parameters
    ----------
    columns : collection of str, optional
        Columns of the source to read; the five keys always come with them, and those the file lacks do not.
        Default all.

    Returns
    -------
    DataFrame
        `_site`, `_row` (int64), `_file`, `_sheet`, `_participant` (null where the id is empty), then the
        columns of the source as text.
    dict
        `{"columns": {name: {label, value_labels, missing_values, missing_ranges, type}}}`.

    Raises
    ------
    EmberError
        The file holds no row of the site.

    Notes
    -----
    A row group holds one site, as its statistics say: those of other sites are not touched.
    """
    with pq.ParquetFile(path) as file:
        stored = file.schema_arrow.names
        wanted = None if columns is None else [name for name in stored if name in {*KEYS, *columns}]
        groups = [number for number in range(file.num_row_groups) if _site_of(file.metadata, number) == site]
        if not groups:
            raise EmberError(f"The raw file {path.name} holds no row of the site {site}.", where="read_source")
        frame = pl.DataFrame(pl.from_arrow(file.read_row_groups(groups, columns=wanted)))
        metadata: dict[str, Any] = json.loads(file.schema_arrow.metadata[METADATA_KEY])
    return frame, metadata


def _site_of(metadata: pq.FileMetaData, group: int) -> str:
    return str(metadata.row_group(group).column(KEYS.index("_site")).statistics.min)


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
