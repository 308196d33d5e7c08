"""Limits: values censored at the limit of the laboratory, impossible values, possible acute inflammation."""

from __future__ import annotations

import polars as pl

from ember.harmonise.distinct import Distinct
from ember.harmonise.units import in_canonical_unit
from ember.registry.registry import Registry

DECIMALS = r"[.,](\d+)\D*$"
EXPONENT = r"\d[eE][+-]?\d"


def with_censoring(measurements: pl.DataFrame) -> pl.DataFrame:
    """Return measurements with `censoring`, `limit`, `value`, `measured` and `unmarked`.

    Parameters
    ----------
    measurements : DataFrame
        Standard measurements with the columns of `units.with_conversions`, `detection_limits.with_limits` and
        `fills.with_fills`, all convertible.

    Returns
    -------
    DataFrame
        `value` is the number in the canonical unit, or the limit where censored. `measured` is the number as the
        laboratory gave it in the canonical unit, null where a sign or a fill stands for it. `unmarked` is true for
        a number without a sign below the limit.

    Notes
    -----
    "<" is left-censored, ">" right-censored; the value is then the limit itself in the canonical unit. The limit of
    the result goes before the limit of the assay, because laboratories dilute. A limit that is not above zero is no
    limit. Where none is known, `limit` and `value` are null.

    A number without a sign that lies below the valid limit of detection is left-censored at that limit: below it the
    assay cannot tell a concentration from none, so the number is noise or a fill, and "below the limit" is what is
    known. It is below only if it is so however it was rounded (0.1 may have been 0.149). Where the limit depends on
    a month or a batch that nobody knows, a number below the highest possible limit has neither value nor limit.
    """
    low, high, fill = pl.col("operator") == "<", pl.col("operator") == ">", pl.col("fill")
    marked = measurements.with_columns(
        pl.when((pl.col("operator") == "") & ~fill).then(in_canonical_unit("number")).alias("measured")
    )
    marked = marked.with_columns(below_limit(marked), (pl.col("measured") < pl.col("limit_doubt")).alias("_doubt"))
    left = low | fill | pl.col("unmarked")
    valid = pl.when(left).then("detection_limit").when(high).then("upper_limit")
    own = pl.when(low | high).then(in_canonical_unit("limit_reported"))
    limit = pl.coalesce(own, valid)
    doubtful = pl.col("_doubt").fill_null(False)
    censoring = pl.when(left).then(pl.lit("left")).when(high).then(pl.lit("right")).otherwise(pl.lit("none"))
    return (
        marked.with_columns(
            censoring.alias("censoring"),
            pl.when((left | high) & limit.is_finite() & (limit > 0)).then(limit).alias("limit"),
        )
        .with_columns(
            pl.when(pl.col("censoring") != "none").then("limit").when(~doubtful).then("measured").alias("value")
        )
        .drop("_doubt")
    )


def below_limit(measurements: pl.DataFrame) -> pl.Series:
    """Return `unmarked`: where a number without a sign lies below its detection limit however it was rounded.

    Notes
    -----
    The decimals are counted in the text, and only for the few numbers that are below the limit at all.
    """
    low = (measurements["measured"] < measurements["detection_limit"]).fill_null(False)
    rows = low.arg_true()
    few = measurements.select("value_reported", "measured", "detection_limit", "numerator", "denominator")[rows]
    text = pl.col("value_reported").cast(pl.String)
    decimals = text.str.extract(DECIMALS).str.len_chars().fill_null(0).cast(pl.Float64)
    # A number in powers of ten comes from a computer, not from a rounding laboratory.
    half = pl.when(text.str.contains(EXPONENT)).then(0.0).otherwise(0.5 * pl.lit(10.0) ** -decimals)
    widest = pl.col("measured") + half * pl.col("numerator") / pl.col("denominator")
    # Binary fractions: 0.1 + 0.05 comes out above 0.15.
    sure = few.select(widest <= pl.col("detection_limit") * (1 + 1e-9)).to_series()
    return low.scatter(rows, sure).alias("unmarked")


def as_reported(measurements: pl.DataFrame) -> pl.DataFrame:
    """Return measurements with `value` and `censoring` as the laboratory's own text has them.

    Notes
    -----
    A wrong unit can push a whole column below the limit. Evidence about units therefore judges the numbers that the
    laboratory gave, not what the limit made of them.
    """
    told = pl.col("measured").is_not_null()
    return measurements.with_columns(
        pl.coalesce("measured", "value").alias("value"),
        pl.when(told).then(pl.lit("none")).otherwise("censoring").alias("censoring"),
    )


def with_plausibility(measurements: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """Return measurements with `impossible` and `acute`.

    Parameters
    ----------
    measurements : DataFrame
        Columns analyte, measured, value (canonical unit) and censoring.

    Notes
    -----
    Hard limits judge measured numbers only, as the laboratory gave them (before any bridge): a limit says something
    about the laboratory, not about the person. A value is acute if it is known to lie above the threshold: measured
    above it, or right-censored at or above it.
    """
    bounds = ["hard_low", "hard_high", "acute_above"]
    told = Distinct.of(measurements["analyte"])
    rows = [[_number(registry.row("analytes", name)[bound]) for bound in bounds] for name in told.texts]
    table = pl.DataFrame(rows, schema=dict.fromkeys(bounds, pl.Float64()), orient="row")
    low, high = pl.col("hard_low").fill_null(float("-inf")), pl.col("hard_high").fill_null(float("inf"))
    number, value, threshold = pl.col("measured"), pl.col("value"), pl.col("acute_above")
    # Negated, so that what is no number is not possible either.
    impossible = number.is_not_null() & ~(number.is_finite() & number.is_between(low, high))
    exact, right = pl.col("censoring") == "none", pl.col("censoring") == "right"
    acute = (exact & (value > threshold)) | (right & (value >= threshold))
    return (
        measurements.hstack(table[told.code])
        .with_columns(impossible.fill_null(False).alias("impossible"), acute.fill_null(False).alias("acute"))
        .drop(bounds)
    )


def flagged_by() -> dict[str, pl.Expr]:
    """Return by rule the values that it flags."""
    return {
        "value.above_limit": pl.col("censoring") == "right",
        "value.acute": pl.col("acute"),
        "value.below_limit": pl.col("censoring") == "left",
        "value.bridge_range": pl.col("bridge_range"),
        "value.fill": pl.col("fill"),
        "value.unmarked_below_limit": pl.col("unmarked"),
    }


def flags(measurements: pl.DataFrame) -> pl.Series:
    """Return the semicolon list of the rules that flag each value, in alphabetical order."""
    marks = flagged_by()
    bits = [mark.fill_null(False).cast(pl.UInt32) * (1 << place) for place, mark in enumerate(marks.values())]
    code = measurements.select(pl.sum_horizontal(bits)).to_series()
    lists = [";".join(rule for place, rule in enumerate(marks) if n >> place & 1) for n in range(1 << len(marks))]
    return pl.Series("flags", lists, dtype=pl.Categorical()).gather(code)


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None
