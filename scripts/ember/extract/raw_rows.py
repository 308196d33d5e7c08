"""The rows of one site in a raw file, read without the library that wrote it: starting it would cost more."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import polars as pl

METADATA_KEY = b"ember"
KEYS = ("_site", "_row", "_file", "_sheet", "_participant")


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

    Notes
    -----
    A row group holds one site, as its statistics say: those of other sites are not touched. A site has no row where
    nobody of it consented; that it claims none at all is refused when the file is written.
    """
    rows = pl.scan_parquet(path, glob=False)
    wanted = [name for name in rows.collect_schema() if columns is None or name in {*KEYS, *columns}]
    frame = rows.filter(pl.col("_site") == site).select(wanted).collect().rechunk()
    metadata: dict[str, Any] = json.loads(pl.read_parquet_metadata(path)[METADATA_KEY.decode()])
    return frame, metadata
