"""Parquet files."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
from polars.exceptions import PanicException, PolarsError

from ember.errors import EmberError
from ember.extract.header import column_names
from ember.extract.signature import check_file
from ember.extract.table import ColumnInfo, RawTable, raw_table
from ember.extract.text import column_text
from ember.registry.model import Source


def read_parquet(source: Source) -> RawTable:
    """Read a Parquet file; rows count from 1.

    Raises
    ------
    EmberError
        The file is damaged, a column holds more than one value a cell, or there is no data row.
    """
    names = read_parquet_header(source)
    try:
        frame = pl.read_parquet(source.path, glob=False)
    except (PolarsError, PanicException, OSError):
        raise _damaged(source) from None
    return typed_table(source, frame, names)


def read_parquet_header(source: Source) -> list[str]:
    """Return the column names of a Parquet file.

    Raises
    ------
    EmberError
        The file is damaged, or its column names cannot be used.
    """
    check_file(source)
    try:
        # An open file: in a path "[" would be a pattern.
        with source.path.open("rb") as content:
            return column_names(list(pl.read_parquet_schema(content)), source)
    except (PolarsError, PanicException, OSError):
        raise _damaged(source) from None


def typed_table(source: Source, frame: pl.DataFrame, names: Sequence[str]) -> RawTable:
    """Return a frame of typed columns as text; rows count from 1.

    Raises
    ------
    EmberError
        A column holds more than one value a cell, or there is no data row.
    """
    typed = dict(zip(names, frame.get_columns(), strict=True))
    text = [column_text(values.rename(name), source.shown_path) for name, values in typed.items()]
    numbers = pl.int_range(1, frame.height + 1, dtype=pl.Int64, eager=True).alias("_row")
    infos = {name: ColumnInfo(type=str(values.dtype)) for name, values in typed.items()}
    return raw_table(source, pl.DataFrame([*text, numbers]), columns=infos)


def _damaged(source: Source) -> EmberError:
    return EmberError(
        "The Parquet file cannot be read: it is damaged or cut off.", where=source.shown_path, fix="Export it again."
    )
