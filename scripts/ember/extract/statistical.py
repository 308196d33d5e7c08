"""What SPSS and SAS files share: typed columns to text, labels and declared missing values to metadata."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from ember.errors import EmberError
from ember.extract.table import ColumnInfo, RawTable, column_names, raw_table
from ember.extract.text import column_text, number_text
from ember.registry.model import Source

LIBRARY_ENCODINGS: Mapping[str, str] = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "latin-1": "ISO-8859-1",
    "cp1252": "WINDOWS-1252",
}


def read_statistical(source: Source, read: Callable[..., tuple[Any, Any]], **options: Any) -> tuple[pl.DataFrame, Any]:
    """Call a reader of pyreadstat and return frame and metadata.

    Raises
    ------
    EmberError
        The file is damaged, cut off or in another encoding.
    """
    try:
        return read(str(source.path), output_format="polars", **options)
    except (UnicodeDecodeError, UnicodeEncodeError):
        reason = "its text is in another encoding than declared"
    except Exception as error:
        # pyreadstat raises its own bare exceptions, OverflowError for dates beyond the calendar, and more; their
        # text may carry a value.
        if isinstance(error, MemoryError):
            raise
        encoding = "convert string" in str(error)
        reason = "its text is in another encoding than declared" if encoding else "it is damaged or cut off"
    raise EmberError(
        f"The file cannot be read: {reason}.",
        where=source.shown_path,
        fix="Compare its size with the original, export it again, or declare its `encoding:`.",
    )


def statistical_table(source: Source, frame: pl.DataFrame, meta: Any, row_one: int = 1) -> RawTable:
    """Return the text table and its metadata; rows count from 1, as the data view of the package shows them."""
    names = column_names(list(frame.columns), source)
    infos = {name: _info(name, meta) for name in names}
    numbers = pl.int_range(row_one, row_one + frame.height, dtype=pl.Int64, eager=True).alias("_row")
    text = [column_text(frame[name], source.shown_path) for name in names]
    return raw_table(source, pl.DataFrame([*text, numbers]), columns=infos)


def _info(name: str, meta: Any) -> ColumnInfo:
    ranges = (meta.missing_ranges or {}).get(name, [])
    single = [entry["lo"] for entry in ranges if entry["lo"] == entry["hi"]]
    return ColumnInfo(
        label=(meta.column_names_to_labels or {}).get(name) or "",
        value_labels={_code(code): label for code, label in (meta.variable_value_labels or {}).get(name, {}).items()},
        missing_values=tuple(_code(code) for code in single),
        missing_ranges=tuple(
            (_finite(entry["lo"]), _finite(entry["hi"])) for entry in ranges if entry["lo"] != entry["hi"]
        ),
        type=(meta.original_variable_types or {}).get(name) or "",
    )


def _code(code: object) -> str:
    return number_text(float(code)) if isinstance(code, int | float) else str(code)


def _finite(end: float) -> float:
    return max(-sys.float_info.max, min(sys.float_info.max, float(end)))
