"""Fit one model to one block of rows: linear or logistic, one site or several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ember.errors import EmberError
from ember.models.contract import Plan, Result, fit
from ember.models.design_matrix import Design, DesignSpec, build_design
from ember.models.firth import FirthLogisticModel
from ember.models.linear import LinearModel
from ember.models.logistic import LogisticModel
from ember.models.plan import AnalysisPlan, ModelPlan
from ember.models.random_intercept import RandomInterceptModel
from ember.models.site_weighted import SiteWeightedModel
from ember.models.standardise import CounterfactualRows, StandardisedRisks


def model_design(frame: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan, sites: Sequence[str]) -> Design:
    """Return the design of a model for the rows of one or several sites."""
    several = len(sites) > 1
    arrangement = {"one_stage": "fixed", "random_intercept": "random"}.get(model.pool, "none") if several else "none"
    spec = DesignSpec(
        treatment=plan.treatment is not None,
        exposure=plan.exposure is not None,
        baseline=(model.baseline_slope if several else "common") if plan.adjusts_for_baseline else "none",
        covariates=model.covariates,
        sites=arrangement,
    )
    return build_design(frame, spec, sites)


def fit_linear(design: Design, model: ModelPlan) -> Result:
    """Fit a linear model.

    Notes
    -----
    Several sites with their own residual variances are fitted by feasible GLS, and `covariance` then does not
    apply; a robust covariance with `residual_variance: common` allows for unequal variances in the errors only.
    """
    plan = Plan(design.names)
    if model.pool == "random_intercept" and len(design.rows) > 1:
        return fit(RandomInterceptModel(), plan, design.rows)
    if model.pool == "one_stage" and model.residual_variance == "by_site" and len(design.rows) > 1:
        return fit(SiteWeightedModel(), plan, design.rows)
    return fit(LinearModel(model.covariance), plan, design.rows)


def fit_logistic(design: Design, model: ModelPlan) -> Result:
    """Fit a logistic model; where maximum likelihood does not exist (separation), Firth's, and say so."""
    if model.pool == "random_intercept":
        raise EmberError(
            "A logistic model with a random intercept is not available.", allowed=["two_stage", "one_stage"]
        )
    covariance = model.covariance if model.covariance in {"classical", "hc0"} else "hc0"
    result = fit(LogisticModel(covariance), Plan(design.names), design.rows)
    if result.converged:
        return result
    return fit(FirthLogisticModel(), Plan(design.names), design.rows)


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
