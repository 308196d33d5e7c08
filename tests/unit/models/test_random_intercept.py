"""The random intercept: refusals, what varies between sites, and large variance ratios."""

from __future__ import annotations

import numpy as np
import pytest

from ember.errors import EmberError
from ember.models.contract import Plan, SiteRows, fit
from ember.models.linear import LinearModel
from ember.models.random_intercept import RandomInterceptModel

PLAN = Plan(("one", "x", "arm"))


def test_one_site_is_refused(make_rows):
    with pytest.raises(EmberError, match="two sites"):
        fit(RandomInterceptModel(), PLAN, make_rows((30,)))


def test_columns_constant_within_sites_are_marked(make_rows):
    rows = [
        SiteRows(r.site, np.column_stack([r.design, np.full(r.outcome.size, float(i % 2))]), r.outcome)
        for i, r in enumerate(make_rows((20, 20, 20, 20, 20)))
    ]
    result = fit(RandomInterceptModel(), Plan((*PLAN.names, "rural")), rows)
    assert result.extras["between"].tolist() == [1, 0, 0, 1]
    assert result.extras["df_between"] == 3
    assert result.df_residual == 100 - 4 - 4


def test_a_huge_site_variance_gives_the_fixed_site_estimate(make_rows):
    rows = [SiteRows(r.site, r.design, r.outcome + 1e4 * i) for i, r in enumerate(make_rows())]
    mixed = fit(RandomInterceptModel(), PLAN, rows)
    fixed = [
        SiteRows(r.site, np.column_stack([np.tile(np.eye(3)[i], (r.outcome.size, 1)), r.design[:, 1:]]), r.outcome)
        for i, r in enumerate(rows)
    ]
    within = fit(LinearModel(), Plan(("a", "b", "c", "x", "arm")), fixed)
    assert mixed.coefficients[1:] == pytest.approx(within.coefficients[3:], rel=1e-6)
    assert mixed.extras["site_sd"] == pytest.approx(1e4, rel=1e-2)


def test_at_the_boundary_it_is_the_linear_model(make_rows):
    rows = [SiteRows(r.site, r.design, r.outcome - r.outcome.mean()) for r in make_rows((40, 40, 40))]
    mixed, linear = fit(RandomInterceptModel(), PLAN, rows), fit(LinearModel(), PLAN, rows)
    assert mixed.extras["boundary"] == 1
    assert mixed.coefficients == pytest.approx(linear.coefficients, rel=1e-8, abs=1e-10)
    assert mixed.covariance == pytest.approx(linear.covariance, rel=1e-8)
