"""The contract: merging, validation, contrasts."""

from __future__ import annotations

import numpy as np
import pytest

from ember.errors import EmberError
from ember.models.contract import (
    BATCH_ROWS,
    Plan,
    Result,
    SiteRows,
    batches,
    contrast,
    effect,
    fit,
    merge_by_site,
    single,
    total,
)
from ember.models.linear import LinearModel

PLAN = Plan(("one", "x"))


def _result(df: float = 10.0) -> Result:
    return Result(("one", "x"), np.array([1.0, 2.0]), np.array([[0.25, 0.0], [0.0, 1.0]]), df, 12)


def test_batches_have_a_fixed_number_of_rows():
    n = BATCH_ROWS + 3
    sizes = [outcome.size for _, outcome, _ in batches(SiteRows("a", np.ones((n, 1)), np.zeros(n)))]
    assert sizes == [BATCH_ROWS, 3]


def test_merge_keeps_sites_apart_and_adds_parts_of_one():
    first = {"a": {"n": np.array(2.0)}}
    second = {"a": {"n": np.array(3.0)}, "b": {"n": np.array(5.0)}}
    merged = merge_by_site(first, second)
    assert {site: float(sums["n"]) for site, sums in merged.items()} == {"a": 5.0, "b": 5.0}
    assert float(total(merged, "n")) == 10.0
    assert float(first["a"]["n"]) == 2.0


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        pytest.param(SiteRows("a", np.ones((3, 1)), np.ones(3)), "shape", id="too_few_columns"),
        pytest.param(SiteRows("a", np.array([[1.0, np.nan]] * 3), np.ones(3)), "Column x", id="missing_covariate"),
        pytest.param(SiteRows("a", np.ones((3, 2)), np.array([1, np.inf, 1])), "outcome", id="infinite_outcome"),
        pytest.param(SiteRows("a", np.ones((3, 2)), np.ones(3), -np.ones(3)), "Weights", id="negative_weight"),
    ],
)
def test_unusable_rows_are_refused_with_the_site(rows, words):
    with pytest.raises(EmberError, match=words) as refused:
        fit(LinearModel(), PLAN, [rows])
    assert refused.value.where == "site a"


def test_no_site_is_refused():
    with pytest.raises(EmberError, match="no site"):
        fit(LinearModel(), PLAN, [])


def test_contrast_adds_variances():
    found = contrast(_result(), [1.0, -1.0])
    assert (found.estimate, found.df) == (-1.0, 10.0)
    assert found.std_error == pytest.approx(np.sqrt(1.25))
    assert found.conf_high - found.estimate == pytest.approx(2.228138851964939 * found.std_error, rel=1e-10)


def test_normal_contrast_ignores_the_df():
    found = contrast(_result(), [0.0, 1.0], "normal")
    assert found.conf_high == pytest.approx(2 + 1.959963984540054)
    assert found.p_value == pytest.approx(0.0455002638963584, rel=1e-10)


@pytest.mark.parametrize(
    ("vector", "distribution"),
    [pytest.param([1.0], "t", id="short_vector"), pytest.param([1.0, 0.0], "cauchy", id="unknown_distribution")],
)
def test_wrong_contrasts_are_refused(vector, distribution):
    with pytest.raises(EmberError):
        contrast(_result(), vector, distribution)


def test_unknown_coefficient_is_refused_with_the_known_ones():
    with pytest.raises(EmberError) as refused:
        single(_result(), "y")
    assert refused.value.allowed == ("one", "x")


def test_tiny_p_values_do_not_vanish():
    assert 0 < effect(30.0, 1.0, float("inf")).p_value < 1e-190


@pytest.mark.parametrize("df", [pytest.param(0.0, id="zero"), pytest.param(-2.0, id="negative")])
def test_without_degrees_of_freedom_there_is_no_interval(df):
    found = effect(1.0, 1.0, df)
    assert found.estimate == 1.0
    assert np.isnan([found.p_value, found.conf_low, found.conf_high]).all()
