"""The table of treatments: names as registry rows, with what stands beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ember.errors import EmberError
from ember.harmonise.origin import Origin
from ember.harmonise.treatment_cells import SCHEMA
from ember.harmonise.treatment_doses import DoseUnits, with_named_doses
from ember.registry.registry import Registry
from ember.registry.treatment_model import TreatmentMap
from ember.validate.ledger import entries

BESIDE = [name for name in SCHEMA if name != "unread"]
MESSAGES = {
    "treatment.unread": "Expected what the site file declares for this column.",
    "treatment.dose_unit": "Expected the unit of the kind of treatment, or one that converts to it.",
    "treatment.dose_shared": "Expected one treatment beside one dose.",
    "treatment.days_order": "Expected an end on the day of the start or later.",
}


def plain_name(text: pl.Expr) -> pl.Expr:
    """Return a name as names are compared: in small letters, without outer white space."""
    return text.str.strip_chars().str.to_lowercase()


@dataclass(frozen=True)
class TreatmentNames:
    """Names of treatments as registry rows.

    Attributes
    ----------
    table : DataFrame
        `name` (as `plain_name`), `treatment`, `kind`, `atc`.
    """

    table: pl.DataFrame

    @classmethod
    def of(cls, registry: Registry) -> TreatmentNames:
        known = {row["treatment"]: row for row in registry.rows("treatments")}
        rows = [
            (
                row["name"].strip().lower(),
                row["treatment"],
                *(known[row["treatment"]][key] or None for key in ("kind", "atc")),
            )
            for row in registry.rows("treatment_names")
        ]
        schema = {"name": pl.String, "treatment": pl.String, "kind": pl.String, "atc": pl.String}
        table = pl.DataFrame(rows, schema=schema, orient="row")
        twice = table.filter(table["name"].is_duplicated())["name"].unique(maintain_order=True).to_list()
        if twice:
            raise EmberError(
                f"The treatment name '{twice[0]}' stands twice; capital and small letters make no difference.",
                where="config/registry/treatment_names.csv",
            )
        return cls(table)


@dataclass(frozen=True)
class TreatmentLists:
    """What the tables of a site say of their treatments, by the position of a table in the site.

    Attributes
    ----------
    names : sequence of str
        Names of the tables.
    decimals : sequence of str
        The declared decimal marks.
    """

    mappings: Sequence[TreatmentMap | None]
    names: Sequence[str]
    decimals: Sequence[str]


def treatment_rows(
    cells: pl.DataFrame, lists: TreatmentLists, registry: Registry, origin: Origin, zero: pl.DataFrame | None
) -> pl.DataFrame:
    """Return the table of treatments, in order of the source and of the names within a cell.

    Parameters
    ----------
    cells : DataFrame
        `text`, the columns of `treatment_cells.SCHEMA`, and `mapping`, the position of the cell's table.
    zero : DataFrame or None
        `person` and `day` (since 1970-01-01) of time zero.

    Returns
    -------
    DataFrame
        The columns of the contract `treatments` but those of the origin, `at` and `order`; and for the ledger
        `unread`, `dose_refused` and `days_wrong`.

    Notes
    -----
    The whole cell is looked up before its parts: some combinations have a name of their own. Names in one cell that
    mean the same treatment make one row, and so do those that the registry does not know; they are joined as reported.
    Capital and small letters make no difference.
    """
    names = TreatmentNames.of(registry)
    known = names.table["name"]
    parts = [
        with_named_doses(
            _split(cells.filter(pl.col("mapping") == index), mapping.split, known),
            mapping, known, lists.decimals[index],
        )
        for index, mapping in enumerate(lists.mappings)
        if mapping is not None
    ]  # fmt: skip
    long = pl.concat(parts).sort("at", "order", maintain_order=True)
    long = long.with_columns(plain_name(pl.col("named")).alias("name"))
    long = long.join(names.table, on="name", how="left", maintain_order="left")
    rows = DoseUnits.of(registry, lists.mappings).converted(_once(long, lists.mappings))
    rows = _with_days(_with_outcomes(rows, registry), zero)
    places = pl.Series([column.entry for column in origin.columns], dtype=pl.Int16)
    return origin.named(rows).with_columns(
        *(_by_list(rows, name, values) for name, values in _of_lists(lists).items()),
        places.gather(rows["order"].cast(pl.UInt32)).alias("entry"),
    )


def _once(long: pl.DataFrame, mappings: Sequence[TreatmentMap | None]) -> pl.DataFrame:
    """Return one row a cell and treatment, with `n_names`: how many treatments share what stands beside the cell."""
    once = long.group_by(["at", "order", "treatment"], maintain_order=True).agg(
        pl.col("person", "visit", "study_day", "kind", "atc", "mapping", "unread", *BESIDE).first(),
        pl.col("text").unique(maintain_order=True).str.join("; ").alias("name_reported"),
        pl.col("dose_number").n_unique().alias("n_doses"),
    )
    own = pl.Series([bool(mapping and mapping.dose and mapping.dose.in_name) for mapping in mappings], dtype=pl.Boolean)
    with_own = own.gather(once["mapping"].cast(pl.UInt32))
    n_names = pl.when(pl.Series(with_own)).then("n_doses").otherwise(pl.len().over("at", "order"))
    return once.with_columns(n_names.alias("n_names")).drop("n_doses")


def _of_lists(lists: TreatmentLists) -> dict[str, pl.Series]:
    return {
        "role": pl.Series([mapping.role if mapping else None for mapping in lists.mappings], dtype=pl.String),
        "trial": pl.Series([bool(mapping and mapping.tells_trials) for mapping in lists.mappings], dtype=pl.Boolean),
        "list": pl.Series(lists.names, dtype=pl.String),
    }


def _by_list(rows: pl.DataFrame, name: str, values: pl.Series) -> pl.Series:
    return values.gather(rows["mapping"].cast(pl.UInt32)).alias(name)


def _with_outcomes(rows: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """Return rows with the outcome that an improvement in percent means."""
    found = pl.col("outcome")
    for row in registry.rows("trial_outcomes"):
        low, below = row["improvement_from"], row["improvement_below"]
        if low or below:
            inside = pl.col("improvement") >= float(low) if low else pl.lit(True)
            inside &= pl.col("improvement") < float(below) if below else pl.lit(True)
            told = found.is_null() & pl.col("improvement").is_not_null() & inside
            found = pl.when(told).then(pl.lit(row["outcome"])).otherwise(found)
    return rows.with_columns(found.alias("outcome")).drop("improvement")


def _with_days(rows: pl.DataFrame, zero: pl.DataFrame | None) -> pl.DataFrame:
    """Return rows with `start_day` and `end_day` as study days and `weeks`; both days of a treatment count.

    What goes on is counted up to the day of the visit at which it is told. An end before its start is a slip of one of
    the two: neither is kept.
    """
    starts = pl.DataFrame(schema={"person": pl.UInt32, "zero": pl.Int32})
    starts = starts if zero is None else zero.select("person", pl.col("day").alias("zero"))
    told = rows.join(starts, on="person", how="left", maintain_order="left")
    told = told.with_columns(
        pl.coalesce("start_day", pl.col("start") - pl.col("zero")).alias("start_day"),
        pl.coalesce("end_day", pl.col("end") - pl.col("zero"), pl.when("ongoing").then("study_day")).alias("end_day"),
    )
    length = pl.coalesce(pl.col("end") - pl.col("start"), pl.col("end_day") - pl.col("start_day"))
    wrong = (length < 0).fill_null(False)
    weeks = pl.coalesce(pl.col("days") / 7, (length + 1) / 7)
    told = told.with_columns(wrong.alias("days_wrong"), pl.when(~wrong).then(weeks).alias("weeks"))
    kept = [pl.when(~pl.col("days_wrong")).then(name).alias(name) for name in ("start_day", "end_day")]
    return told.with_columns(kept).drop("zero", "start", "end", "days", "ongoing")


def treatment_entries(rows: pl.DataFrame, lists: TreatmentLists, origin: Origin, stage: str) -> list[pl.DataFrame]:
    """Return the ledger entries of texts beside a treatment that were not taken over.

    Parameters
    ----------
    rows : DataFrame
        As from `treatment_rows`.
    """
    dose = [mapping.dose.column if mapping and mapping.dose else None for mapping in lists.mappings]
    end = [mapping.end.column if mapping and mapping.end else None for mapping in lists.mappings]
    unread = rows.filter(pl.col("unread").list.len() > 0).explode("unread")
    faults = [
        unread.select("at", "order", pl.lit("treatment.unread").alias("rule"), pl.col("unread").alias("column")),
        _faults(rows.filter(pl.col("dose_refused").is_not_null()), pl.col("dose_refused"), dose, origin),
        _faults(rows.filter("days_wrong"), pl.lit("treatment.days_order"), end, origin),
    ]
    whole = pl.concat(faults).unique(maintain_order=True)
    return [
        entries(_where(part, origin), str(rule), site=origin.site, stage=stage, message=MESSAGES[str(rule)])
        for (rule,), part in whole.group_by(["rule"], maintain_order=True)
    ]


def _faults(rows: pl.DataFrame, rule: pl.Expr, declared: Sequence[str | None], origin: Origin) -> pl.DataFrame:
    """Return where the rule holds; the column as it stands in the file, or that of the name where the name tells it."""
    columns = []
    for order, index in rows.select("order", "mapping").iter_rows():
        column = origin.columns[order]
        columns.append(dict(column.beside).get(declared[index] or "", column.column))
    return rows.select("at", "order", rule.alias("rule"), pl.Series("column", columns, dtype=pl.String))


def _where(part: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    at = part["at"].cast(pl.UInt32)
    return part.select(
        origin.rows["_file"].gather(at).cast(pl.String).alias("source_file"),
        origin.rows["_sheet"].gather(at).cast(pl.String).alias("sheet"),
        origin.rows["_row"].gather(at).alias("row_number"),
        "column",
    )


def _split(cells: pl.DataFrame, separator: str | None, known: pl.Series) -> pl.DataFrame:
    if separator is None:
        return cells
    text = pl.col("text")
    parts = text.str.split(separator).list.eval(pl.element().str.strip_chars())
    parts = parts.list.eval(pl.element().filter(pl.element() != ""))
    whole = plain_name(text).is_in(known.implode()) | (
        parts.list.len() == 0
    )  # a cell of separators alone is an unknown name, not nothing
    return cells.with_columns(pl.when(whole).then(pl.concat_list(text)).otherwise(parts).alias("text")).explode("text")
