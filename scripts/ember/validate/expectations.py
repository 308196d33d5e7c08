"""The gates in Great Expectations: the only module that imports it, and the only one that imports pandas for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import and_
from typing import Any

import great_expectations as gx
import pandas as pd
import polars as pl
from great_expectations import expectations as gxe
from great_expectations.expectations.row_conditions import Column

from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.validate.gate_rules import KEY, GateRule
from ember.validate.gates import Counts, GateTable, SiteTables, gate_frame, gate_tables, site_counts

BATCH_ROWS = 1_000_000
WITHOUT_VALUES = {"result_format": "BASIC", "partial_unexpected_count": 0}
"""Counts only: every other setting would put participants' values into the result."""


class GateDefectError(Exception):
    """Great Expectations could not evaluate a rule: a defect of the pipeline, never a verdict on the data."""


def run_gates(stage: str, sites: Mapping[str, SiteTables], study: Study, registry: Registry) -> pl.DataFrame:
    """Check every table of every site and return the verdicts, contract gates.

    Parameters
    ----------
    stage : {"standardised", "harmonised"}
    sites : mapping
        Frames by contract name, by site.

    Raises
    ------
    GateDefectError
        A rule could not be evaluated.
    """
    batches = open_batches()
    parts = gate_tables(stage, sites, study, registry)
    return gate_frame([(part, counts_by_site(part, batches)) for part in parts], sites)


def counts_by_site(part: GateTable, batches: Any, batch_rows: int = BATCH_ROWS) -> dict[str, dict[str, Counts]]:
    """Return the counts of each rule at each site.

    Great Expectations decides over all sites together, which costs the same for four sites as for a hundred;
    the masks of the same rules say at which site.

    Raises
    ------
    GateDefectError
        The masks and Great Expectations disagree, or a rule could not be evaluated.
    """
    totals = check_rules(part.frame, part.rules, batches, batch_rows)
    found = {rule.rule: site_counts(part.frame, rule) for rule in part.rules}
    for rule, total in totals.items():
        if sum(found[rule].values(), Counts()) != total:
            raise GateDefectError(f"the masks of the rule {rule} and Great Expectations count differently")
    return found


def open_batches() -> Any:
    """Return a batch definition for pandas frames, in a context that writes nothing anywhere."""
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    return (
        context.data_sources.add_pandas("tables")
        .add_dataframe_asset("table")
        .add_batch_definition_whole_dataframe("all")
    )


def check_rules(
    frame: pl.DataFrame, rules: Sequence[GateRule], batches: Any, batch_rows: int = BATCH_ROWS
) -> dict[str, Counts]:
    """Return the counts of each rule, summed over batches of rows.

    Notes
    -----
    A repeated key may lie in two batches, so uniqueness is checked once, on the key's number alone.
    """
    found = {rule.rule: Counts() for rule in rules}
    if frame.is_empty():  # nothing was checked, and Great Expectations would call that a success
        return found
    unique = [rule for rule in rules if rule.kind == "unique"]
    others = [rule for rule in rules if rule.kind != "unique"]
    if unique:
        _add(found, _evaluate(frame.select(KEY), unique, batches))
    if others:
        named = frame.select(_columns_of(others))
        for start in range(0, frame.height, batch_rows):
            _add(found, _evaluate(named.slice(start, batch_rows), others, batches))
    return found


def _columns_of(rules: Iterable[GateRule]) -> list[str]:
    names = [name for rule in rules for name in (rule.checked, *(column for column, _ in rule.where))]
    return list(dict.fromkeys(names))


def _add(found: dict[str, Counts], more: Mapping[str, Counts]) -> None:
    for rule, number in more.items():
        found[rule] += number


def _evaluate(frame: pl.DataFrame, rules: Sequence[GateRule], batches: Any) -> dict[str, Counts]:
    suite = gx.ExpectationSuite(name="gate", expectations=[_expectation(rule) for rule in rules])
    batch = batches.get_batch({"dataframe": pd.DataFrame(frame.to_pandas())})
    results = batch.validate(suite, result_format=WITHOUT_VALUES).results
    return {result.expectation_config.meta["rule"]: _counts(result) for result in results}


def _counts(result: Any) -> Counts:
    rule = result.expectation_config.meta["rule"]
    if _raised(result.exception_info) or "unexpected_count" not in result.result:
        raise GateDefectError(f"the rule {rule} could not be evaluated")
    total = int(result.result["element_count"]) - int(result.result.get("missing_count") or 0)
    return Counts(total, int(result.result["unexpected_count"]))


def _raised(info: Mapping[str, Any]) -> bool:
    """Return whether an exception was raised; the information is flat, or nested by metric."""
    nested = (value for value in info.values() if isinstance(value, Mapping))
    return bool(info.get("raised_exception")) or any(value.get("raised_exception") for value in nested)


def _expectation(rule: GateRule) -> Any:
    shared: dict[str, Any] = {"column": rule.checked, "meta": {"rule": rule.rule}}
    if rule.where:
        conditions = [Column(column) == value for column, value in rule.where]
        shared["row_condition"] = reduce(and_, conditions)
    if rule.kind == "unique":
        return gxe.ExpectColumnValuesToBeUnique(**shared)
    if rule.kind == "present":
        return gxe.ExpectColumnValuesToNotBeNull(**shared)
    if rule.kind == "one_of":
        return gxe.ExpectColumnValuesToBeInSet(value_set=list(rule.allowed), **shared)
    if rule.kind == "true":
        return gxe.ExpectColumnValuesToBeInSet(value_set=[True], **shared)
    return gxe.ExpectColumnValuesToBeBetween(min_value=rule.low, max_value=rule.high, **shared)
