"""Fit one model to one block of rows: linear or logistic, one site or several."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import polars as pl

from ember.models.contract import Plan, Result, fit
from ember.models.design_matrix import Design, DesignSpec, build_design
from ember.models.firth import FirthLogisticModel
from ember.models.linear import LinearModel
from ember.models.logistic import LogisticModel
from ember.models.plan import AnalysisPlan, ModelPlan
from ember.models.random_intercept import RandomInterceptModel
from ember.models.site_weighted import SiteWeightedModel
from ember.models.standardise import CounterfactualRows, StandardisedRisks

FIRTH = "Separation: Firth's penalised likelihood with its model-based errors in place of maximum likelihood."
SITE_VARIANCES = "A residual variance for each site (feasible GLS); the errors are model-based."
RANDOM_INTERCEPT = "A random intercept for each site; the errors are model-based."


def model_spec(plan: AnalysisPlan, model: ModelPlan, several: bool) -> DesignSpec:
    """Return the right-hand side of a model of one site or of several."""
    arrangement = {"one_stage": "fixed", "random_intercept": "random"}.get(model.pool, "none")
    return DesignSpec(
        treatment=plan.treatment is not None,
        exposure=plan.exposure is not None,
        baseline=(model.baseline_slope if several else "common") if plan.adjusts_for_baseline else "none",
        covariates=model.covariates,
        sites=arrangement if several else "none",
    )


def model_design(frame: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan, sites: Sequence[str]) -> Design:
    """Return the design of a model for the rows of one or several sites."""
    inside = frame.filter(pl.col("site_id").is_in(list(sites)))
    return build_design(inside, model_spec(plan, model, len(sites) > 1), sites)


def fit_linear(design: Design, model: ModelPlan) -> Result:
    """Fit a linear model.

    Notes
    -----
    Several sites with their own residual variances are fitted by feasible GLS, and `covariance` then does not
    apply, which the note says; a robust covariance with `residual_variance: common` allows for unequal variances
    in the errors only.
    """
    plan, several = Plan(design.names), len(design.rows) > 1
    if model.pool == "random_intercept" and several:
        return _noted(fit(RandomInterceptModel(), plan, design.rows), RANDOM_INTERCEPT)
    if model.pool == "one_stage" and model.residual_variance == "by_site" and several:
        return _noted(fit(SiteWeightedModel(), plan, design.rows), SITE_VARIANCES)
    return fit(LinearModel(model.covariance), plan, design.rows)


def fit_logistic(design: Design, model: ModelPlan) -> Result:
    """Fit a logistic model; where maximum likelihood does not exist (separation), Firth's, and say so."""
    result = fit(LogisticModel(model.covariance), Plan(design.names), design.rows)
    if result.converged:
        return result
    return _noted(fit(FirthLogisticModel(), Plan(design.names), design.rows), FIRTH)


def standardised_risks(design: Design, result: Result) -> Result:
    """Return the risks if everyone had the reference and if everyone had the active arm."""
    reference, active = design.with_treatment(0.0), design.with_treatment(1.0)
    rows = [
        CounterfactualRows(block.site, (without, with_it))
        for block, without, with_it in zip(design.rows, reference, active, strict=True)
    ]
    return fit(StandardisedRisks(result, ("reference", "active")), Plan(result.names), rows)


def events(design: Design) -> int:
    """Return the number of rows whose outcome is 1."""
    return int(sum(np.count_nonzero(block.outcome == 1.0) for block in design.rows))


def _noted(result: Result, note: str) -> Result:
    return replace(result, note=" ".join(part for part in (note, result.note) if part))
