"""The tables that a gate checks: of all sites, with derived columns, and no more columns than the rules look at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.tables.contract import Column, contract
from ember.validate.cross_field import needed_columns, rows_of, with_cross_fields
from ember.validate.gate_changes import with_changes
from ember.validate.gate_rule import KEY, KNOWN, OWN_SITE, ROWS, SITE, STAGES, GateRule
from ember.validate.gate_rules import allowed_values, rows_rule, screening, screening_column, table_rules

Load = Callable[[str, str, Sequence[str]], pl.DataFrame]
"""Takes site, table and columns; gives the site's rows. Each table is read when its turn comes, a site at a time."""

LARGEST = 1 << 62
CONDITIONS = ("visit", "analyte", "instrument", "censoring")


@dataclass(frozen=True)
class GateTable:
    """One table of all sites, site after site, with the columns that its rules look at, and the rules.

    Text is categorical, or 1 and null where a rule only asks whether something is there.
    """

    stage: str
    table: str
    frame: pl.DataFrame
    rules: tuple[GateRule, ...]


def gate_tables(stage: str, sites: Sequence[str], load: Load, study: Study, registry: Registry) -> Iterator[GateTable]:
    """Yield what a gate checks, in the order of the stage; a table is held only as long as its turn."""
    screened = screening(study)
    for table in STAGES[stage]:
        parts = {site: site_rows(table, site, load, study, registry, screened) for site in sites}
        if contract(table).must_have_rows:
            rows = tuple(with_changes([rows_rule(table)], study))
            yield GateTable(stage, table, heights({site: part.height for site, part in parts.items()}), rows)
        if not parts:
            continue
        frame = pl.concat(list(parts.values()))
        del parts
        rules = with_changes(table_rules(table, _occurring(frame), study, registry, screened), study)
        keyed = frame.with_columns(key_numbers(frame, contract(table).key).alias(KEY))
        yield GateTable(stage, table, keyed.select(SITE, *columns_of(rules)), tuple(rules))


def columns_of(rules: Sequence[GateRule]) -> list[str]:
    """Return the columns that rules look at, each once."""
    names = [name for rule in rules for name in (rule.checked, *(column for column, _ in rule.where))]
    return list(dict.fromkeys(names))


def heights(rows: Mapping[str, int]) -> pl.DataFrame:
    """Return a table with one row a site: how many rows it has."""
    return pl.DataFrame(
        {SITE: list(rows), ROWS: list(rows.values())}, schema={SITE: pl.Categorical(), ROWS: pl.Float64()}
    )


def site_rows(
    table: str, site: str, load: Load, study: Study, registry: Registry, screened: Sequence[tuple[str, str]]
) -> pl.DataFrame:
    """Return one site's rows with derived columns: own site, roster, biomarkers, cross-field rules."""
    rules = contract(table)
    checked = [column.name for column in rules.columns if _is_checked(column, study, registry)]
    named = [name for name in CONDITIONS if name in rules.by_name]
    frame = load(site, table, list(dict.fromkeys([*rules.key, *checked, *named, *needed_columns(table, registry)])))
    columns = [
        pl.lit(site, pl.Categorical()).alias(SITE),
        (pl.col("site_id") == site).fill_null(False).alias(OWN_SITE),
    ]
    if table == "participants":
        columns.extend(_has_biomarkers(site, load, screened))
    else:
        roster = load(site, "participants", ["participant_id"])["participant_id"]
        columns.append(pl.col("participant_id").is_in(roster.implode()).fill_null(False).alias(KNOWN))
    derived = _with_cross_fields(table, site, frame, load, study, registry)
    coded = {*rules.key, *named, *(column.name for column in rules.columns if allowed_values(column, study, registry))}
    return derived.with_columns(columns).with_columns(_slim(derived, coded))


def _is_checked(column: Column, study: Study, registry: Registry) -> bool:
    limited = column.low is not None or column.high is not None
    return not column.nullable or limited or bool(allowed_values(column, study, registry)) or column.name in {
        "value", "limit", "unit", "specimen", "study_day", "score", "construct", "item",
    }  # fmt: skip


def _slim(frame: pl.DataFrame, coded: Collection[str]) -> list[pl.Expr]:
    """Return text as codes where rules compare it, and else as 1 or null: what it says is not looked at."""
    texts = [name for name, dtype in frame.schema.items() if dtype == pl.String]
    compared = {*coded, "unit", "specimen", "construct"}
    return [
        pl.col(name).cast(pl.Categorical)
        if name in compared
        else pl.when(pl.col(name).is_not_null()).then(pl.lit(1, pl.Int8)).alias(name)
        for name in texts
    ]


def _with_cross_fields(
    table: str, site: str, frame: pl.DataFrame, load: Load, study: Study, registry: Registry
) -> pl.DataFrame:
    rows = rows_of(table, registry)
    kinds = {row["kind"] for row in rows}
    others = {"visits": pl.DataFrame(), "participants": pl.DataFrame()}
    if "reference" in kinds:
        others["visits"] = load(site, "visits", ["participant_id", "visit"])
    if "participant" in kinds:
        named = [row["right"] for row in rows if row["kind"] == "participant"]
        others["participants"] = load(site, "participants", ["participant_id", *dict.fromkeys(named)])
    days = {visit.id: visit.day for visit in study.visits}
    return with_cross_fields(table, frame, others["visits"], others["participants"], days, registry)


def _has_biomarkers(site: str, load: Load, screened: Sequence[tuple[str, str]]) -> Iterator[pl.Expr]:
    if not screened:
        return
    results = load(site, "results", ["participant_id", "analyte", "visit", "value"])
    for analyte, visit in screened:
        at_visit = (pl.col("analyte") == analyte) & (pl.col("visit") == visit) & pl.col("value").is_not_null()
        found = results.filter(at_visit)["participant_id"]
        has = pl.col("participant_id").is_in(found.implode()).fill_null(False)
        yield has.alias(screening_column(analyte, visit))


def _occurring(frame: pl.DataFrame) -> set[str]:
    return {
        name
        for column in ("analyte", "instrument")
        if column in frame.columns
        for name in frame[column].unique().drop_nulls().cast(pl.String).to_list()
    }


def key_numbers(frame: pl.DataFrame, key: Sequence[str]) -> pl.Series:
    """Return a number for each row, the same for two rows if and only if all their key columns are the same.

    Notes
    -----
    Codes of the columns are the digits of a number with mixed bases; where it would pass 2^62 the digits so far are
    ranked first. A missing cell is a code of its own.
    """
    total, size = pl.repeat(0, frame.height, dtype=pl.Int64, eager=True), 1
    for name in key:
        column = frame[name].cast(pl.Categorical) if frame.schema[name] == pl.String else frame[name]
        codes = column.to_physical().cast(pl.Int64)
        low = codes.min()
        codes = (codes - (low if isinstance(low, int) else 0) + 1).fill_null(0)
        high = codes.max()
        base = (high if isinstance(high, int) else 0) + 1
        if size * base > LARGEST:
            total = total.rank("dense").cast(pl.Int64)
            size = frame.height + 1
        total = total * base + codes
        size *= base
    return total


def loaded(sites: Mapping[str, Mapping[str, pl.DataFrame]]) -> Load:
    """Return a loader over tables in memory, by site and contract name."""

    def load(site: str, table: str, columns: Sequence[str]) -> pl.DataFrame:
        tables = sites[site]
        if table == "results":
            return results_of(tables["measurements"] if "measurements" in tables else tables["standard_measurements"])
        return tables[table].select(columns)

    return load


def results_of(results: pl.DataFrame) -> pl.DataFrame:
    """Return results of the laboratory with one name for their number, canonical or as reported."""
    value = "value" if "value" in results.columns else "number"
    return results.select("participant_id", "analyte", "visit", pl.col(value).alias("value"))
