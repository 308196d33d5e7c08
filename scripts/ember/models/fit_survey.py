"""Survey models of an analysis: proportions, linear and logistic regression with the sample's design."""

from __future__ import annotations

import numpy as np
import polars as pl

from ember.models.contract import FloatArray, Result
from ember.models.design_matrix import Design, DesignSpec, build_design
from ember.models.eligibility import NO_ROWS, design_obstacle, usable_sites
from ember.models.estimate_rows import Row, estimate_row, missing_row, site_effect
from ember.models.fit_regression import words
from ember.models.fitted import untested
from ember.models.plan import AnalysisPlan, ModelPlan
from ember.models.site_fits import events
from ember.models.survey import BoolArray, SurveyDesign, survey_design, survey_proportion
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
        The sample's design cannot give a variance under the declared policy.

    Notes
    -----
    A site that carries no information on the exposure has a row without numbers and with the reason. A joint model
    leaves it out and names it. Weights are those of the analysis set, which divides them by the number of cycles.
    """
    sampled = frame.filter(
        pl.col("survey_weight") > 0, pl.col("survey_psu").is_not_null(), pl.col("survey_stratum").is_not_null()
    )
    if model.family == "survey_proportion":
        return [row for site in plan.sites for row in _proportions(sampled, plan, model, site)]
    able, left_out = usable_sites(sampled.filter("in_set"), _spec(plan, model, several=False), plan.sites)
    if model.pool == "one_stage":
        return _regression(sampled, plan, model, able, left_out, {"site": None, "level": "one_stage"})
    rows = []
    for site in plan.sites:
        reason = {site: left_out[site]} if site in left_out else {}
        rows += _regression(sampled, plan, model, [] if reason else [site], reason, {"site": site, "level": "site"})
    return rows


def _spec(plan: AnalysisPlan, model: ModelPlan, several: bool) -> DesignSpec:
    return DesignSpec(
        treatment=False,
        exposure=plan.exposure is not None,
        baseline="none",
        covariates=model.covariates,
        sites="fixed" if several else "none",
    )


def _design(frame: pl.DataFrame, plan: AnalysisPlan) -> SurveyDesign:
    stratum = frame.select(pl.col("site_id") + "|" + pl.col("survey_stratum")).to_series()
    psu = frame["survey_psu"].to_list()
    return survey_design(frame["survey_weight"].to_numpy(), stratum.to_list(), psu, lonely_psu=plan.lonely)


def _proportions(sampled: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan, site: str) -> list[Row]:
    frame = sampled.filter(pl.col("site_id") == site)
    inside = frame["in_set"].to_numpy()
    place = {"site": site, "level": "site", "estimand": "prevalence", "scale": "proportion"}
    if not inside.any():
        term = "state" if plan.bands else _outcome_term(plan)
        return [missing_row(plan, model, term, f"Not fitted: {NO_ROWS}.", **place)]
    design = _design(frame, plan)
    rows = []
    for term, indicator in _indicators(frame, plan).items():
        found = survey_proportion(design, indicator, inside)
        rows.append(
            estimate_row(
                plan,
                model,
                term,
                untested(found.effect),
                **place,
                n=found.n,
                n_participants=found.n,
                n_events=int(np.count_nonzero(indicator[inside] == 1.0)),
                n_sites=1,
                note=found.note,
                instrument=_instrument(frame),
            )
        )
    return rows


def _indicators(frame: pl.DataFrame, plan: AnalysisPlan) -> dict[str, FloatArray]:
    if plan.bands is None:
        return {_outcome_term(plan): _column(frame["outcome"])}
    states = frame.filter("in_set")["state"].drop_nulls().unique().sort().to_list()
    return {state: (frame["state"] == state).fill_null(False).cast(pl.Float64).to_numpy() for state in states}


def _outcome_term(plan: AnalysisPlan) -> str:
    cut = plan.outcome.get("cut")
    return f"outcome {cut['operator']} {cut['value']:g}" if cut else f"outcome {plan.outcome['scale']}"


def _regression(
    sampled: pl.DataFrame,
    plan: AnalysisPlan,
    model: ModelPlan,
    sites: list[str],
    left_out: dict[str, str],
    place: Row,
) -> list[Row]:
    frame = sampled.filter(pl.col("site_id").is_in(sites))
    inside = frame["in_set"].to_numpy()
    without = f"Left out: {'; '.join(f'{site} ({reason})' for site, reason in left_out.items())}." if left_out else ""
    if not sites:
        return [missing_row(plan, model, "exposure", without, **place, **words(plan, model, "exposure"))]
    built = build_design(frame.filter("in_set"), _spec(plan, model, several=len(sites) > 1), sites)
    reported = [name for name in built.names if name != "intercept" and not name.startswith("site_")]
    fitted = _fit(frame, inside, built, plan, model)
    if isinstance(fitted, str):
        reason = " ".join(part for part in (f"Not fitted: {fitted}.", without) if part)
        return [missing_row(plan, model, name, reason, **place, **words(plan, model, name)) for name in reported]
    dropped = f"Constant and left out: {', '.join(built.dropped)}." if built.dropped else ""
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
            n_events=events(built) if plan.is_binary else None,
            n_sites=len(sites),
            note=" ".join(part for part in (fitted.note, dropped, without) if part),
            instrument=_instrument(frame),
        )
        for name in reported
    ]


def _fit(frame: pl.DataFrame, inside: BoolArray, built: Design, plan: AnalysisPlan, model: ModelPlan) -> Result | str:
    """Return the fitted model, or in words why there is none; rows outside the set stay in the design."""
    reason = design_obstacle(built)
    if reason is not None:
        return reason
    matrix = np.full((frame.height, len(built.names)), np.nan)
    outcome = np.full(frame.height, np.nan)
    for block in built.rows:
        at = np.flatnonzero(inside & (frame["site_id"] == block.site).to_numpy())
        matrix[at], outcome[at] = block.design, block.outcome
    estimator = survey_linear if model.family == "survey_linear" else survey_logistic
    fitted = estimator(_design(frame, plan), built.names, matrix, outcome, inside)
    return fitted if fitted.converged else "separation, or the fit did not converge"


def _instrument(frame: pl.DataFrame) -> str | None:
    used = frame["instrument"].drop_nulls().unique().to_list()
    return used[0] if len(used) == 1 else None


def _column(values: pl.Series) -> FloatArray:
    return values.cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64, copy=True)
