"""The raw file of a source: all text, one site after the other, with what the file says about its columns."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from ember.errors import EmberError
from ember.extract.table import ColumnInfo
from ember.tables.files import replacing

METADATA_KEY = b"ember"
ROW_GROUP = 1 << 18
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
    """Write the rows of each site in its own row groups, in the order given; return the number of rows a site.

    Parameters
    ----------
    frames : iterable of (site, DataFrame)
        `_row`, `_participant` and text columns. An iterator, so that one site is held at a time.
    columns : mapping
        What the file says about its columns; those that are not written are left out.
    file : str
        Path of the source in its data folder.
    """
    counts: dict[str, int] = {}
    writer = None
    # Arrow compresses one site without holding the interpreter while Python makes the next one's pseudonyms.
    with replacing(path) as temporary, ThreadPoolExecutor(max_workers=1) as pool:
        try:
            pending: list[Future[None]] = []
            for site, frame in frames:
                table = _with_keys(frame, site, file, sheet).to_arrow(compat_level=pl.CompatLevel.oldest())
                if writer is None:
                    schema = table.schema.with_metadata({METADATA_KEY: _metadata(columns, table.column_names)})
                    writer = pq.ParquetWriter(temporary, schema, **WRITER_OPTIONS)
                while pending:
                    pending.pop().result()
                pending.append(pool.submit(writer.write_table, table.cast(writer.schema), row_group_size=ROW_GROUP))
                counts[site] = table.num_rows
            while pending:
                pending.pop().result()
        finally:
            if writer is not None:
                pool.shutdown()
                writer.close()
    return counts


def read_raw(path: Path, site: str) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return one site's rows in file order and the metadata of the columns.

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
    """
    frame = pl.scan_parquet(path).filter(pl.col("_site") == site).collect()
    if frame.is_empty():
        raise EmberError(f"The raw file {path.name} holds no row of the site {site}.", where="read_source")
    metadata: dict[str, Any] = json.loads(pq.read_metadata(path).metadata[METADATA_KEY])
    return frame, metadata


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
