"""Measurements in counts: how they were harmonised, and their distributions before and after."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ember.harmonise.units import conversion_of
from ember.registry.model import LaboratoryMap, MeasurementMap, Site, Study
from ember.registry.registry import Registry

if TYPE_CHECKING:
    from ember.reporting.summaries import SiteTables

LOWEST_EXPONENT, HIGHEST_EXPONENT, BINS_PER_DECADE = -3, 4, 4
"""Common bins from 0.001 to 10,000 in steps of a quarter of a decade."""

HARMONISATION = {
    "site": pl.String, "analyte": pl.String, "assay_id": pl.String, "assay_class": pl.String, "platform": pl.String,
    "specimen": pl.String, "unit_reported": pl.String, "unit": pl.String, "factor": pl.Float64,
    "conversion_id": pl.String, "bridge_id": pl.String, "n": pl.Int64, "n_below": pl.Int64,
    "share_below": pl.Float64, "n_above": pl.Int64, "limit": pl.Float64,
}  # fmt: skip
DISTRIBUTIONS = {
    "site": pl.String, "analyte": pl.String, "visit": pl.String, "stage": pl.String, "unit": pl.String,
    "bin_low": pl.Float64, "bin_high": pl.Float64, "n": pl.Int64,
}  # fmt: skip
UNKNOWN_UNIT = "unknown unit"
SAME_METHOD = ["analyte", "assay_id", "assay_class", "specimen", "unit_reported", "unit", "conversion_id", "bridge_id"]


def harmonisation(registry: Registry, sites: Mapping[str, SiteTables]) -> pl.DataFrame:
    """Return one line a site, analyte, assay, specimen and unit: factor, results, and those outside the limits."""
    rows = []
    for site, tables in sites.items():
        for key, part in tables.measurements.group_by(SAME_METHOD, maintain_order=True):
            rows.append({"site": site, **_method(registry, dict(zip(SAME_METHOD, key, strict=True)), part)})
    table = pl.DataFrame(rows, schema=HARMONISATION)
    order = {analyte: number for number, analyte in enumerate(table["analyte"].unique(maintain_order=True))}
    return table.sort(pl.col("analyte").replace_strict(order, return_dtype=pl.Int64), maintain_order=True)


def _method(registry: Registry, key: dict[str, Any], part: pl.DataFrame) -> dict[str, Any]:
    below = part.filter(pl.col("censoring") == "left")
    assay = registry.row("assays", key["assay_id"]) if key["assay_id"] else {}
    return {
        **key,
        "platform": assay.get("platform"),
        "factor": _factor(registry, key["conversion_id"]),
        "n": part.height,
        "n_below": below.height,
        "share_below": below.height / part.height,
        "n_above": part.filter(pl.col("censoring") == "right").height,
        "limit": below["limit"].max() if below.height else part["detection_limit"].max(),
    }


def _factor(registry: Registry, conversion_id: str) -> float | None:
    found = conversion_of(registry, conversion_id)
    return None if found is None else float(found.factor)


def distributions(study: Study, sites: Mapping[str, SiteTables]) -> pl.DataFrame:
    """Return counts in common logarithmic bins by site, analyte and visit, as reported and in the common unit.

    Notes
    -----
    Censored results count at the number given with them. What lies beyond the outer bins counts in them; numbers
    of zero or below have no logarithm and no bin.
    """
    parts = []
    for site, tables in sites.items():
        # The text of a unit column may be anything: only what a site file says or the registry knows is a unit.
        known = _declared_units(study.sites[site]) | set(tables.measurements["unit_reported"].drop_nulls())
        told = pl.when(pl.col("unit_reported").is_in(list(known))).then("unit_reported").otherwise(pl.lit(UNKNOWN_UNIT))
        before = tables.standard_measurements.select("analyte", "visit", unit=told, number="number")
        after = tables.measurements.select("analyte", "visit", "unit", number="value")
        for stage, table in (("before", before), ("after", after)):
            for key, part in table.group_by(["analyte", "visit", "unit"], maintain_order=True):
                analyte, visit, unit = (str(name) for name in key)
                parts.append(_binned(site, stage, analyte, visit, unit, part["number"]))
    table = pl.concat(parts) if parts else pl.DataFrame(schema=DISTRIBUTIONS)
    visits = {visit.id: number for number, visit in enumerate(study.visits)}
    return table.sort(pl.col("visit").replace_strict(visits, return_dtype=pl.Int64), maintain_order=True)


def _declared_units(site: Site) -> set[str]:
    """Return the units that a site file names."""
    mappings: list[MeasurementMap | LaboratoryMap] = []
    for table in site.tables:
        mappings.extend(table.measurements.values())
        mappings.extend([table.laboratory] if table.laboratory else [])
    named = [unit for mapping in mappings for unit in (mapping.unit, *mapping.unit_codes.values())]
    return {unit for unit in named if unit is not None}


def _binned(site: str, stage: str, analyte: str, visit: str, unit: str, numbers: pl.Series) -> pl.DataFrame:
    exponents = np.arange(LOWEST_EXPONENT * BINS_PER_DECADE, HIGHEST_EXPONENT * BINS_PER_DECADE + 1) / BINS_PER_DECADE
    edges = 10.0**exponents
    values = numbers.drop_nulls().to_numpy()
    values = values[values > 0]
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, edges.size - 2)
    counts = np.bincount(places, minlength=edges.size - 1)
    n = edges.size - 1
    return pl.DataFrame(
        {
            "site": [site] * n, "analyte": [analyte] * n, "visit": [visit] * n, "stage": [stage] * n,
            "unit": [unit] * n,
            "bin_low": edges[:-1], "bin_high": edges[1:], "n": counts.astype(np.int64),
        },
        schema=DISTRIBUTIONS,
    )  # fmt: skip
