"""Rows of the table of estimates, from fitted effects."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from ember.models.contract import Effect, Result, effect
from ember.models.meta_analysis import Pooled
from ember.models.multiplicity import adjust
from ember.models.plan import AnalysisPlan, ModelPlan
from ember.tables.store import conform, polars_schema

Row = dict[str, Any]


def estimate_row(plan: AnalysisPlan, model: ModelPlan, term: str, value: Effect, **details: Any) -> Row:
    """Return one row: the analysis' labels, the numbers, and what is particular to this estimate."""
    return {
        **plan.labels,
        "model_id": model.id,
        "term": term,
        "estimate": value.estimate,
        "std_error": value.std_error,
        "conf_low": value.conf_low,
        "conf_high": value.conf_high,
        "df": value.df,
        "statistic": value.statistic,
        "p_value": value.p_value,
        "adjustment": adjustment_words(plan, model),
        "converged": True,
        "note": "",
        **details,
    }


def missing_row(plan: AnalysisPlan, model: ModelPlan, term: str, reason: str, **details: Any) -> Row:
    """Return a row without numbers for a model that could not be fitted, with the reason.

    Notes
    -----
    No count stands in it either: a pooled estimate does not include this site, and a count beside the others' would
    tell by subtraction what the disclosure hides.
    """
    nothing = Effect(*[math.nan] * 7)
    return estimate_row(plan, model, term, nothing, **{"note": reason, "converged": False, **details})


def pooled_details(pooled: Pooled) -> Row:
    """Return what a two-stage estimate adds: heterogeneity and prediction interval."""
    return {
        "level": "two_stage",
        "n_sites": pooled.k,
        "tau2": pooled.tau2,
        "i2": pooled.i2_tau2,
        "pred_low": pooled.prediction_low,
        "pred_high": pooled.prediction_high,
        "note": pooled.note,
    }


def site_effect(result: Result, name: str) -> Effect:
    """Return one coefficient of a fit with its own degrees of freedom (columns constant within sites have fewer)."""
    at = result.names.index(name)
    df = result.df(np.eye(len(result.names))[at])
    between = result.extras.get("between")
    if isinstance(between, np.ndarray) and between[at]:
        df = float(result.extras["df_between"])
    return effect(float(result.coefficients[at]), float(result.covariance[at, at]), df)


def adjustment_words(plan: AnalysisPlan, model: ModelPlan) -> str:
    """Return what the model adjusts for, in words."""
    parts = ["baseline score"] if plan.adjusts_for_baseline and not model.family.startswith("survey") else []
    return " + ".join([*parts, *model.covariates]) or "none"


def estimates_table(rows: Sequence[Row], plan: AnalysisPlan, headline_terms: Sequence[str]) -> pl.DataFrame:
    """Return rows as a table of the contract `estimates`, with p values adjusted within the declared family.

    Notes
    -----
    The family of an analysis file is its headline terms in the first model, at the pooled level; other rows are
    descriptions and are not adjusted. A model that keeps sites apart has a headline at each site. NaN becomes null:
    a number that does not exist is absent.
    """
    rows = [{key: _present(value) for key, value in row.items()} for row in rows]
    if plan.family is not None:
        first = plan.models[0]
        members = [
            row
            for row in rows
            if row["model_id"] == first.id
            and row["term"] in headline_terms
            and (row["level"] != "site" or first.pool == "by_site")
        ]
        known = [math.nan if row["p_value"] is None else row["p_value"] for row in members]
        for row, value in zip(members, adjust(known, plan.adjust), strict=True):
            row["p_adjusted"] = _present(float(value))
    schema = polars_schema("estimates")
    columns = {name: [row.get(name) for row in rows] for name in schema}
    return conform(pl.DataFrame(columns, schema=schema), "estimates")


def _present(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
