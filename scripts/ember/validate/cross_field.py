"""Rules about several columns, rows or tables: data in cross_field_rules.csv, evaluated as one derived column each."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import polars as pl

from ember.registry.registry import Registry, Row
from ember.tables.contract import contract
from ember.validate.gate_rule import GateRule

RESULT = ("participant_id", "visit", "replicate")
NEEDED: Mapping[str, tuple[str, ...]] = {
    "analytes": (*RESULT, "analyte", "value", "censoring"),
    "earlier_visit": ("participant_id", "visit"),
    "participant": ("participant_id",),
    "reference": ("participant_id", "visit"),
    "flag": (),
}
"""Columns of the table that a kind of rule looks at, besides those that its row names."""


def cross_field_rules(table: str, occurring: Collection[str], registry: Registry) -> list[GateRule]:
    """Return the rules about several columns of a table, in the order of the registry.

    Parameters
    ----------
    occurring : collection of str
        Analytes of the table; a rule that compares analytes is made if all of them occur.
    """
    return [
        GateRule(
            f"{table}.{row['rule']}", table, "true", derived_name(row), row["category"], row["severity"], row["title"],
            row["left"] if row["left"] in contract(table).by_name else "value",
        )
        for row in rows_of(table, registry)
        if row["kind"] != "analytes" or set(analytes_of(row)) <= set(occurring)
    ]  # fmt: skip


def rows_of(table: str, registry: Registry) -> list[Row]:
    """Return the registry's rows about a table whose columns the contracts have."""
    found = [row for row in registry.rows("cross_field_rules") if row["table"] == table]
    people = contract("participants").by_name
    return [row for row in found if row["kind"] != "participant" or row["right"] in people]


def derived_name(row: Row) -> str:
    """Return the name of the derived column of a rule: true, false, or null where there is nothing to compare."""
    return f"_cross_{row['rule']}"


def analytes_of(row: Row) -> list[str]:
    return [*row["left"].split(";"), *row["right"].split(";")]


def needed_columns(table: str, registry: Registry) -> list[str]:
    """Return the columns of a table that its rules look at."""
    rows = rows_of(table, registry)
    named = [row["left"] for row in rows if row["left"] in contract(table).by_name]
    return list(dict.fromkeys([*named, *(name for row in rows for name in NEEDED[row["kind"]])]))


def with_cross_fields(
    table: str, frame: pl.DataFrame, visits: pl.DataFrame, participants: pl.DataFrame, days: Mapping[str, int],
    registry: Registry,
) -> pl.DataFrame:  # fmt: skip
    """Return a site's table with the derived column of each rule.

    Parameters
    ----------
    visits, participants : DataFrame
        The site's own tables: `participant_id`, `visit`; `participant_id` and the columns that rules name.
    days : mapping
        Planned day by visit.
    """
    rows = rows_of(table, registry)
    if not rows:
        return frame
    columns = []
    for row in rows:
        if row["kind"] == "analytes":
            verdict = _analytes(frame, row)
        elif row["kind"] == "earlier_visit":
            verdict = _earlier_visit(frame, row, days)
        elif row["kind"] == "participant":
            verdict = _participant(frame, row, participants)
        elif row["kind"] == "reference":
            verdict = _reference(frame, visits)
        else:
            verdict = ~frame[row["left"]].str.split(";").list.contains(row["right"])
        columns.append(verdict.alias(derived_name(row)))
    return frame.with_columns(columns)


def _analytes(frame: pl.DataFrame, row: Row) -> pl.Series:
    """Compare sums of results, where each analyte has exactly one uncensored result; told on the first one's row."""
    left, right = row["left"].split(";"), row["right"].split(";")
    names = analytes_of(row)
    used = frame.select(*RESULT, "analyte", "value", "censoring").with_row_index("_at")
    used = used.filter(pl.col("analyte").is_in(names))
    if not set(names) <= set(used["analyte"].unique()):
        return pl.repeat(None, frame.height, dtype=pl.Boolean, eager=True)
    single = used.filter(~used.select(*RESULT, "analyte").is_duplicated(), pl.col("censoring") == "none")
    single = single.filter(pl.col("value").is_not_null() & pl.col("value").is_not_nan())
    wide = single.filter(pl.col("analyte") == left[0]).select("_at", *RESULT, pl.col("value").alias(left[0]))
    for name in names[1:]:
        other = single.filter(pl.col("analyte") == name).select(*RESULT, pl.col("value").alias(name))
        wide = wide.join(other, on=RESULT, how="inner", maintain_order="left")
    total, limit = (sum((pl.col(name) for name in side), pl.lit(0.0)) for side in (left, right))
    told = wide.select("_at", _compared(total, limit, row).alias("verdict"))
    return _placed(told, frame.height)


def _placed(told: pl.DataFrame, height: int) -> pl.Series:
    places = pl.DataFrame({"_at": pl.int_range(height, dtype=pl.UInt32, eager=True)})
    return places.join(told, on="_at", how="left", maintain_order="left")["verdict"]


def _compared(left: pl.Expr, right: pl.Expr, row: Row) -> pl.Expr:
    tolerance = float(row["tolerance"] or 0)
    if row["operator"] == "<=":
        return left <= right * (1 + tolerance)
    return left >= right * (1 - tolerance)


def _earlier_visit(frame: pl.DataFrame, row: Row, days: Mapping[str, int]) -> pl.Series:
    """Compare each visit with the latest one among those planned on an earlier day; the first has nothing to meet."""
    own = pl.col(row["left"])
    visits = frame.select(
        pl.int_range(pl.len(), dtype=pl.UInt32).alias("_at"),
        "participant_id",
        own,
        pl.col("visit").cast(pl.String).replace_strict(days, default=None, return_dtype=pl.Int64).alias("_planned"),
    )
    placed = visits.filter(own.is_not_null() & pl.col("_planned").is_not_null())
    moments = (
        placed.group_by("participant_id", "_planned").agg(own.max().alias("_day")).sort("participant_id", "_planned")
    )
    before = moments.with_columns(
        pl.col("_day").cum_max().shift(1).over("participant_id", order_by="_planned").alias("_before")
    )
    told = placed.join(before, on=["participant_id", "_planned"], how="left", maintain_order="left")
    return _placed(told.select("_at", _compared(own, pl.col("_before"), row).alias("verdict")), frame.height)


def _participant(frame: pl.DataFrame, row: Row, participants: pl.DataFrame) -> pl.Series:
    limits = participants.select("participant_id", row["right"]).unique("participant_id", keep="first")
    joined = frame.select("participant_id", row["left"]).join(
        limits, on="participant_id", how="left", maintain_order="left"
    )
    return joined.select(_compared(pl.col(row["left"]), pl.col(row["right"]), row)).to_series()


def _reference(frame: pl.DataFrame, visits: pl.DataFrame) -> pl.Series:
    known = visits.select("participant_id", "visit", pl.lit(True).alias("_known")).unique(["participant_id", "visit"])
    joined = frame.select("participant_id", "visit").join(
        known, on=["participant_id", "visit"], how="left", maintain_order="left"
    )
    return joined["_known"].fill_null(False)
