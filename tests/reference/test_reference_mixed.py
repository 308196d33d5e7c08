"""Random intercept against lme4, site-specific residual variances against nlme: iterative, tolerance 1e-6."""

from __future__ import annotations

import numpy as np
import pytest

from ember.models.contract import Plan, SiteRows, fit
from ember.models.random_intercept import RandomInterceptModel
from ember.models.site_weighted import SiteWeightedModel
from tests.reference.trial_rows import plan, site_rows, witness_order

ITERATIVE = 1e-6


@pytest.mark.parametrize("weights", [pytest.param(False, id="plain"), pytest.param(True, id="weighted")])
def test_random_intercept_equals_lme4(witness, table, weights):
    frame = table("trial")
    expected = witness("mixed")["weighted" if weights else "plain"]
    result = fit(RandomInterceptModel(), plan(frame), site_rows(frame, "outcome", weighted=weights))
    order = witness_order(result.names, expected["names"])
    assert result.coefficients == pytest.approx(np.array(expected["coefficients"])[order], rel=ITERATIVE)
    assert np.sqrt(np.diag(result.covariance)) == pytest.approx(np.array(expected["std_errors"])[order], rel=ITERATIVE)
    assert result.extras["site_sd"] == pytest.approx(expected["site_sd"], rel=ITERATIVE)
    assert result.extras["residual_sd"] == pytest.approx(expected["residual_sd"], rel=ITERATIVE)
    assert result.extras["reml_criterion"] == pytest.approx(expected["reml"], rel=1e-10)
    assert result.extras["boundary"] == 0


def test_random_intercept_at_the_boundary(witness, table):
    frame = table("trial")
    expected = witness("mixed")["boundary"]
    rows = [
        SiteRows(r.site, np.ones((r.outcome.size, 1)), r.outcome - r.outcome.mean())
        for r in site_rows(frame, "outcome")
    ]
    result = fit(RandomInterceptModel(), Plan(("one",)), rows)
    assert expected["site_sd"] == 0
    assert result.extras["site_sd"] == 0
    assert result.extras["boundary"] == 1
    assert "zero" in result.note
    assert result.extras["residual_sd"] == pytest.approx(expected["residual_sd"], rel=1e-8)


def test_site_variances_equal_gls(witness, table):
    frame = table("trial")
    expected = witness("mixed")["site_weighted"]
    result = fit(SiteWeightedModel(), plan(frame, fixed_sites=True), site_rows(frame, "outcome", fixed_sites=True))
    order = witness_order(result.names, expected["names"])
    assert result.converged
    # nlme stops a little before the optimum: 1e-5.
    assert result.coefficients == pytest.approx(np.array(expected["coefficients"])[order], rel=1e-5)
    assert np.sqrt(np.diag(result.covariance)) == pytest.approx(np.array(expected["std_errors"])[order], rel=1e-5)
    assert result.extras["site_residual_sd"] == pytest.approx(expected["site_sd"], rel=1e-5)
