"""Restricted cubic splines: straight tails, knots that cannot be placed, the test of several coefficients."""

from __future__ import annotations

import numpy as np
import pytest

from ember.errors import EmberError
from ember.models.contract import Plan, Result, SiteRows, fit, single
from ember.models.linear import LinearModel
from ember.models.spline import basis, default_knots, wald_test

KNOTS = (-1.0, 0.0, 1.0, 2.5)


def test_tails_are_straight():
    for outside in (np.linspace(-9, -1, 7), np.linspace(2.5, 9, 7)):
        second = np.diff(basis(outside, KNOTS), n=2, axis=0)
        assert np.abs(second).max() < 1e-9


def test_first_column_is_the_value():
    x = np.linspace(-2, 4, 11)
    assert basis(x, KNOTS)[:, 0] == pytest.approx(x)
    assert basis(x, KNOTS).shape == (11, 3)


@pytest.mark.parametrize(
    "knots",
    [
        pytest.param((0.0, 1.0), id="two"),
        pytest.param((0.0, 0.0, 1.0), id="tied"),
        pytest.param((2, 1, 0), id="falling"),
    ],
)
def test_wrong_knots_are_refused(knots):
    with pytest.raises(EmberError, match="increasing knots"):
        basis(np.arange(5.0), knots)


@pytest.mark.parametrize(
    ("values", "count"),
    [
        pytest.param(np.repeat(0.08, 50), 4, id="all_at_the_limit"),
        pytest.param(np.array([np.nan]), 4, id="no_value"),
        pytest.param(np.arange(50.0), 2, id="too_few_knots"),
    ],
)
def test_knots_that_cannot_be_placed_are_refused(values, count):
    with pytest.raises(EmberError):
        default_knots(values, count)


def test_missing_values_do_not_move_the_knots():
    values = np.arange(101.0)
    assert (
        default_knots(np.append(values, np.nan)).tolist() == default_knots(values).tolist() == [5.0, 35.0, 65.0, 95.0]
    )


def test_wald_test_of_one_coefficient_is_its_t_test():
    rng = np.random.default_rng(2)
    x = np.column_stack([np.ones(40), rng.normal(size=40)])
    result = fit(LinearModel(), Plan(("one", "x")), [SiteRows("a", x, x[:, 1] + rng.normal(size=40))])
    test, effect = wald_test(result, ["x"]), single(result, "x")
    assert test.statistic == pytest.approx(effect.statistic**2)
    assert test.p_value == pytest.approx(effect.p_value, rel=1e-9)


def test_wald_test_without_df_is_chi_square():
    result = Result(("a", "b"), np.array([1.0, 2.0]), np.eye(2), float("inf"), 10)
    assert wald_test(result, ["a", "b"]).p_value == pytest.approx(np.exp(-2.5), rel=1e-12)


@pytest.mark.parametrize("names", [pytest.param(["z"], id="unknown"), pytest.param([], id="none")])
def test_wald_test_of_nothing_is_refused(names):
    with pytest.raises(EmberError):
        wald_test(Result(("a",), np.ones(1), np.eye(1), 5.0, 10), names)
