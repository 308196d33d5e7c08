"""The rules of a gate as vectorised masks, and the table of verdicts with counts alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import polars as pl

from ember.tables.store import conform, empty_table
from ember.validate.gate_rule import COUNT, SITE, STAGES, Counts, GateRule
from ember.validate.tally import by_condition

BySite = Mapping[str, Mapping[str, Counts]]
"""Counts by rule and site."""


def site_counts(tally: pl.DataFrame, rules: Sequence[GateRule]) -> dict[str, dict[str, Counts]]:
    """Return the counts of each rule at each site, all rules about the same rows in one pass.

    Parameters
    ----------
    tally : DataFrame
        `SITE`, `COUNT` and the columns of the rules (see `ember.validate.tally`).
    """
    found: dict[str, dict[str, Counts]] = {rule.rule: {} for rule in rules}
    for together, rows in by_condition(tally, rules):
        sums = [
            pl.col(COUNT).filter(mask).sum().alias(f"{place}.{name}")
            for place, rule in enumerate(together)
            for name, mask in zip(("checked", "failed"), masks(rows, rule), strict=True)
        ]
        for told in rows.group_by(SITE, maintain_order=True).agg(sums).iter_rows(named=True):
            for place, rule in enumerate(together):
                found[rule.rule][told[SITE]] = Counts(told[f"{place}.checked"], told[f"{place}.failed"])
    return found


def masks(rows: pl.DataFrame, rule: GateRule) -> tuple[pl.Expr, pl.Expr]:
    """Return which rows a rule asks about and which of them fail, among rows that meet its condition.

    Notes
    -----
    This is the definition of the rules; Great Expectations is held to the same counts by a test and at every run.
    """
    column = pl.col(rule.checked)
    if rows.schema[rule.checked].is_float():
        column = column.fill_nan(None)
    checked = pl.repeat(True, pl.len(), dtype=pl.Boolean) if rule.kind == "present" else column.is_not_null()
    return checked, checked & _violates(column, rule).fill_null(False)


def _violates(column: pl.Expr, rule: GateRule) -> pl.Expr:
    if rule.kind == "unique":  # the column says how many rows have the key
        return column > 1
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
