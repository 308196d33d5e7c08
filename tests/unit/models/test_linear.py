"""Linear models at their boundaries."""

from __future__ import annotations

import numpy as np
import pytest

from ember.errors import EmberError
from ember.models.contract import Plan, SiteRows, fit
from ember.models.linear import LinearModel

PLAN = Plan(("one", "x", "arm"))


def test_rounds_are_declared():
    assert (LinearModel().rounds, LinearModel("cr1").rounds, LinearModel("hc3").rounds) == (1, 1, 2)


def test_unknown_covariance_is_refused():
    with pytest.raises(EmberError) as refused:
        LinearModel("hc4")
    assert "hc3" in refused.value.allowed


@pytest.mark.parametrize(
    ("column", "name"),
    [
        pytest.param(lambda x: 2 * x[:, 1] - 3 * x[:, 0], "copy", id="combination"),
        pytest.param(lambda x: 0 * x[:, 0], "copy", id="all_zero"),
        pytest.param(lambda x: 1e6 + 0 * x[:, 0], "copy", id="constant"),
    ],
)
def test_aliased_column_is_named(make_rows, column, name):
    rows = [SiteRows(r.site, np.column_stack([r.design, column(r.design)]), r.outcome) for r in make_rows()]
    with pytest.raises(EmberError, match=name):
        fit(LinearModel(), Plan((*PLAN.names, name)), rows)


def test_a_large_mean_is_no_alias(make_rows):
    # A calendar year has a mean 1,000 times its spread; the cross-products still carry it.
    rows = [SiteRows(r.site, r.design + np.array([0, 2020, 0]), r.outcome) for r in make_rows()]
    shifted = fit(LinearModel(), PLAN, rows)
    plain = fit(LinearModel(), PLAN, [SiteRows(r.site, r.design, r.outcome) for r in make_rows()])
    assert shifted.coefficients[1:] == pytest.approx(plain.coefficients[1:], rel=1e-7)


def test_as_many_coefficients_as_rows_is_refused(make_rows):
    rows = make_rows((3,), seed=9)
    rows = [SiteRows("a", np.eye(3), rows[0].outcome)]
    with pytest.raises(EmberError, match="3 rows cannot carry 3"):
        fit(LinearModel(), PLAN, rows)


@pytest.mark.parametrize("covariance", [pytest.param("hc2", id="hc2"), pytest.param("hc3", id="hc3")])
def test_leverage_one_is_refused(make_rows, covariance):
    row = make_rows()[0]
    alone = np.zeros(row.outcome.size)
    alone[4] = 1.0
    rows = [SiteRows("a", np.column_stack([row.design, alone]), row.outcome)]
    with pytest.raises(EmberError, match=r"1 row\(s\) determine their own"):
        fit(LinearModel(covariance), Plan((*PLAN.names, "alone")), rows)
    assert fit(LinearModel("hc1"), Plan((*PLAN.names, "alone")), rows).converged


def test_one_cluster_is_refused(make_rows):
    with pytest.raises(EmberError, match="at least two sites"):
        fit(LinearModel("cr1"), PLAN, make_rows((30,)))


def test_few_clusters_are_noted(make_rows):
    assert "3 sites as clusters" in fit(LinearModel("cr1s"), PLAN, make_rows()).note


def test_rows_of_zero_weight_do_not_count(make_rows):
    rows = make_rows((50,))[0]
    weight = np.where(np.arange(50) < 10, 0.0, 1.0)
    with_zero = fit(LinearModel("hc3"), PLAN, [SiteRows("a", rows.design, rows.outcome, weight)])
    without = fit(LinearModel("hc3"), PLAN, [SiteRows("a", rows.design[10:], rows.outcome[10:])])
    assert (with_zero.n, with_zero.df_residual) == (40, 37)
    assert with_zero.covariance == pytest.approx(without.covariance, rel=1e-10)
