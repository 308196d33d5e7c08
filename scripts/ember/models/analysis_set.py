"""The analysis set: every participant of the study as one row, in the set or out of it with the first reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.cuts import BoolArray, FloatArray, holds
from ember.endotypes.results import PERSON
from ember.endotypes.scheme import INDETERMINATE
from ember.errors import EmberError
from ember.history.declared import COLUMNS as HISTORY
from ember.models.acute_samples import Chosen, chosen_results
from ember.models.analysis_exposure import centred, composite_column, exposure_columns
from ember.models.analysis_outcome import outcome_columns
from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.tables.store import conform
from ember.validate.accounting import Account
from ember.validate.ledger import entries, join_entries

DESIGN = ("survey_weight", "survey_stratum", "survey_psu")
CARRIED = ("age", "sex", "ethnicity", "bmi", "smoker", "adversity", *DESIGN)


def build_analysis_set(
    study: Study,
    analysis: Mapping[str, Any],
    registry: Registry,
    participants: pl.DataFrame,
    measurements: pl.DataFrame,
    scores: pl.DataFrame,
    endotypes: pl.DataFrame | None = None,
) -> tuple[pl.DataFrame, pl.DataFrame, list[Account]]:
    """Build the rows of one analysis.

    Parameters
    ----------
    study : Study
        Gives the order of the sites.
    analysis : mapping
        Content of analyses/<analysis>.yaml.
    participants, measurements, scores : DataFrame
        Harmonised tables of all sites that are not excluded; participants with their history where it is named.
    endotypes : DataFrame, optional
        Contract endotypes of the scheme that the analysis names under `bands` or `within`.

    Returns
    -------
    set : DataFrame
        Contract analysis_set: every participant, sites in study order.
    ledger : DataFrame
        Contract ledger: one entry a participant outside the set.
    accounts : list of Account
        Participants, one line a site.

    Raises
    ------
    EmberError
        The analysis cannot be built from these data without a guess.

    Notes
    -----
    Rows outside the set stay, because a survey's variance needs the whole design: leaving rows out instead of
    giving them no part in the domain makes strata and sampling units disappear and the standard errors wrong.
    """
    people = _in_study_order(study, participants)
    chosen = chosen_results(people, measurements, scores, study, analysis) if "exposure" in analysis else None
    table = pl.concat(
        [
            people.select(*PERSON, "row_number", "source_file", *CARRIED, *_named_history(people)),
            _treatment(people, analysis),
            exposure_columns(people, chosen.results if chosen else None, analysis),
            outcome_columns(people, scores, analysis, registry),
            _state(people, analysis, endotypes),
        ],
        how="horizontal",
    )
    reason = _first_reasons(people, table, analysis, chosen)
    table = table.with_columns(reason, reason.is_null().alias("in_set"))
    table = _divided_weight(_finished(table, measurements, analysis), analysis)
    stage = f"analysis:{analysis['analysis']}"
    return conform(table.drop("source_file"), "analysis_set"), _ledger(table, stage), _accounts(table, stage)


def _in_study_order(study: Study, participants: pl.DataFrame) -> pl.DataFrame:
    by_site = participants.partition_by("site_id", as_dict=True, maintain_order=True)
    ordered = [by_site[(site,)] for site in study.sites if (site,) in by_site]
    return pl.concat(ordered) if ordered else participants


def _named_history(people: pl.DataFrame) -> list[str]:
    return [name for name in HISTORY if name in people.columns]


def _treatment(people: pl.DataFrame, analysis: Mapping[str, Any]) -> pl.DataFrame:
    arms = analysis.get("treatment")
    codes = {arms["active"]: 1, arms["reference"]: 0} if arms else {}
    column = people["arm"].replace_strict(codes, default=None, return_dtype=pl.Int16) if codes else None
    return pl.DataFrame(
        {"treatment": column if column is not None else pl.Series([None] * people.height, dtype=pl.Int16)}
    )


def _state(people: pl.DataFrame, analysis: Mapping[str, Any], endotypes: pl.DataFrame | None) -> pl.DataFrame:
    named = analysis.get("bands") or analysis.get("within")
    if named is None:
        return pl.DataFrame({"state": pl.Series([None] * people.height, dtype=pl.String)})
    if endotypes is None:
        raise EmberError(
            f"The analysis is about the states of '{named['scheme']}', which were not derived.",
            where=f"analyses/{analysis['analysis']}.yaml  {'bands' if 'bands' in analysis else 'within'}",
        )
    assigned = endotypes.filter("assigned").select(*PERSON, pl.col("class").alias("state"))
    return people.select(PERSON).join(assigned, on=PERSON, how="left", maintain_order="left").select("state")


def _first_reasons(
    people: pl.DataFrame, table: pl.DataFrame, analysis: Mapping[str, Any], chosen: Chosen | None
) -> pl.Series:
    """Return for each row the rule id of the first reason that holds, null where none does."""
    whens = [
        pl.when(pl.Series(_array(fails))).then(pl.lit(f"analysis.{name}"))
        for name, fails in _conditions(people, table, analysis, chosen).items()
    ]
    return table.select(pl.coalesce(*whens, pl.lit(None, dtype=pl.String)).alias("reason")).to_series()


def _conditions(
    people: pl.DataFrame, table: pl.DataFrame, analysis: Mapping[str, Any], chosen: Chosen | None
) -> dict[str, pl.Series | BoolArray]:
    """Return where each reason holds, in the order in which reasons are given."""
    outside = np.zeros(people.height, dtype=np.bool_)
    for condition in analysis.get("population", []):
        outside |= ~_meets(people[condition["column"]], condition["operator"], condition["value"])
    if "within" in analysis:
        outside |= ~_array(table["state"].is_in(analysis["within"]["states"]).fill_null(False))
    found: dict[str, pl.Series | BoolArray] = {"outside_population": outside}
    if "survey" in analysis:
        weightless = ~holds(_floats(table["survey_weight"]), ">", 0)
        found["no_design"] = weightless | _array(_any_null(table, ["survey_stratum", "survey_psu"]))
    if "treatment" in analysis:
        found["no_treatment"] = table["treatment"].is_null()
    no_exposure = np.zeros(people.height, dtype=np.bool_)
    if "exposure" in analysis:
        no_exposure |= _array(table["exposure"].is_null())
    if "bands" in analysis:
        no_exposure |= _array((table["state"].fill_null(INDETERMINATE)) == INDETERMINATE)
    found["no_exposure"] = no_exposure
    if chosen is not None and chosen.reason is not None:
        found[chosen.reason] = chosen.leaves
    if "outcome" in analysis:
        if "baseline" in analysis["outcome"]:
            found["no_baseline"] = table["baseline"].is_null()
        found["no_outcome"] = table["outcome"].is_null()
    covariates = dict.fromkeys(name for model in analysis["models"] for name in model.get("covariates", []))
    found["no_covariate"] = _any_null(people, list(covariates))
    return found


def _meets(column: pl.Series, operator: str, value: float | str) -> BoolArray:
    if operator == "equals":
        text = column.dtype == pl.String
        return _array((column == (str(value) if text else float(value))).fill_null(False))
    if column.dtype == pl.String:
        raise EmberError(f"'{column.name}' has words, which {operator} cannot compare.", where="population")
    return holds(_floats(column), operator, float(value))


def _finished(table: pl.DataFrame, measurements: pl.DataFrame, analysis: Mapping[str, Any]) -> pl.DataFrame:
    """Return the table with what needs the set itself: the centred exposure and the composite."""
    in_set = _array(table["in_set"])
    columns = {"composite": composite_column(table.select(PERSON), measurements, analysis, in_set)}
    if analysis.get("exposure", {}).get("centre") == "within_site":
        weight = _floats(table["survey_weight"]) if "survey" in analysis else None
        columns["exposure"] = centred(_floats(table["exposure"]), table["site_id"], in_set, weight)
    return table.with_columns(pl.Series(name, column).fill_nan(None) for name, column in columns.items())


def _divided_weight(table: pl.DataFrame, analysis: Mapping[str, Any]) -> pl.DataFrame:
    divisor = analysis.get("survey", {}).get("weight_divisor", 1)
    return table.with_columns(pl.col("survey_weight") / divisor)


def _ledger(table: pl.DataFrame, stage: str) -> pl.DataFrame:
    out = table.filter(pl.col("reason").is_not_null())
    parts = [
        entries(rows, reason, site=site, stage=stage)
        for (site, reason), rows in out.group_by(["site_id", "reason"], maintain_order=True)
    ]
    return join_entries(parts)


def _accounts(table: pl.DataFrame, stage: str) -> list[Account]:
    counts = table.group_by("site_id", maintain_order=True).agg(pl.len(), pl.col("in_set").sum().alias("kept"))
    return [
        Account(site, stage, "participant", n_in=n, n_out=kept, n_excluded=n - kept)
        for site, n, kept in counts.iter_rows()
    ]


def _any_null(frame: pl.DataFrame, columns: list[str]) -> pl.Series:
    if not columns:
        return pl.Series([False] * frame.height, dtype=pl.Boolean)
    return frame.select(pl.any_horizontal(pl.col(columns).is_null())).to_series()


def _floats(column: pl.Series) -> FloatArray:
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)


def _array(column: pl.Series | BoolArray) -> BoolArray:
    return column.to_numpy().astype(np.bool_) if isinstance(column, pl.Series) else column
