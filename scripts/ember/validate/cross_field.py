"""Rules about several columns, rows or tables: data in cross_field_rules.csv, evaluated as one derived column each."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
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

OTHER_ROWS = ("analytes", "earlier_visit")
"""Kinds whose verdict on a row depends on other rows of the table, so that they need the site's whole table."""


BLOCK = 1 << 18
"""Rows of a site that are looked at together, where its whole table lies in memory as codes."""


class Visits:
    """The visits that took place at a site, as a table of yes and no: participants by visits."""

    def __init__(self, visits: pl.DataFrame) -> None:
        """Take `participant_id`, as codes, and `visit`, categorical."""
        known = visits.drop_nulls()
        self._names = known["visit"].unique()
        highest = known["participant_id"].max()
        people = highest + 1 if isinstance(highest, int) else 0
        self._had = np.zeros((people + 1, self._names.len() + 1), dtype=np.bool_)
        for part in known.iter_slices(BLOCK):
            self._had[self._at(part)] = True

    def had(self, rows: pl.DataFrame) -> pl.Series:
        """Return whether each row is of a visit that its participant had."""
        return pl.Series(self._had[self._at(rows)])

    def _at(self, rows: pl.DataFrame) -> tuple[Any, Any]:
        """Return the place of each row in the table, in which nobody and no visit have the last ones."""
        people, visits = (size - 1 for size in self._had.shape)
        places = pl.Series(range(visits), dtype=pl.Int64)
        at = rows.select(
            pl.col("participant_id").cast(pl.Int64).fill_null(people).clip(upper_bound=people),
            pl.col("visit").replace_strict(self._names, places, default=visits, return_dtype=pl.Int64),
        )
        return at["participant_id"].to_numpy(), at["visit"].to_numpy()


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


def needed_columns(table: str, registry: Registry, kinds: Collection[str] = tuple(NEEDED)) -> list[str]:
    """Return the columns of a table that its rules of these kinds look at."""
    rows = [row for row in rows_of(table, registry) if row["kind"] in kinds]
    named = [row["left"] for row in rows if row["left"] in contract(table).by_name]
    return list(dict.fromkeys([*named, *(name for row in rows for name in NEEDED[row["kind"]])]))


def named_limits(table: str, registry: Registry) -> list[str]:
    """Return the columns of participants that rules about a table name."""
    rows = rows_of(table, registry)
    return list(dict.fromkeys(row["right"] for row in rows if row["kind"] == "participant"))


def row_verdicts(
    table: str, part: pl.DataFrame, visits: Visits | None, participants: pl.DataFrame, registry: Registry
) -> pl.DataFrame:
    """Return the derived column of each rule whose verdict on a row needs no other row of the table.

    Parameters
    ----------
    part : DataFrame
        Rows of a site, participants as codes and text categorical (see `ember.validate.site_rows`).
    visits : Visits, optional
        Needed by a table with rules of the kind "reference".
    participants : DataFrame
        Columns that rules name, in the order of the participants' codes.
    """
    columns = []
    for row in rows_of(table, registry):
        if row["kind"] in OTHER_ROWS:
            continue
        if row["kind"] == "participant":
            verdict = _participant(part, row, participants)
        elif row["kind"] == "reference":
            assert visits is not None
            verdict = visits.had(part)
        else:
            verdict = _flag(part, row)
        columns.append(verdict.alias(derived_name(row)))
    return pl.DataFrame(columns)


def compared_rows(table: str, part: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """Return what rules that compare rows need of a slice: their columns, and only rows that one of them names."""
    rows = [row for row in rows_of(table, registry) if row["kind"] in OTHER_ROWS]
    names = {name for row in rows if row["kind"] == "analytes" for name in analytes_of(row)}
    if all(row["kind"] == "analytes" for row in rows) and names:
        part = part.filter(pl.col("analyte").is_in(list(names)))
    return part.select(needed_columns(table, registry, OTHER_ROWS))


def site_verdicts(table: str, whole: pl.DataFrame, days: Mapping[str, int], registry: Registry) -> dict[str, pl.Series]:
    """Return the verdicts of rules that compare rows, by derived column; rows with nothing to compare are left out.

    Parameters
    ----------
    whole : DataFrame
        What `compared_rows` gives of all rows of a site.
    days : mapping
        Planned day by visit.
    """
    found = {}
    for row in rows_of(table, registry):
        if row["kind"] == "analytes":
            found[derived_name(row)] = _analytes(whole, row)
        elif row["kind"] == "earlier_visit":
            found[derived_name(row)] = _earlier_visit(whole, row, days)
    return found


def _flag(frame: pl.DataFrame, row: Row) -> pl.Series:
    flags = frame[row["left"]]
    texts = flags.unique().cast(pl.String).drop_nulls()
    flagged = texts.filter(texts.str.split(";").list.contains(row["right"])).to_list()
    return ~flags.is_in(pl.Series(flagged, dtype=flags.dtype).implode())


def _analytes(frame: pl.DataFrame, row: Row) -> pl.Series:
    """Compare sums of results, where each analyte has exactly one uncensored result."""
    left, right = row["left"].split(";"), row["right"].split(";")
    names = analytes_of(row)
    used = frame.filter(pl.col("analyte").is_in(names))
    if not set(names) <= set(used["analyte"].unique()):
        return pl.Series([], dtype=pl.Boolean)
    single = used.filter(~used.select(*RESULT, "analyte").is_duplicated(), pl.col("censoring") == "none")
    single = single.filter(pl.col("value").is_not_null() & pl.col("value").is_not_nan())
    wide = single.filter(pl.col("analyte") == left[0]).select(*RESULT, pl.col("value").alias(left[0]))
    for name in names[1:]:
        other = single.filter(pl.col("analyte") == name).select(*RESULT, pl.col("value").alias(name))
        wide = wide.join(other, on=RESULT, how="inner")
    total, limit = (sum((pl.col(name) for name in side), pl.lit(0.0)) for side in (left, right))
    return wide.select(_compared(total, limit, row)).to_series()


def _compared(left: pl.Expr, right: pl.Expr, row: Row) -> pl.Expr:
    tolerance = float(row["tolerance"] or 0)
    if row["operator"] == "<=":
        return left <= right * (1 + tolerance)
    return left >= right * (1 - tolerance)


def _earlier_visit(frame: pl.DataFrame, row: Row, days: Mapping[str, int]) -> pl.Series:
    """Compare each visit with the latest one among those planned on an earlier day; the first has nothing to meet."""
    order, names = sorted(set(days.values())), pl.Series(list(days), dtype=pl.Categorical)
    places = pl.Series([order.index(day) for day in days.values()], dtype=pl.Int16)
    visits = frame.select(
        pl.col("participant_id").alias("_person"),
        pl.col(row["left"]).cast(pl.Int32).alias("_day"),
        pl.col("visit").replace_strict(names, places, default=None).alias("_place"),
    ).drop_nulls()
    people, never = visits["_person"].max(), np.iinfo(np.int32).min
    latest = np.full((people + 1 if isinstance(people, int) else 0, len(order) + 1), never, dtype=np.int32)
    for part in visits.iter_slices(BLOCK):
        np.maximum.at(latest, (part["_person"].to_numpy(), part["_place"].to_numpy() + 1), part["_day"].to_numpy())
    np.maximum.accumulate(latest, axis=1, out=latest)
    verdicts = [pl.Series([], dtype=pl.Boolean)]
    for part in visits.iter_slices(BLOCK):
        before = pl.Series("_before", latest[part["_person"].to_numpy(), part["_place"].to_numpy()])
        told = part.with_columns(before).filter(pl.col("_before") != never)
        verdicts.append(told.select(_compared(pl.col("_day"), pl.col("_before"), row)).to_series())
    return pl.concat(verdicts)


def _participant(frame: pl.DataFrame, row: Row, participants: pl.DataFrame) -> pl.Series:
    known = pl.when(pl.col("participant_id") < participants.height).then("participant_id")
    limit = participants[row["right"]].gather(frame.select(known).to_series())
    told = frame.select(row["left"]).with_columns(limit)
    return told.select(_compared(pl.col(row["left"]), pl.col(row["right"]), row)).to_series()
