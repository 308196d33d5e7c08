"""Bridging: results of one assay on the scale of another, by a published equation, with its range and its error."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from ember.errors import EmberError
from ember.registry.model import Site, Study
from ember.registry.registry import Registry


@dataclass(frozen=True)
class Bridge:
    """result on the scale of `to_assay` = slope x result of `from_assay` + intercept, in the canonical unit.

    Attributes
    ----------
    low, high : float or None
        Ends of the range, both included, in which the equation was fitted.
    slope_error, intercept_error, residual_spread : float or None
        Standard errors and residual standard deviation; None where they were not published.
    """

    id: str
    analyte: str
    from_assay: str
    to_assay: str
    slope: float
    intercept: float
    low: float | None
    high: float | None
    slope_error: float | None
    intercept_error: float | None
    residual_spread: float | None


BRIDGE_SCHEMA = {
    "source_file": pl.String(),
    "analyte": pl.String(),
    "assay_id": pl.String(),
    "bridge_id": pl.String(),
    **dict.fromkeys(("_slope", "_intercept", "_low", "_high"), pl.Float64()),
}

SiteBridges = Mapping[tuple[str, str], Bridge]
"""The bridges that a site declares, by source (its shown path) and analyte."""


def find_bridge(registry: Registry, bridge: str) -> Bridge:
    """Return a row of config/registry/bridges.csv.

    Raises
    ------
    EmberError
        There is no such row.
    """
    row = registry.row("bridges", bridge)
    return Bridge(
        id=row["bridge_id"],
        analyte=row["analyte"],
        from_assay=row["from_assay"],
        to_assay=row["to_assay"],
        slope=float(row["slope"]),
        intercept=float(row["intercept"]),
        low=_number(row["valid_low"]),
        high=_number(row["valid_high"]),
        slope_error=_number(row["slope_se"]),
        intercept_error=_number(row["intercept_se"]),
        residual_spread=_number(row["residual_sd"]),
    )


def declared_bridges(study: Study, site: Site, registry: Registry) -> dict[tuple[str, str], Bridge]:
    """Return the bridges that a site file declares.

    Raises
    ------
    EmberError
        Two tables over one file declare different bridges for an analyte.
    """
    found: dict[tuple[str, str], Bridge] = {}
    for file, analyte, name in _declarations(study, site):
        bridge = find_bridge(registry, name)
        if found.setdefault((file, analyte), bridge) != bridge:
            raise EmberError(
                f"Two tables of {site.id} over one file declare different bridges for {analyte}.",
                where=f"sites/{site.id}.yaml",
            )
    return found


def with_bridges(measurements: pl.DataFrame, bridges: SiteBridges) -> pl.DataFrame:
    """Return measurements with `value`, `limit`, `detection_limit` and `censoring` on the bridged scale.

    Parameters
    ----------
    measurements : DataFrame
        Columns source_file, analyte, assay_id, value, limit, detection_limit and censoring, from
        `limits.with_censoring`.
    bridges : mapping
        Of `declared_bridges`.

    Returns
    -------
    DataFrame
        In addition `bridge_id` (null where nothing is bridged), `value_unbridged` (the canonical value before the
        bridge, null without one) and `bridge_range` (true where the value lies beyond the range of the equation).

    Notes
    -----
    A limit is bridged like a value, so a non-detect keeps a limit: 0.11 mg/L DxC is 0.39 mg/L Cobas. The equation is
    not used beyond the range in which it was fitted. Both assays measure the same analyte and rise together, so a
    value above the range is known to lie above the bridged end of the range and is right-censored there; one below
    it is left-censored at the bridged lower end. Nothing is known of a result that was censored from the far side
    (below a limit that itself lies above the range): its value is null.
    """
    table = _table(measurements, bridges)
    if not table.height:
        nothing = pl.lit(None, pl.String).alias("bridge_id"), pl.lit(None, pl.Float64).alias("value_unbridged")
        return measurements.with_columns(*nothing, pl.lit(False).alias("bridge_range"))
    keys = ["source_file", "analyte", "assay_id"]
    alike = table.cast({name: measurements.schema[name] for name in keys})
    joined = measurements.join(alike, on=keys, how="left", maintain_order="left", nulls_equal=True)
    value, bridged = pl.col("value"), pl.col("bridge_id").is_not_null()
    above = (bridged & (value > pl.col("_high"))).fill_null(False)
    under = (bridged & (value < pl.col("_low"))).fill_null(False)
    censoring = pl.col("censoring")
    unknown = (above & (censoring == "left")) | (under & (censoring == "right"))
    beyond = pl.when(above).then(pl.lit("right")).when(under).then(pl.lit("left")).otherwise(censoring)
    return (
        joined.with_columns(
            pl.when(bridged).then(value).alias("value_unbridged"),
            pl.when(~unknown).then(_bridged("value")).alias("value"),
            _bridged("detection_limit"),
            pl.when(unknown).then(censoring).otherwise(beyond).alias("censoring"),
            (above | under).alias("bridge_range"),
        )
        .with_columns(
            pl.when((pl.col("censoring") != "none") & bridged).then("value").otherwise("limit").alias("limit")
        )
        .drop("_slope", "_intercept", "_low", "_high")
    )


def bridge_errors(measurements: pl.DataFrame, registry: Registry) -> pl.Series:
    """Return the standard error that bridging adds to each value, in the canonical unit.

    Parameters
    ----------
    measurements : DataFrame
        Columns bridge_id and value_unbridged (contract measurements).

    Returns
    -------
    Series of float
        Zero where nothing is bridged, nan where the error of the equation was not published: it is then not known,
        and certainly not zero.

    Notes
    -----
    sqrt(residual variance + intercept variance + (slope error x value)^2). The covariance of slope and intercept is
    rarely published; it is negative for positive values, so leaving it out makes the error too large, never too
    small. Errors of the equation are shared by all values of a site, so they do not average out over its people.
    """
    rows = []
    for name in measurements["bridge_id"].drop_nulls().unique(maintain_order=True):
        bridge = find_bridge(registry, name)
        parts = (bridge.slope_error, bridge.intercept_error, bridge.residual_spread)
        rows.append((name, *[float("nan") if part is None else part for part in parts]))
    names = ["_slope", "_intercept", "_residual"]
    schema = {"bridge_id": pl.String(), **dict.fromkeys(names, pl.Float64())}
    joined = measurements.select("bridge_id", "value_unbridged").join(
        pl.DataFrame(rows, schema=schema, orient="row"), on="bridge_id", how="left", maintain_order="left"
    )
    variance = (
        pl.col("_residual") ** 2 + pl.col("_intercept") ** 2 + (pl.col("_slope") * pl.col("value_unbridged")) ** 2
    )
    error = pl.when(pl.col("bridge_id").is_null()).then(0.0).otherwise(variance.sqrt())
    return joined.select(error.alias("bridge_error")).to_series()


def _declarations(study: Study, site: Site) -> Iterator[tuple[str, str, str]]:
    for table in site.tables:
        file = study.sources[table.source].shown_path
        for analyte, mapping in table.measurements.items():
            if mapping.bridge:
                yield file, analyte, mapping.bridge.id
        for analyte, use in table.laboratory.bridge.items() if table.laboratory else ():
            yield file, analyte, use.id


def _table(measurements: pl.DataFrame, bridges: SiteBridges) -> pl.DataFrame:
    """Return one row for each file, analyte and assay of the measurements that a bridge leads away from."""
    rows = []
    keys = measurements.select("source_file", "analyte", "assay_id").unique(maintain_order=True)
    for source_file, analyte, assay in keys.iter_rows() if bridges else ():
        shown = [file for file, name in bridges if name == analyte and f"/{file}".endswith(f"/{source_file}")]
        bridge = bridges[min(shown, key=len), analyte] if shown else None
        if bridge is not None and bridge.from_assay == assay:
            equation = (bridge.slope, bridge.intercept, bridge.low, bridge.high)
            rows.append((source_file, analyte, assay, bridge.id, *equation))
    return pl.DataFrame(rows, schema=BRIDGE_SCHEMA, orient="row")


def _bridged(column: str) -> pl.Expr:
    """Return a column on the bridged scale, held within the range of the equation; unchanged without a bridge."""
    held = pl.col(column).clip(pl.col("_low"), pl.col("_high"))
    bridged = pl.col("_slope") * held + pl.col("_intercept")
    return pl.when(pl.col("bridge_id").is_null()).then(column).otherwise(bridged).alias(column)


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None
