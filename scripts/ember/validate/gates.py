"""The rules of a gate as vectorised masks, and the table of verdicts with counts alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import polars as pl

from ember.tables.store import conform, empty_table
from ember.validate.gate_rule import SITE, STAGES, Counts, GateRule

BySite = Mapping[str, Mapping[str, Counts]]
"""Counts by rule and site."""


def failing(frame: pl.DataFrame, rule: GateRule) -> pl.DataFrame:
    """Return one row a row of `frame` with `checked` and `failed`, both bool.

    Notes
    -----
    This is the definition of the rules; Great Expectations is held to the same counts by a test and at every run.
    """
    checked, failed = _masks(frame, rule)
    return frame.select(checked.alias("checked"), failed.alias("failed"))


def site_counts(frame: pl.DataFrame, rules: Sequence[GateRule]) -> dict[str, dict[str, Counts]]:
    """Return the counts of each rule at each site that has rows, all rules of a site in one pass."""
    found: dict[str, dict[str, Counts]] = {rule.rule: {} for rule in rules}
    single = [rule for rule in rules if rule.kind != "unique"]
    for site, rows in _by_site(frame):
        sums = [
            mask.sum().alias(f"{place}.{n}") for place, rule in enumerate(single) for n, mask in _numbered(rows, rule)
        ]
        if sums:
            told = rows.select(sums).row(0, named=True)
            for place, rule in enumerate(single):
                counts = Counts(told[f"{place}.0"], told[f"{place}.1"])
                found[rule.rule][site] = found[rule.rule].get(site, Counts()) + counts
    for rule in rules:
        if rule.kind == "unique":  # a key may repeat at another site
            masks = failing(frame, rule).with_columns(frame[SITE].cast(pl.String))
            for site, checked, failed in masks.group_by(SITE).agg(pl.col("checked", "failed").sum()).iter_rows():
                found[rule.rule][site] = Counts(checked, failed)
    return found


def _numbered(rows: pl.DataFrame, rule: GateRule) -> Iterable[tuple[int, pl.Expr]]:
    return enumerate(_masks(rows, rule))


def _by_site(frame: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the rows of each site; the table lists one site after the other."""
    start = 0
    for run in frame[SITE].cast(pl.String).rle() if frame.height else ():
        yield run["value"], frame.slice(start, run["len"])
        start += run["len"]


def _masks(frame: pl.DataFrame, rule: GateRule) -> tuple[pl.Expr, pl.Expr]:
    scope = pl.repeat(True, pl.len(), dtype=pl.Boolean)
    for name, value in rule.where:
        scope = scope & (pl.col(name) == value).fill_null(False)
    column = pl.col(rule.checked)
    if frame.schema[rule.checked].is_float():
        column = column.fill_nan(None)
    checked = scope if rule.kind == "present" else scope & column.is_not_null()
    return checked, checked & _violates(column, rule).fill_null(False)


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


def gate_frame(stage: str, checked: Iterable[tuple[Sequence[GateRule], BySite]], sites: Iterable[str]) -> pl.DataFrame:
    """Return verdicts as a table that meets the contract `gates`.

    Parameters
    ----------
    checked : iterable of (rules, counts by rule and site)
    sites : iterable of str
        Sites in study order; one without rows was asked about nothing. A rule about rows of one kind (an analyte,
        an instrument, a visit) and a rule about cells are left out at sites that have none of them.
    """
    parts = list(checked)
    rows = [
        _verdict(stage, site, rule, counted)
        for site in sites
        for rules, found in parts
        for rule in rules
        if (counted := found[rule.rule].get(site, Counts())).checked or not (rule.where or rule.unit != "row")
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
        "passed": found.passed(rule.share),
        "title": rule.title,
        "unit": rule.unit,
        "share_allowed": rule.share,
        "reason": rule.reason,
    }


def published(gates: pl.DataFrame) -> pl.DataFrame:
    """Return verdicts as they may go on to the disclosure step: counts of rows of the standard tables only.

    Notes
    -----
    Counts of cells of the raw files and of the rows of an analysis set are differences of numbers that the other
    tables of the report hide; the verdict is what a reader needs. They stay in checks/gates at the site.
    """
    counted = (pl.col("unit").fill_null("row") == "row") & pl.col("stage").is_in(list(STAGES))
    return gates.with_columns(pl.when(counted).then(pl.col(name)).alias(name) for name in ("n_checked", "n_failed"))
