"""The gates in Great Expectations: the only module that imports it, and the only one that imports pandas for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
import polars as pl
from great_expectations import expectations as gxe

from ember.provenance.settings import included_sites
from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.validate.analysis_rules import analysis_tables
from ember.validate.gate_rule import Counts, GateRule
from ember.validate.gate_tables import Load, gate_tables
from ember.validate.gates import gate_frame, site_counts
from ember.validate.raw_gate import raw_counts

BATCH_ROWS = 1_000_000
WITHOUT_VALUES = {"result_format": "BASIC", "partial_unexpected_count": 0}
"""Counts only: every other setting would put participants' values into the result."""


class GateDefectError(Exception):
    """Great Expectations could not evaluate a rule: a defect of the pipeline, never a verdict on the data."""


def run_gates(stage: str, load: Load, study: Study, registry: Registry) -> pl.DataFrame:
    """Check every table of every site and return the verdicts, contract gates.

    Parameters
    ----------
    stage : {"standardised", "harmonised"}
    load : callable
        Reads columns of a table of a site (see `ember.validate.gate_tables.Load`).

    Raises
    ------
    GateDefectError
        A rule could not be evaluated.
    """
    batches, sites = open_batches(), included_sites(study)
    parts = gate_tables(stage, sites, load, study, registry)
    return gate_frame(stage, [(part.rules, counts_by_site(part.frame, part.rules, batches)) for part in parts], sites)


def counts_by_site(
    frame: pl.DataFrame, rules: Sequence[GateRule], batches: Any, batch_rows: int = BATCH_ROWS
) -> dict[str, dict[str, Counts]]:
    """Return the counts of each rule at each site.

    Great Expectations decides over all sites together, which costs the same for four sites as for a hundred;
    the masks of the same rules say at which site.

    Raises
    ------
    GateDefectError
        The masks and Great Expectations disagree, or a rule could not be evaluated.
    """
    totals = check_rules(frame, rules, batches, batch_rows)
    found = site_counts(frame, rules)
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
    A repeated key may lie in two batches, so uniqueness is checked once, on the key's number alone. Rules about the
    same rows are checked together, on these rows: a row condition would copy the whole batch for each metric.
    """
    found = {rule.rule: Counts() for rule in rules}
    for kind, where in dict.fromkeys((rule.kind == "unique", rule.where) for rule in rules):
        together = [rule for rule in rules if (rule.kind == "unique", rule.where) == (kind, where)]
        rows = frame.filter(reduce(and_, (pl.col(name) == value for name, value in where), pl.lit(True)))
        named = rows.select(columns_of_checked(together))
        size = max(named.height, 1) if kind else batch_rows
        for start in range(0, named.height, size):  # no rows: Great Expectations would call that a success
            for rule, number in _evaluate(named.slice(start, size), together, batches).items():
                found[rule] += number
    return found


def columns_of_checked(rules: Iterable[GateRule]) -> list[str]:
    """Return the columns that rules look at, each once, without those of their conditions."""
    return list(dict.fromkeys(rule.checked for rule in rules))


def _evaluate(frame: pl.DataFrame, rules: Sequence[GateRule], batches: Any) -> dict[str, Counts]:
    suite = gx.ExpectationSuite(name="gate", expectations=[_expectation(rule, frame) for rule in rules])
    numbers = pd.DataFrame({name: _numbers(frame[name]) for name in frame.columns}, copy=False)
    results = batches.get_batch({"dataframe": numbers}).validate(suite, result_format=WITHOUT_VALUES).results
    if len(results) != len(rules):
        raise GateDefectError("Great Expectations left out a rule")
    return {result.expectation_config.meta["rule"]: _counts(result) for result in results}


def _numbers(column: pl.Series) -> Any:
    """Return a column as numbers of eight bytes or fewer: text as its code, missing cells as not a number.

    Great Expectations compares only int64 and float64 as a whole; every other type goes through it cell by cell.
    """
    if column.dtype == pl.String:
        column = column.cast(pl.Categorical)
    if column.dtype == pl.Categorical:
        column = column.to_physical()
    elif column.dtype == pl.Boolean:
        column = column.cast(pl.Int8)
        return column.cast(pl.Float64).to_numpy() if column.null_count() else column.to_numpy()
    exact = column.dtype.is_integer() and not column.null_count()
    return column.cast(pl.Int64 if exact else pl.Float64).to_numpy()


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


def _expectation(rule: GateRule, frame: pl.DataFrame) -> Any:
    shared: dict[str, Any] = {"column": rule.checked, "meta": {"rule": rule.rule}}
    dtype = frame.schema[rule.checked]
    if rule.kind == "unique":
        return gxe.ExpectColumnValuesToBeUnique(**shared)
    if rule.kind == "present":
        return gxe.ExpectColumnValuesToNotBeNull(**shared)
    text = dtype in (pl.String, pl.Categorical)
    wanted = {"one_of": text, "true": dtype == pl.Boolean, "between": dtype.is_numeric()}
    if not wanted[rule.kind]:  # codes of text have no size, and numbers are no names
        raise GateDefectError(f"the rule {rule.rule} cannot be evaluated on a column of {dtype}")
    if rule.kind == "one_of":
        codes = pl.Series(list(rule.allowed), dtype=pl.Categorical).to_physical().to_list()
        return gxe.ExpectColumnValuesToBeInSet(value_set=codes, **shared)
    if rule.kind == "true":
        return gxe.ExpectColumnValuesToBeInSet(value_set=[1], **shared)
    return gxe.ExpectColumnValuesToBeBetween(min_value=rule.low, max_value=rule.high, **shared)


def run_raw_gate(files: Mapping[str, Path], study: Study, registry: Registry) -> pl.DataFrame:
    """Check the raw files and return the verdicts, contract gates.

    Parameters
    ----------
    files : mapping
        Raw file by source.
    """
    batches = open_batches()

    def check(frame: pl.DataFrame, rules: Sequence[GateRule]) -> dict[str, dict[str, Counts]]:
        return counts_by_site(frame, rules, batches)

    checked = raw_counts(files, study, registry, check, BATCH_ROWS)
    return gate_frame("raw", [checked], included_sites(study))


def run_analysis_gate(sets: Mapping[str, pl.DataFrame], study: Study, registry: Registry) -> pl.DataFrame:
    """Check the analysis sets and return the verdicts, contract gates.

    Parameters
    ----------
    sets : mapping
        Contract analysis_set by analysis.
    """
    batches = open_batches()
    sites = included_sites(study)
    parts = (
        part
        for name, frame in sets.items()
        for part in analysis_tables(study.analyses[name], frame, sites, study, registry)
    )
    return gate_frame(
        "analysis", [(part.rules, counts_by_site(part.frame, part.rules, batches)) for part in parts], sites
    )
