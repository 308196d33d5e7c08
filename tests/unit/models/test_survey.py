"""Survey designs at their boundaries: single units, empty domains, all or none."""

from __future__ import annotations

import numpy as np
import pytest

from ember.errors import EmberError
from ember.models.survey import survey_design, survey_mean, survey_proportion, survey_ratio
from ember.models.survey_regression import survey_linear, survey_logistic

STRATUM = np.repeat([1, 2, 3], [4, 4, 2])
PSU = np.array([1, 1, 2, 2, 1, 1, 2, 2, 1, 1])
VALUES = np.array([1.0, 2, 3, 4, 2, 4, 6, 8, 5, 5])


def test_a_single_unit_is_refused_by_name():
    with pytest.raises(EmberError, match="first 3"):
        survey_mean(survey_design(np.ones(10), STRATUM, PSU), VALUES)


def test_a_single_unit_outside_the_domain_is_no_obstacle():
    design = survey_design(np.ones(10), STRATUM, PSU)
    assert survey_mean(design, VALUES, STRATUM < 3).effect.df == 2


@pytest.mark.parametrize("policy", [pytest.param("adjust", id="adjust"), pytest.param("certainty", id="certainty")])
def test_declared_policies(policy):
    found = survey_mean(survey_design(np.ones(10), STRATUM, PSU, lonely_psu=policy), VALUES)
    influence = (VALUES - 4) / 10
    t = np.array([influence[a:b].sum() for a, b in ((0, 2), (2, 4), (4, 6), (6, 8), (8, 10))])
    variance = (t[0] - t[1]) ** 2 + (t[2] - t[3]) ** 2 + (t[4] ** 2 if policy == "adjust" else 0.0)
    assert found.effect.std_error == pytest.approx(np.sqrt(variance), rel=1e-12)


def test_the_same_unit_label_in_two_strata_means_two_units():
    assert survey_design(np.ones(10), STRATUM, PSU).psu_stratum.tolist() == [0, 0, 1, 1, 2]


def test_domain_rows_differ_from_dropped_rows():
    # A unit without domain rows still counts as a unit whose total is zero.
    stratum, psu = np.repeat([1], 6), np.array([1, 1, 2, 2, 3, 3])
    values, domain = np.array([1.0, 2, 3, 5, 9, 9]), np.array([True] * 4 + [False] * 2)
    kept = survey_mean(survey_design(np.ones(6), stratum, psu), values, domain).effect
    dropped = survey_mean(survey_design(np.ones(4), stratum[:4], psu[:4]), values[:4]).effect
    assert kept.estimate == dropped.estimate
    assert kept.std_error == pytest.approx(dropped.std_error * np.sqrt((3 / 2) / 2))


def test_missing_values_leave_the_domain_and_are_counted():
    design = survey_design(np.ones(10), STRATUM, PSU, lonely_psu="certainty")
    values = np.where(np.arange(10) == 3, np.nan, VALUES)
    found = survey_mean(design, values)
    assert (found.n, found.n_missing, found.population) == (9, 1, 9.0)


@pytest.mark.parametrize("value", [pytest.param(0.0, id="none"), pytest.param(1.0, id="all")])
def test_all_or_none_has_no_interval(value):
    design = survey_design(np.ones(10), STRATUM, PSU, lonely_psu="certainty")
    found = survey_proportion(design, np.full(10, value))
    assert found.effect.estimate == value
    assert np.isnan([found.effect.conf_low, found.effect.conf_high]).all()
    assert "All or none" in found.note


def test_logit_interval_stays_inside_and_the_plain_one_need_not():
    design = survey_design(np.ones(10), np.ones(10), np.repeat([1, 2, 3, 4, 5], 2))
    indicator = np.array([1.0] + [0.0] * 9)
    logit, plain = (survey_proportion(design, indicator, interval=kind) for kind in ("logit", "plain"))
    assert 0 < logit.effect.conf_low < 0.1 < logit.effect.conf_high < 1
    assert plain.effect.conf_low < 0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda: survey_design(np.zeros(3)), "all zero", id="no_weight"),
        pytest.param(lambda: survey_design(np.array([1, -1.0])), "not negative", id="negative_weight"),
        pytest.param(lambda: survey_design(np.ones(2), np.array([1.0, np.nan])), "stratum", id="missing_stratum"),
        pytest.param(lambda: survey_design(np.ones(2), psu=["a", None]), "PSU", id="missing_psu"),
        pytest.param(lambda: survey_design(np.ones(2), lonely_psu="ignore"), "no policy", id="unknown_policy"),
    ],
)
def test_wrong_designs_are_refused(make, words):
    with pytest.raises(EmberError, match=words):
        make()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        pytest.param(lambda d: survey_mean(d, VALUES, np.zeros(10, bool)), "No row", id="empty_domain"),
        pytest.param(lambda d: survey_mean(d, VALUES, np.ones(10)), "truth values", id="domain_of_numbers"),
        pytest.param(lambda d: survey_mean(d, VALUES[:5]), "keep every row", id="dropped_rows"),
        pytest.param(lambda d: survey_proportion(d, VALUES), "0 and 1", id="no_indicator"),
        pytest.param(lambda d: survey_proportion(d, VALUES * 0, interval="beta"), "no interval", id="unknown_interval"),
        pytest.param(lambda d: survey_ratio(d, VALUES, VALUES * 0), "adds up to zero", id="zero_denominator"),
    ],
)
def test_wrong_calls_are_refused(call, words):
    with pytest.raises(EmberError, match=words):
        call(survey_design(np.ones(10), STRATUM, PSU, lonely_psu="certainty"))


def test_separated_logistic_is_reported():
    design = survey_design(np.ones(10), STRATUM, PSU, lonely_psu="certainty")
    matrix = np.column_stack([np.ones(10), VALUES])
    result = survey_logistic(design, ("one", "x"), matrix, (VALUES > 4).astype(float))
    assert not result.converged
    assert np.isnan(result.covariance).all()


def test_more_coefficients_than_the_design_carries():
    design = survey_design(np.ones(10), STRATUM, PSU, lonely_psu="certainty")
    rng = np.random.default_rng(0)
    result = survey_linear(
        design, ("one", "a", "b", "c"), np.column_stack([np.ones(10), rng.normal(size=(10, 3))]), VALUES
    )
    assert result.df_residual == 2 - 4 + 1
