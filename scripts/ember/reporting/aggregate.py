"""Read the protected tables: the only data that a report sees."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from ember.reporting.parts import MIXTURES, OPTIONAL, VERDICTS
from ember.tables.store import polars_schema, read_table

TYPED = {
    "order": pl.Int64, "n": pl.Int64, "n_expected": pl.Int64, "n_present": pl.Int64, "n_excluded": pl.Int64,
    "n_quarantined": pl.Int64, "n_flagged": pl.Int64, "share_present": pl.Float64, "factor": pl.Float64,
    "n_below": pl.Int64, "share_below": pl.Float64, "n_above": pl.Int64, "limit": pl.Float64, "bin_low": pl.Float64,
    "bin_high": pl.Float64, "state_order": pl.Int64, "inflamed": pl.Boolean, "total": pl.Int64, "share": pl.Float64,
    "conf_low": pl.Float64, "conf_high": pl.Float64, "mean": pl.Float64, "sd": pl.Float64, "bytes": pl.Int64,
    "rows": pl.Int64, "recorded": pl.Boolean, "n_in": pl.Int64, "n_created": pl.Int64, "n_out": pl.Int64,
    "n_collapsed": pl.Int64, "n_at_least": pl.Int64, "n_rows": pl.Int64, "n_unmatched": pl.Int64, "n_names": pl.Int64,
    "level_order": pl.Int64, "n_without_repeat": pl.Int64, "ln_mean": pl.Float64, "ln_sd": pl.Float64,
    "selected": pl.Boolean, "n_analytes": pl.Int64, "minimum": pl.Int64,
    "probability": pl.Float64, "cut": pl.Float64, "n_people": pl.Int64, "n_samples": pl.Int64, "n_repeated": pl.Int64,
    "between_sd": pl.Float64, "within_sd": pl.Float64, "acute_share": pl.Float64,
}  # fmt: skip
"""Types of the columns that are not text, where no contract gives them (protected counts may be empty)."""
WITH_CONTRACT = ("curves", "findings", "gates")
WITHOUT_CONTRACT = (
    "flow", "quality", "harmonisation", "distributions", "endotypes", "characteristics", "rules", "accounting",
    "inputs", "dictionary",
)  # fmt: skip


def read_aggregate(folder: Path) -> dict[str, pl.DataFrame]:
    """Return the tables of aggregate/ by name."""
    tables = {"estimates": read_table(folder / "estimates.parquet", "estimates")}
    for name in WITH_CONTRACT:
        tables[name] = pl.read_csv(folder / f"{name}.csv", schema_overrides=polars_schema(name), glob=False)
    there = [name for name in OPTIONAL if (folder / f"{name}.csv").exists()]
    for name in [*WITHOUT_CONTRACT, *(name for name in there if name not in (*VERDICTS, *MIXTURES))]:
        tables[name] = _read_csv(folder / f"{name}.csv")
    for name in [name for name in there if name in (*VERDICTS, *MIXTURES)]:
        tables[name] = pl.read_csv(folder / f"{name}.csv", schema_overrides=polars_schema(name), glob=False)
    return tables


def _read_csv(path: Path) -> pl.DataFrame:
    """Empty text stays text: "" is a row of no site or a value of no visit, not something missing."""
    table = pl.read_csv(path, infer_schema=False, glob=False)
    numbers = [name for name in table.columns if name in TYPED]
    return table.with_columns(
        *[pl.col(name).fill_null("") for name in table.columns if name not in TYPED],
        *[pl.col(name).cast(TYPED[name]) for name in numbers if TYPED[name] != pl.Boolean],
        *[(pl.col(name) == "true").alias(name) for name in numbers if TYPED[name] == pl.Boolean],
    )
