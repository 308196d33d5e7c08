"""Parquet files in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from ember.errors import EmberError
from ember.extract.parquet import read_parquet_header
from ember.extract.table import ColumnInfo, RawStream, RawTable, empty_rejected, no_rows, without_blank_rows
from ember.extract.text import column_text, only_midnight
from ember.registry.model import Source

BATCH_ROWS = 1 << 17


def stream_parquet(source: Source) -> RawStream:
    """Read a Parquet file in batches; rows count from 1.

    Raises
    ------
    EmberError
        The file is damaged, a column holds more than one value a cell, or there is no data row.

    Notes
    -----
    Whether date-times are dates is a matter of the whole column: those columns are read once more, before.
    """
    names = read_parquet_header(source)
    with source.path.open("rb") as content:
        schema = dict(zip(names, pl.read_parquet_schema(content).values(), strict=True))
    infos = {name: ColumnInfo(type=str(kind)) for name, kind in schema.items()}
    times = [name for name, kind in schema.items() if kind == pl.Datetime]
    dates = set(times)
    for frame in _frames(source, schema) if times else ():
        dates -= {name for name in dates if not only_midnight(frame[name])}
        if not dates:
            break
    return RawStream(names, infos, None, _batches(source, names, schema, {name: name in dates for name in times}))


def _batches(
    source: Source, names: Sequence[str], schema: Mapping[str, pl.DataType], dates: Mapping[str, bool]
) -> Iterator[RawTable]:
    infos = {name: ColumnInfo(type=str(kind)) for name, kind in schema.items()}
    start = 1
    kept = 0
    for frame in _frames(source, schema):
        text = [column_text(frame[name], source.shown_path, as_dates=dates.get(name)) for name in names]
        numbers = pl.int_range(start, start + frame.height, dtype=pl.Int64, eager=True).alias("_row")
        table = without_blank_rows(RawTable(pl.DataFrame([*text, numbers]), None, infos, empty_rejected()))
        start += frame.height
        kept += table.frame.height
        yield table
    if not kept:
        raise no_rows(source)


def _frames(source: Source, schema: Mapping[str, pl.DataType]) -> Iterator[pl.DataFrame]:
    try:
        with pq.ParquetFile(source.path) as file:
            for batch in file.iter_batches(BATCH_ROWS):
                frame = pl.DataFrame(pl.from_arrow(pa.Table.from_batches([batch])))
                frame.columns = list(schema)
                yield frame.select(pl.col(name).cast(kind) for name, kind in schema.items())
    except (pa.ArrowException, OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException):
        raise EmberError(
            "The Parquet file cannot be read: it is damaged or cut off, or a column is of a type that is not known.",
            where=source.shown_path,
            fix="Export it again.",
        ) from None
