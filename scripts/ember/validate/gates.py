"""The rules of a gate as vectorised masks, and the table of verdicts with counts alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.tables.contract import contract
from ember.tables.store import conform, empty_table
from ember.validate.gate_rules import KEY, KNOWN, OWN_SITE, STAGES, GateRule, screening, screening_column, table_rules

SiteTables = Mapping[str, pl.DataFrame]
SITE = "_site"


@dataclass(frozen=True)
class Counts:
    """How many values a rule was asked about, and how many did not meet it."""

    checked: int = 0
    failed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.checked + other.checked, self.failed + other.failed)


@dataclass(frozen=True)
class GateTable:
    """One table of all sites with the columns that its rules look at, and the rules."""

    stage: str
    table: str
    frame: pl.DataFrame
    rules: tuple[GateRule, ...]


def gate_tables(stage: str, sites: Mapping[str, SiteTables], study: Study, registry: Registry) -> list[GateTable]:
    """Return what a gate checks, in the order of the stage.

    Parameters
    ----------
    sites : mapping
        Frames by contract name, by site.
    """
    screened = screening(study)
    found = []
    for table in STAGES[stage]:
        frame = prepared(table, sites, screened)
        found.append(GateTable(stage, table, frame, tuple(table_rules(table, frame, study, registry, screened))))
    return found


def prepared(table: str, sites: Mapping[str, SiteTables], screened: Sequence[tuple[str, str]]) -> pl.DataFrame:
    """Return a table of all sites with derived columns: site of the file, own site, key, roster, biomarkers.

    Keys and rosters are compared here, on their own columns, so that a batch never has to see the whole table.
    """
    parts = []
    for site, tables in sites.items():
        columns = [pl.lit(site).alias(SITE), (pl.col("site_id") == site).fill_null(False).alias(OWN_SITE)]
        if table != "participants":
            columns.append(_among(tables["participants"]).alias(KNOWN))
        else:
            columns.extend(_has_biomarker(tables, analyte, visit) for analyte, visit in screened)
        parts.append(tables[table].with_columns(columns))
    frame = pl.concat(parts) if parts else empty_table(table)
    return frame.with_columns(pl.struct(contract(table).key).rank("dense").cast(pl.Int64).alias(KEY))


def _has_biomarker(tables: SiteTables, analyte: str, visit: str) -> pl.Expr:
    results = tables.get("measurements", tables.get("standard_measurements"))
    if results is None:
        raise KeyError("a gate needs the table of results")
    value = "value" if "value" in results.columns else "number"
    at_visit = (pl.col("analyte") == analyte) & (pl.col("visit") == visit)
    found = results.filter(at_visit & pl.col(value).is_not_null())
    return _among(found).alias(screening_column(analyte, visit))


def _among(others: pl.DataFrame) -> pl.Expr:
    return pl.col("participant_id").is_in(others["participant_id"].implode()).fill_null(False)


def failing(frame: pl.DataFrame, rule: GateRule) -> pl.DataFrame:
    """Return one row a row of `frame` with `checked` and `failed`, both bool.

    Notes
    -----
    This is the definition of the rules; Great Expectations is held to the same counts by a test.
    """
    scope = pl.lit(True)
    for name, value in rule.where:
        scope = scope & (pl.col(name) == value).fill_null(False)
    column = pl.col(rule.checked)
    if frame.schema[rule.checked].is_float():
        column = column.fill_nan(None)
    checked = scope if rule.kind == "present" else scope & column.is_not_null()
    return frame.select(checked.alias("checked"), (checked & _violates(column, rule).fill_null(False)).alias("failed"))


def _violates(column: pl.Expr, rule: GateRule) -> pl.Expr:
    if rule.kind == "unique":
        return column.is_duplicated()
    if rule.kind == "present":
        return column.is_null()
    if rule.kind == "one_of":
        return ~column.is_in(list(rule.allowed))
    if rule.kind == "true":
        return ~column
    beyond = pl.lit(False)
    if rule.low is not None:
        beyond = beyond | (column < rule.low)
    if rule.high is not None:
        beyond = beyond | (column > rule.high)
    return beyond


def site_counts(frame: pl.DataFrame, rule: GateRule) -> dict[str, Counts]:
    """Return the counts of a rule at each site that has rows, from its masks."""
    found = failing(frame, rule).with_columns(frame[SITE]).group_by(SITE).agg(pl.col("checked", "failed").sum())
    return {site: Counts(checked, failed) for site, checked, failed in found.iter_rows()}


def gate_frame(
    checked: Sequence[tuple[GateTable, Mapping[str, Mapping[str, Counts]]]], sites: Iterable[str]
) -> pl.DataFrame:
    """Return verdicts as a table that meets the contract `gates`.

    Parameters
    ----------
    checked : sequence of (GateTable, counts by rule and site)
    sites : iterable of str
        Sites in study order; one without rows was asked about nothing. A rule about rows of one kind (an analyte,
        an instrument, a visit) is left out at sites that have none of them.
    """
    rows = [
        _verdict(part.stage, site, rule, counted)
        for site in sites
        for part, found in checked
        for rule in part.rules
        if (counted := found[rule.rule].get(site, Counts())).checked or not rule.where
    ]
    return conform(pl.DataFrame(rows, infer_schema_length=None), "gates") if rows else empty_table("gates")


def _verdict(stage: str, site: str, rule: GateRule, found: Counts) -> dict[str, object]:
    return {
        "stage": stage,
        "site": site,
        "rule": rule.rule,
        "category": rule.category,
        "table": rule.table,
        "column": rule.column,
        "severity": rule.severity,
        "n_checked": found.checked,
        "n_failed": found.failed,
        "passed": found.failed == 0,
        "title": rule.title,
    }
