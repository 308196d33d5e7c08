"""The gates in Great Expectations: the only module that imports it, and the only one that imports pandas for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import great_expectations as gx
import pandas as pd
import polars as pl
from great_expectations import expectations as gxe

from ember.provenance.settings import included_sites
from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.validate.analysis_rules import analysis_counts
from ember.validate.gate_rule import COUNT, SITE, Counts, GateRule
from ember.validate.gate_tables import stage_counts
from ember.validate.gates import gate_frame, masks, site_counts
from ember.validate.raw_gate import raw_counts
from ember.validate.site_rows import Load
from ember.validate.tally import by_condition

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
        Reads columns of a table of a site (see `ember.validate.site_rows.Load`).

    Raises
    ------
    GateDefectError
        A rule could not be evaluated.
    """
    sites = included_sites(study)
    return gate_frame(
        stage, stage_counts(stage, sites, load, study, registry, partial(judged, batches=open_batches())), sites
    )


def judged(
    tally: pl.DataFrame, rules: Sequence[GateRule], batches: Any, batch_rows: int = BATCH_ROWS
) -> dict[str, dict[str, Counts]]:
    """Return the counts of each rule at each site.

    Parameters
    ----------
    tally : DataFrame
        `SITE`, `COUNT` and the columns of the rules (see `ember.validate.tally`).

    Raises
    ------
    GateDefectError
        The masks and Great Expectations disagree, or a rule could not be evaluated.

    Notes
    -----
    Great Expectations decides on the distinct cells of all sites together. The verdict on a row is the verdict on its
    cells, so that the rows which fail are those which hold cells that failed.
    """
    cells = tally.drop(SITE, COUNT).unique()
    for together, rows in by_condition(cells, rules):
        found = check_rules(rows, together, batches, batch_rows)
        for rule in together:
            if found[rule.rule] != _told_by_masks(rows, rule):
                raise GateDefectError(f"the masks of the rule {rule.rule} and Great Expectations count differently")
    return site_counts(tally, rules)


def _told_by_masks(rows: pl.DataFrame, rule: GateRule) -> Counts:
    weight = _standing(pl.col(rule.checked)) if rule.kind == "unique" else pl.lit(1)
    checked, failed = (pl.when(mask).then(weight).otherwise(0).sum() for mask in masks(rows, rule))
    return Counts(*rows.select(checked.alias("checked"), failed.alias("failed")).row(0))


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
    cells: pl.DataFrame, rules: Sequence[GateRule], batches: Any, batch_rows: int = BATCH_ROWS
) -> dict[str, Counts]:
    """Return what Great Expectations says of each rule, summed over batches of cells that all meet its condition."""
    found = {rule.rule: Counts() for rule in rules}
    for keys in (False, True):
        together = [rule for rule in rules if (rule.kind == "unique") is keys]
        named = cells.select(list(dict.fromkeys(rule.checked for rule in together)))
        if keys and together:
            named = sample_keys(named.to_series())
        size = max(named.height, 1) if keys else batch_rows
        for start in range(0, named.height, size):  # no rows: Great Expectations would call that a success
            for rule, number in _evaluate(named.slice(start, size), together, batches).items():
                found[rule] += number
    return found


def sample_keys(times: pl.Series) -> pl.DataFrame:
    """Return a table of keys, in which one stands once or twice for all the keys that stand so many times.

    Notes
    -----
    A row breaks the rule if its key stands again, so keys which stand equally often meet it or break it together,
    and those which stand three times break it as those which stand twice do.
    """
    return pl.select(pl.int_range(times.len()).repeat_by(pl.lit(times).pipe(_standing)).explode().alias(times.name))


def _standing(times: pl.Expr) -> pl.Expr:
    """Return how often the sample of a key stands which stands so many times."""
    return times.clip(upper_bound=2)


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
    checked = raw_counts(files, study, registry, partial(judged, batches=open_batches()))
    return gate_frame("raw", [checked], included_sites(study))


def run_analysis_gate(load: Load, study: Study, registry: Registry) -> pl.DataFrame:
    """Check the analysis sets and return the verdicts, contract gates.

    Parameters
    ----------
    load : callable
        Reads columns of a site's rows of the set of an analysis (see `ember.validate.site_rows.Load`).
    """
    sites, judge = included_sites(study), partial(judged, batches=open_batches())
    parts = (
        part
        for analysis in study.analyses.values()
        for part in analysis_counts(analysis, sites, load, study, registry, judge)
    )
    return gate_frame("analysis", parts, sites)
