"""Limits: values censored at the limit of the laboratory, impossible values, possible acute inflammation."""

from __future__ import annotations

import polars as pl

from ember.errors import EmberError
from ember.harmonise.units import find_conversion, in_canonical_unit
from ember.registry.registry import Registry


def with_censoring(measurements: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """Return measurements with `assay_class`, `censoring`, `limit` and `value`.

    Parameters
    ----------
    measurements : DataFrame
        Standard measurements with the columns of `units.with_conversions`, all convertible.

    Notes
    -----
    "<" is left-censored, ">" right-censored; the value is then the limit itself in the canonical unit. The limit of
    the result goes before the limit of the assay, because laboratories dilute. A limit that is not above zero is no
    limit. Where none is known, `limit` and `value` are null. A number below the assay's limit without a mark stays a
    number: only the mark says that it was not measured (one laboratory's fill may be another's limit).
    """
    low, high = pl.col("operator") == "<", pl.col("operator") == ">"
    assay_limit = pl.when(low).then("assay_low").when(high).then("assay_high")
    limit = pl.coalesce(in_canonical_unit("limit_reported"), assay_limit)
    joined = measurements.join(assay_limits(measurements, registry), on="assay_id", how="left", maintain_order="left")
    return (
        joined.with_columns(
            pl.when(low)
            .then(pl.lit("left"))
            .when(high)
            .then(pl.lit("right"))
            .otherwise(pl.lit("none"))
            .alias("censoring"),
            pl.when((low | high) & limit.is_finite() & (limit > 0)).then(limit).alias("limit"),
        )
        .with_columns(
            pl.when(pl.col("censoring") == "none").then(in_canonical_unit("number")).otherwise("limit").alias("value")
        )
        .drop("assay_low", "assay_high")
    )


def assay_limits(measurements: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """Return class and limits, in the canonical unit, of every assay that the measurements name.

    Raises
    ------
    EmberError
        An assay has no registry row, or its own unit cannot be converted.
    """
    rows = []
    for assay in measurements["assay_id"].drop_nulls().unique(maintain_order=True):
        row = registry.row("assays", assay)
        conversion = find_conversion(registry, row["analyte"], row["unit"])
        if conversion is None:
            raise EmberError(
                f"The unit '{row['unit']}' of the assay '{assay}' cannot be converted for {row['analyte']}.",
                where="config/registry/assays.csv",
                allowed=registry.units_of(row["analyte"]),
            )
        numerator, denominator = float(conversion.factor.numerator), float(conversion.factor.denominator)
        limits = [_number(row[name]) for name in ("limit_low", "limit_high")]
        canonical = [None if limit is None else limit * numerator / denominator for limit in limits]
        rows.append((assay, row["assay_class"] or None, *canonical))
    schema = {
        "assay_id": pl.String(),
        "assay_class": pl.String(),
        "assay_low": pl.Float64(),
        "assay_high": pl.Float64(),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def with_plausibility(measurements: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """Return measurements with `impossible` and `acute`.

    Parameters
    ----------
    measurements : DataFrame
        Columns analyte, value (canonical unit) and censoring.

    Notes
    -----
    Hard limits judge measured numbers only: a limit says something about the laboratory, not about the person.
    A value is acute if it is known to lie above the threshold: measured above it, or right-censored at or above it.
    """
    rows = [
        (name, *[_number(row[column]) for column in ("hard_low", "hard_high", "acute_above")])
        for name in measurements["analyte"].unique(maintain_order=True)
        for row in [registry.row("analytes", name)]
    ]
    bounds = ["hard_low", "hard_high", "acute_above"]
    schema = {"analyte": pl.String(), **dict.fromkeys(bounds, pl.Float64())}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    measured, right = pl.col("censoring") == "none", pl.col("censoring") == "right"
    low, high = pl.col("hard_low").fill_null(float("-inf")), pl.col("hard_high").fill_null(float("inf"))
    value, threshold = pl.col("value"), pl.col("acute_above")
    # Negated, so that what is no number is not possible either.
    impossible = measured & ~(value.is_finite() & value.is_between(low, high))
    acute = (measured & (value > threshold)) | (right & (value >= threshold))
    return (
        measurements.join(table, on="analyte", how="left", maintain_order="left")
        .with_columns(impossible.alias("impossible"), acute.fill_null(False).alias("acute"))
        .drop(bounds)
    )


def flag_text() -> pl.Expr:
    """Return the semicolon list of the rules that flag a value, in alphabetical order."""
    marks = {
        "value.above_limit": pl.col("censoring") == "right",
        "value.acute": pl.col("acute"),
        "value.below_limit": pl.col("censoring") == "left",
    }
    texts = [pl.when(mark).then(pl.lit(rule)) for rule, mark in marks.items()]
    return pl.concat_str(texts, separator=";", ignore_nulls=True)


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None
