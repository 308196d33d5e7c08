"""Ledger entries: every row, value or participant that was not simply carried on, each with one reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import polars as pl
import yaml

from ember.tables.store import empty_table, polars_schema

DECLARES = ("validate/rules.yaml",)


@dataclass(frozen=True)
class Rule:
    """One entry of rules.yaml."""

    id: str
    version: str
    unit: str
    severity: str
    action: str
    category: str
    title: str
    reason: str


@cache
def rules() -> dict[str, Rule]:
    """Return every rule by id."""
    text = (Path(__file__).parent / "rules.yaml").read_text(encoding="utf-8")
    return {name: Rule(id=name, **entry) for name, entry in yaml.load(text, Loader=yaml.CSafeLoader).items()}


def entries(
    where: pl.DataFrame, rule_id: str, *, site: str | None, stage: str, message: str = "", reason: str | None = None
) -> pl.DataFrame:
    """Return one ledger entry a row of `where`.

    Parameters
    ----------
    where : DataFrame
        Has `source_file` and `row_number`; may have `sheet` and `column`.
    rule_id : str
        A rule of rules.yaml.
    message : str
        What was expected; never a value.
    reason : str, optional
        The study's own reason (an answered finding); default the rule's.
    """
    rule = rules()[rule_id]
    schema = polars_schema("ledger")
    found = [name for name in ("source_file", "sheet", "row_number", "column") if name in where.columns]
    fixed = {
        "site_id": site,
        "stage": stage,
        "unit": rule.unit,
        "rule_id": rule.id,
        "rule_version": rule.version,
        "severity": rule.severity,
        "action": rule.action,
        "reason": reason or rule.reason,
        "message": message,
    }
    absent = [name for name in ("sheet", "column") if name not in found]
    return where.select(
        *[pl.col(name).cast(schema[name]) for name in found],
        *[pl.lit(value, dtype=schema[name]).alias(name) for name, value in fixed.items()],
        *[pl.lit(None, dtype=schema[name]).alias(name) for name in absent],
    ).select(list(schema))


def join_entries(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the parts as one ledger in order of source file, row, column and rule."""
    whole = pl.concat([empty_table("ledger"), *parts])
    return whole.sort("source_file", "row_number", "column", "rule_id", maintain_order=True, nulls_last=False)


def count(ledger: pl.DataFrame, action: str, unit: str) -> int:
    """Return how many entries have an action for a unit."""
    return ledger.filter((pl.col("action") == action) & (pl.col("unit") == unit)).height
