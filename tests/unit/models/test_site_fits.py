"""Which kernel fits which design, and what its note says."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ember.models.contract import Plan, fit
from ember.models.linear import LinearModel
from ember.models.site_fits import (
    FIRTH,
    RANDOM_INTERCEPT,
    SITE_VARIANCES,
    events,
    fit_linear,
    fit_logistic,
    model_design,
    standardised_risks,
)
from tests.unit.models.analyses import SITES, plan, trial


def designed(frame, sites=SITES, scale="reference_sd", **model):
    of = plan({"id": "m", "family": "ancova", **model}, scale=scale)
    return model_design(frame, of, of.models[0], sites), of.models[0]


@pytest.mark.parametrize(
    ("model", "extra", "note"),
    [
        pytest.param({"pool": "one_stage"}, "site_residual_sd", SITE_VARIANCES, id="own_variances"),
        pytest.param({"pool": "random_intercept"}, "site_sd", RANDOM_INTERCEPT, id="random_intercept"),
        pytest.param({"pool": "one_stage", "residual_variance": "common"}, None, "", id="one_variance"),
    ],
)
def test_kernel_of_several_sites(model, extra, note):
    result = fit_linear(*designed(trial(), **model))
    assert (extra in result.extras) if extra else not result.extras
    assert note in result.note and bool(note) == bool(result.note)


@pytest.mark.parametrize(
    "pool", [pytest.param(pool, id=pool) for pool in ("one_stage", "random_intercept", "two_stage")]
)
def test_one_site_is_ordinary_least_squares_whatever_the_pool(pool):
    design, model = designed(trial(), SITES[:1], pool=pool)
    expected = fit(LinearModel("hc3"), Plan(design.names), design.rows)
    found = fit_linear(design, model)
    assert design.names[0] == "intercept" and "baseline" in design.names
    assert np.array_equal(found.coefficients, expected.coefficients)
    assert np.array_equal(found.covariance, expected.covariance)


def test_rows_of_other_sites_do_not_enter():
    design, _ = designed(trial(), ["beta"], pool="two_stage")
    assert design.n == 44 and [block.site for block in design.rows] == ["beta"]


def test_logistic_by_maximum_likelihood_has_no_note():
    design, model = designed(trial(binary=True), family="logistic", scale="response", pool="one_stage")
    result = fit_logistic(design, model)
    assert result.converged and result.note == ""


def test_separation_is_fitted_by_firth_and_said():
    frame = trial(binary=True).with_columns(outcome=pl.col("treatment").cast(pl.Float64))
    design, model = designed(frame, ["alfa"], family="logistic", scale="response")
    result = fit_logistic(design, model)
    assert result.converged and result.note == FIRTH
    assert np.isfinite(result.coefficients).all()


def test_risks_of_a_balanced_design_without_covariates_are_the_observed_ones():
    frame = trial(binary=True)
    of = plan(
        {"id": "m", "family": "logistic"},
        exposure=None,
        outcome={"construct": "severity", "visit": "v", "scale": "remission"},
    )
    design = model_design(frame, of, of.models[0], ["alfa"])
    risks = standardised_risks(design, fit_logistic(design, of.models[0]))
    shares = frame.filter(site_id="alfa").group_by("treatment").agg(pl.col("outcome").mean()).sort("treatment")
    assert risks.coefficients == pytest.approx(shares["outcome"].to_numpy(), rel=1e-9)
    assert events(design) == frame.filter(site_id="alfa")["outcome"].sum()
