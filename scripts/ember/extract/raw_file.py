"""The raw file of a source: all text, each site in its own row groups, with what the file says about its columns."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from ember.extract.raw_rows import KEYS, METADATA_KEY, PLACES_KEY, read_raw
from ember.extract.table import ColumnInfo
from ember.tables.files import replacing

__all__ = ["KEYS", "METADATA_KEY", "read_raw", "write_raw"]

ROW_GROUP = 1 << 18
WAITING = 2  # tables between the one who makes them and the one who compresses them
OFTEN = 8  # rows a value, from which a dictionary of the values pays
VIEWS = pl.CompatLevel.newest()  # text as polars has it: nothing is copied
EMPTY = ("_sheet", "_participant")  # columns with nulls; an empty cell is "", and a null in another column is refused
WRITER_OPTIONS: Mapping[str, Any] = {
    "compression": "lz4",
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
    written: list[tuple[str, int]] = []
    writer = None
    # Arrow compresses one table without holding the interpreter while Python makes the next one's pseudonyms.
    with replacing(path) as temporary, ThreadPoolExecutor(max_workers=1) as pool:
        try:
            pending: deque[Future[None]] = deque()
            for site, frame in frames:
                keyed = _with_keys(frame, site, file, sheet)
                if writer is None:
                    writer = _writer(temporary, keyed, columns)
                table = pa.Table.from_arrays(keyed.to_arrow(compat_level=VIEWS).columns, schema=writer.schema)
                if len(pending) == WAITING:
                    pending.popleft().result()
                pending.append(pool.submit(writer.write_table, table, row_group_size=ROW_GROUP))
                written.append((site, table.num_rows))
            while pending:
                pending.popleft().result()
            if writer is None:
                empty = pl.DataFrame(schema={"_row": pl.Int64(), "_participant": pl.String()})
                writer = _writer(temporary, _with_keys(empty, "", file, sheet), {})
            told = {"file": file, "sheet": sheet, "sites": _joined(written)}
            writer.add_key_value_metadata({PLACES_KEY: json.dumps(told, ensure_ascii=False)})
        finally:
            pool.shutdown()
            if writer is not None:
                writer.close()
    counts: dict[str, int] = {}
    for site, n in written:
        counts[site] = counts.get(site, 0) + n
    return counts


def _joined(written: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return the sites in the order of their rows, with the rows of each run of frames of one site."""
    runs = groupby(written, key=lambda one: one[0])
    return [(site, sum(n for _, n in frames)) for site, frames in runs]


def _writer(path: Path, first: pl.DataFrame, columns: Mapping[str, ColumnInfo]) -> pq.ParquetWriter:
    """Return a writer for frames like the first; columns whose values repeat in it get a dictionary."""
    fields = [field.with_nullable(field.name in EMPTY) for field in first.clear().to_arrow(compat_level=VIEWS).schema]
    repeating = [name for name in first.columns if first[name].n_unique() <= first.height // OFTEN]
    return pq.ParquetWriter(
        path,
        pa.schema(fields, {METADATA_KEY: _metadata(columns, first.columns)}),
        use_dictionary=repeating or False,
        **WRITER_OPTIONS,
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
