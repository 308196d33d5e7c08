"""The tables of a stage as they lie in restricted/, read a site and a table at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from ember.tables.store import read_table
from ember.validate.gate_tables import Load, results_of

FOLDERS: Mapping[str, str] = {"standardised": "standard", "harmonised": "harmonised"}
FILES: Mapping[str, str] = {"standard_measurements": "measurements", "standard_items": "items"}
RESULTS: Mapping[str, tuple[str, str]] = {
    "standardised": ("standard_measurements", "number"),
    "harmonised": ("measurements", "value"),
}
"""Table of laboratory results of a stage, and its column of numbers."""


def site_loader(restricted: Path, stage: str) -> Load:
    """Return a loader of the tables of a stage (see `ember.validate.gate_tables.Load`)."""

    def load(site: str, table: str, columns: Sequence[str]) -> pl.DataFrame:
        folder = restricted / FOLDERS[stage] / site
        if table != "results":
            return read_table(folder / f"{FILES.get(table, table)}.parquet", table, columns)
        name, value = RESULTS[stage]
        file = folder / f"{FILES.get(name, name)}.parquet"
        return results_of(read_table(file, name, ["participant_id", "analyte", "visit", value]))

    return load
