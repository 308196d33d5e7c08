"""The rows of one site in a raw file, read without the library that wrote it: starting it would cost more."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import polars as pl

METADATA_KEY = b"ember"
PLACES_KEY = "ember.places"
"""File and sheet of the source, and which rows of the raw file belong to which site."""
KEYS = ("_site", "_row", "_file", "_sheet", "_participant")


def n_rows(path: Path, site: str) -> int:
    """Return how many rows a site has."""
    return sum(n for _, n in _runs(_places(path), site))


def read_participants(path: Path, site: str) -> pl.Series:
    """Return the participant of each of a site's rows, in file order."""
    runs = _runs(_places(path), site)
    return _rows(pl.scan_parquet(path, glob=False).select("_participant"), runs)["_participant"]


def read_raw(
    path: Path, site: str, columns: Collection[str] | None = None, rows: tuple[int, int] | None = None
) -> tuple[pl.DataFrame, dict[str, Any]]:
    """Return one site's rows in file order and the metadata of the columns.

    Parameters
    ----------
    columns : collection of str, optional
        Columns of the source to read; the five keys always come with them, and those the file lacks do not.
        Default all.
    rows : (int, int), optional
        Of the site's rows only so many from a position: position, number.

    Returns
    -------
    DataFrame
        `_site`, `_row` (int64), `_file`, `_sheet`, `_participant` (null where the id is empty), then the
        columns of the source as text.
    dict
        `{"columns": {name: {label, value_labels, missing_values, missing_ranges, type}}}`.

    Notes
    -----
    The rows of other sites are not touched. A site has no row where nobody of it consented; that it claims none at
    all is refused when the file is written.
    """
    places = _places(path)
    runs = _runs(places, site)
    scanned = pl.scan_parquet(path, glob=False)
    own = [name for name in scanned.collect_schema() if name not in KEYS and (columns is None or name in columns)]
    frame = _rows(scanned.select("_row", "_participant", *own), runs if rows is None else _part(runs, *rows))
    constants = {"_site": site, "_file": places["file"], "_sheet": places["sheet"]}
    keyed = frame.with_columns(pl.lit(value, pl.String).alias(name) for name, value in constants.items())
    metadata: dict[str, Any] = json.loads(pl.read_parquet_metadata(path)[METADATA_KEY.decode()])
    return keyed.select(*KEYS, *own), metadata


def _places(path: Path) -> dict[str, Any]:
    places: dict[str, Any] = json.loads(pl.read_parquet_metadata(path)[PLACES_KEY])
    return places


def _runs(places: dict[str, Any], site: str) -> list[tuple[int, int]]:
    """Return position and number of the site's rows, for each run of them."""
    starts = accumulate((n for _, n in places["sites"]), initial=0)
    return [(start, n) for start, (owner, n) in zip(starts, places["sites"], strict=False) if owner == site]


def _part(runs: Sequence[tuple[int, int]], first: int, number: int) -> list[tuple[int, int]]:
    """Return the runs that hold so many of the site's rows from a position among them."""
    found, passed = [], 0
    for start, n in runs:
        low, high = max(first - passed, 0), min(first + number - passed, n)
        if low < high:
            found.append((start + low, high - low))
        passed += n
    return found


def _rows(scanned: pl.LazyFrame, runs: Sequence[tuple[int, int]]) -> pl.DataFrame:
    parts = [scanned.slice(start, n) for start, n in runs] or [scanned.head(0)]
    return pl.concat(parts).collect()
