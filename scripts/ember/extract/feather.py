"""Feather files: version 2 (Arrow IPC) and the older version 1."""

from __future__ import annotations

import warnings
from typing import Any

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import feather

from ember.errors import EmberError
from ember.extract.header import column_names
from ember.extract.parquet import typed_table
from ember.extract.signature import check_file
from ember.extract.table import RawTable
from ember.registry.model import Source


def read_feather(source: Source) -> RawTable:
    """Read a Feather file; rows count from 1.

    Raises
    ------
    EmberError
        The file is damaged, a column holds more than one value a cell, or there is no data row.
    """
    table = _table(source)
    names = column_names(table.column_names, source)
    try:
        frame = pl.DataFrame(pl.from_arrow(table))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, pa.ArrowException, ValueError):
        raise _damaged(source) from None
    return typed_table(source, frame, names)


def read_feather_header(source: Source) -> list[str]:
    """Return the column names of a Feather file."""
    return column_names(_table(source).column_names, source)


def _table(source: Source) -> Any:
    check_file(source)
    try:
        with warnings.catch_warnings():
            # Version 1 is deprecated for writers; files of it still come.
            warnings.simplefilter("ignore", DeprecationWarning)
            return feather.read_table(source.path, memory_map=True)
    except (pa.ArrowException, OSError, ValueError):
        raise _damaged(source) from None


def _damaged(source: Source) -> EmberError:
    return EmberError(
        "The Feather file cannot be read: it is damaged or cut off.", where=source.shown_path, fix="Export it again."
    )
