"""What a composite is standardised against: the baseline samples of a site, or a frozen table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.composites.censored_normal import fit_normals
from ember.endotypes.cuts import BoolArray, IntArray
from ember.endotypes.results import censored, values
from ember.errors import EmberError
from ember.registry.registry import Registry

WITHIN_SITE = "within_site"
REFERENCE = "reference"


@dataclass(frozen=True)
class FrozenReference:
    """Rows of one reference of config/registry/composite_references.csv.

    Attributes
    ----------
    name : str
        The reference.
    rows : dict
        By analyte: its row.
    scales : dict
        By bridge: the platform on whose scale the bridged results are.
    """

    name: str
    rows: Mapping[str, Mapping[str, str]]
    scales: Mapping[str, str] = field(default_factory=dict)


def frozen_reference(registry: Registry, declared: Mapping[str, Any]) -> FrozenReference | None:
    """Return the reference that a composite declares, or None where it is standardised within sites."""
    if declared["variant"] != REFERENCE:
        return None
    name = declared["reference"]
    rows = {row["analyte"]: row for row in registry.rows("composite_references") if row["reference"] == name}
    platforms = {row["assay_id"]: row["platform"] for row in registry.rows("assays")}
    scales = {row["bridge_id"]: platforms[row["to_assay"]] for row in registry.rows("bridges")}
    return FrozenReference(name, rows, scales)


def site_references(rows: pl.DataFrame, group: IntArray, groups: pl.DataFrame, counted: BoolArray) -> pl.DataFrame:
    """Return the mean and SD of the ln values of each group over its counted rows.

    Parameters
    ----------
    rows : DataFrame
        Results with `value` and `censoring`.
    group : ndarray of int, shape (n,)
        Row of `groups` to which each result belongs.
    groups : DataFrame
        `site_id`, `analyte`, `assay_id`, `platform`, `batch`.
    counted : ndarray of bool, shape (n,)
        The baseline samples.

    Notes
    -----
    All participants count, whatever their arm or state: standardising within arms would remove the difference
    between them, and within states the contrast that the composite is to show.
    """
    value = values(rows)
    usable = counted & (np.nan_to_num(value) > 0)
    ln = np.full(value.size, np.nan)
    ln[usable] = np.log(value[usable])
    found = fit_normals(ln, censored(rows, "left"), censored(rows, "right"), group, groups.height)
    return groups.with_columns(
        pl.lit(WITHIN_SITE).alias("variant"),
        pl.lit(None, pl.String).alias("reference"),
        pl.Series("ln_mean", found.mean).fill_nan(None),
        pl.Series("ln_sd", found.sd).fill_nan(None),
        pl.Series("n", found.n),
        pl.Series("n_below", found.n_left),
        pl.Series("n_above", found.n_right),
    )


def frozen_references(groups: pl.DataFrame, frozen: FrozenReference, where: str) -> pl.DataFrame:
    """Return the frozen mean and SD for each group.

    Raises
    ------
    EmberError
        A group's results are on the scale of another platform than the reference, or of one that is not known.
    """
    rows = [frozen.rows[analyte] for analyte in groups["analyte"]]
    table = groups.with_columns(
        pl.lit(REFERENCE).alias("variant"),
        pl.lit(frozen.name).alias("reference"),
        pl.Series("ln_mean", [float(row["ln_mean"]) for row in rows], dtype=pl.Float64),
        pl.Series("ln_sd", [float(row["ln_sd"]) for row in rows], dtype=pl.Float64),
        pl.Series("n", [_count(row["n"]) for row in rows], dtype=pl.Int64),
        pl.Series("n_below", [_count(row["n_below"]) for row in rows], dtype=pl.Int64),
        pl.lit(None, pl.Int64).alias("n_above"),
        pl.Series("own", [row["platform"] for row in rows], dtype=pl.String),
    )
    other = table.filter(pl.col("platform").ne_missing(pl.col("own")))
    if other.height:
        first = other.row(0, named=True)
        sites = ", ".join(other["site_id"].unique(maintain_order=True))
        raise EmberError(
            f"The reference '{frozen.name}' of {first['analyte']} is on the scale of {first['own']}, and results of "
            f"{sites} are on that of {first['platform'] or 'an assay that the site file does not name'}.",
            where=where,
            fix="Levels are comparable only within one platform: declare a `bridge:` to it, or use `within_site`.",
        )
    return table.drop("own")


def scale_of(frozen: FrozenReference | None) -> pl.Expr:
    """Return the platform on whose scale a result is: its own, or that to which it was bridged."""
    if frozen is None or not frozen.scales:
        return pl.col("platform")
    bridged = pl.col("bridge_id").replace_strict(frozen.scales, default=None, return_dtype=pl.String)
    return pl.coalesce(bridged, pl.col("platform")).alias("platform")


def _count(text: str) -> int | None:
    return int(text) if text else None
