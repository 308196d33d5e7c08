"""Survey models of an analysis: proportions, linear and logistic regression with the sample's design."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ember.errors import EmberError
from ember.models.contract import FloatArray
from ember.models.design_matrix import DesignSpec, build_design
from ember.models.estimate_rows import Row, estimate_row, site_effect
from ember.models.fit_regression import words
from ember.models.plan import AnalysisPlan, ModelPlan
from ember.models.survey import SurveyDesign, survey_design, survey_proportion
from ember.models.survey_regression import survey_linear, survey_logistic


def fit_survey(frame: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan) -> list[Row]:
    """Fit one survey model, for each site apart or for all sites as strata of one design.

    Parameters
    ----------
    frame : DataFrame
        Contract `analysis_set`, all rows: those outside the set stay in the design with no contribution.

    Raises
    ------
    EmberError
        `two_stage` or `random_intercept`, or shares of states pooled over sites.
    """
    sampled = frame.filter(pl.col("survey_weight") > 0, pl.col("survey_psu").is_not_null())
    if model.pool == "by_site":
        rows = []
        for site in plan.sites:
            part = sampled.filter(pl.col("site_id") == site)
            if part["in_set"].any():
                rows += _fit_part(part, plan, model, [site])
        return rows
    if model.pool != "one_stage" or model.family == "survey_proportion":
        allowed = ["by_site"] if model.family == "survey_proportion" else ["by_site", "one_stage"]
        raise EmberError(
            f"'{model.pool}' is not a way to join sites in a {model.family} model.",
            where=f"analyses/{plan.id}.yaml",
            allowed=allowed,
            fix="Shares of bands are never pooled over assays that no bridge joins.",
        )
    return _fit_part(sampled, plan, model, plan.sites)


def _fit_part(frame: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan, sites: Sequence[str]) -> list[Row]:
    design = _design(frame, plan, divisor=plan.weight_divisor if len(sites) > 1 else 1.0)
    place = {"site": sites[0], "level": "site"} if len(sites) == 1 else {"site": None, "level": "one_stage"}
    if model.family == "survey_proportion":
        return _proportions(frame, plan, model, design, place)
    return _regression(frame, plan, model, design, place, sites)


def _design(frame: pl.DataFrame, plan: AnalysisPlan, divisor: float) -> SurveyDesign:
    labels = frame.select(
        stratum=pl.col("site_id") + "|" + pl.col("survey_stratum").fill_null(""),
        psu=pl.col("survey_psu"),
    )
    weight = frame["survey_weight"].to_numpy() / divisor
    return survey_design(weight, labels["stratum"].to_list(), labels["psu"].to_list(), lonely_psu=plan.lonely)


def _proportions(
    frame: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan, design: SurveyDesign, place: Row
) -> list[Row]:
    inside = frame["in_set"].to_numpy()
    rows = []
    for term, indicator in _indicators(frame, plan).items():
        found = survey_proportion(design, indicator, inside)
        hits = int(np.count_nonzero(indicator[inside] == 1.0))
        rows.append(
            estimate_row(
                plan,
                model,
                term,
                found.effect,
                **place,
                estimand="prevalence",
                scale="proportion",
                n=found.n,
                n_participants=found.n,
                n_events=hits,
                n_sites=1,
                note=found.note,
                p_value=float("nan"),
                statistic=float("nan"),
                instrument=_instrument(frame),
            )
        )
    return rows


def _indicators(frame: pl.DataFrame, plan: AnalysisPlan) -> dict[str, FloatArray]:
    if plan.bands is None:
        cut = plan.outcome["cut"]
        return {f"outcome {cut['operator']} {cut['value']:g}": _column(frame["outcome"])}
    states = frame.filter("in_set")["state"].drop_nulls().unique().sort().to_list()
    return {state: (frame["state"] == state).fill_null(False).cast(pl.Float64).to_numpy() for state in states}


def _regression(
    frame: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan, design: SurveyDesign, place: Row, sites: Sequence[str]
) -> list[Row]:
    inside = frame["in_set"].to_numpy()
    spec = DesignSpec(
        treatment=False,
        exposure=plan.exposure is not None,
        baseline="none",
        covariates=model.covariates,
        sites="fixed" if len(sites) > 1 else "none",
    )
    built = build_design(frame.filter("in_set"), spec, sites)
    matrix = np.full((frame.height, len(built.names)), np.nan)
    outcome = np.full(frame.height, np.nan)
    at = {site: np.flatnonzero(inside & (frame["site_id"] == site).to_numpy()) for site in sites}
    for block in built.rows:
        matrix[at[block.site]] = block.design
        outcome[at[block.site]] = block.outcome
    fitted = (survey_linear if model.family == "survey_linear" else survey_logistic)(
        design, built.names, matrix, outcome, inside
    )
    reported = [name for name in built.names if name != "intercept" and not name.startswith("site_")]
    events = int(np.count_nonzero(outcome[inside] == 1.0)) if plan.is_binary else None
    return [
        estimate_row(
            plan,
            model,
            name,
            site_effect(fitted, name),
            **place,
            **words(plan, model, name),
            n=fitted.n,
            n_participants=fitted.n,
            n_events=events,
            n_sites=len(sites),
            converged=fitted.converged,
            note=fitted.note,
            instrument=_instrument(frame),
        )
        for name in reported
    ]


def _instrument(frame: pl.DataFrame) -> str | None:
    used = frame["instrument"].drop_nulls().unique().to_list()
    return used[0] if len(used) == 1 else None


def _column(values: pl.Series) -> FloatArray:
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64, copy=True)
