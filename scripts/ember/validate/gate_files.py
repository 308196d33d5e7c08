"""The tables of a gate as they lie in restricted/, read a slice of rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import polars as pl

from ember.tables.shares import share_heights
from ember.tables.store import read_table
from ember.validate.site_rows import Load

SLICE_ROWS = 250_000
FOLDERS: Mapping[str, str] = {"standardised": "standard", "harmonised": "harmonised"}
FILES: Mapping[str, str] = {"standard_measurements": "measurements", "standard_items": "items"}
RESULTS: Mapping[str, tuple[str, str]] = {
    "standardised": ("standard_measurements", "number"),
    "harmonised": ("measurements", "value"),
}
"""Table of laboratory results of a stage, and its column of numbers."""


def site_loader(restricted: Path, stage: str, slice_rows: int = SLICE_ROWS) -> Load:
    """Return a loader of the tables of a stage (see `ember.validate.site_rows.Load`)."""

    def load(site: str, table: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        folder = restricted / FOLDERS[stage] / site
        if table != "results":
            yield from slices(folder / f"{FILES.get(table, table)}.parquet", table, columns, slice_rows)
            return
        name, value = RESULTS[stage]
        wanted = ["participant_id", "analyte", "visit", value]
        for part in slices(folder / f"{FILES.get(name, name)}.parquet", name, wanted, slice_rows):
            yield part.rename({value: "value"})

    return load


def slices(path: Path, table: str, columns: Sequence[str], slice_rows: int = SLICE_ROWS) -> Iterator[pl.DataFrame]:
    """Yield the rows of a table so many at a time, at least once; text may be categorical."""
    for start in range(0, max(sum(share_heights(path)), 1), slice_rows):
        yield read_table(path, table, columns, coded=True, rows=(start, slice_rows))


def set_loader(restricted: Path, slice_rows: int = SLICE_ROWS) -> Load:
    """Return a loader of the analysis sets, in which the rows of a site lie together; `table` is the analysis."""
    found: dict[str, dict[str, list[tuple[int, int]]]] = {}

    def load(site: str, analysis: str, columns: Sequence[str]) -> Iterator[pl.DataFrame]:
        path = restricted / f"analysis/{analysis}.parquet"
        if analysis not in found:
            found[analysis] = site_runs(path, slice_rows)
        for run in found[analysis].get(site, [(0, 0)]):
            yield read_table(path, "analysis_set", columns, coded=True, rows=run)

    return load


def site_runs(path: Path, slice_rows: int = SLICE_ROWS) -> dict[str, list[tuple[int, int]]]:
    """Return where the rows of each site lie in an analysis set: position and number, no more than a slice."""
    found: dict[str, list[tuple[int, int]]] = {}
    start = 0
    for part in slices(path, "analysis_set", ["site_id"], slice_rows):
        for run in part["site_id"].cast(pl.String).rle():
            found.setdefault(run["value"], []).append((start, run["len"]))
            start += run["len"]
    return found
