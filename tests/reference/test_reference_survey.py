"""Survey estimates against R's survey: closed forms 1e-8, logistic regression 1e-6."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ember.models.contract import single
from ember.models.survey import survey_design, survey_mean, survey_proportion, survey_ratio
from ember.models.survey_regression import survey_linear, survey_logistic

CASES = {
    "full": ("fail", None),
    "adult": ("fail", 18),
    "old": ("fail", 70),
    "adjust": ("adjust", 18),
    "certainty": ("certainty", 18),
}
NAMES = ("(Intercept)", "crp", "age")


@pytest.fixture(params=[pytest.param(name, id=name) for name in CASES])
def case(request, table, witness):
    policy, youngest = CASES[request.param]
    frame = table("survey")
    if policy == "fail":
        frame = frame.filter(pl.col("stratum") != 8)
    design = survey_design(frame["weight"].to_numpy(), frame["stratum"], frame["psu"], lonely_psu=policy)
    domain = None if youngest is None else (frame["age"] >= youngest).to_numpy()
    columns = {name: frame[name].cast(pl.Float64).to_numpy() for name in ("crp", "age", "score", "case")}
    return design, domain, columns, witness("survey")[request.param]


def _same(effect, expected, rel=1e-8):
    assert effect.estimate == pytest.approx(expected["estimate"], rel=rel)
    assert effect.std_error == pytest.approx(expected["std_error"], rel=rel)
    if "conf_low" in expected:
        assert effect.conf_low == pytest.approx(expected["conf_low"], rel=rel)
        assert effect.conf_high == pytest.approx(expected["conf_high"], rel=rel)


def test_mean_proportion_and_ratio(case):
    design, domain, columns, expected = case
    mean = survey_mean(design, columns["score"], domain)
    assert mean.effect.df == expected["mean"]["df"]
    _same(mean.effect, expected["mean"])
    _same(survey_mean(design, columns["crp"], domain).effect, expected["mean_missing"])
    _same(survey_proportion(design, columns["case"], domain).effect, expected["proportion"], rel=1e-7)
    _same(survey_ratio(design, columns["score"], columns["age"], domain).effect, expected["ratio"])


@pytest.mark.parametrize(
    ("kind", "outcome", "model", "rel"),
    [
        pytest.param("linear", "score", survey_linear, 1e-8, id="linear"),
        pytest.param("logistic", "case", survey_logistic, 1e-6, id="logistic"),
    ],
)
def test_regression(case, kind, outcome, model, rel):
    design, domain, columns, everything = case
    expected = everything[kind]
    matrix = np.column_stack([np.ones_like(columns["age"]), columns["crp"], columns["age"]])
    result = model(design, NAMES, matrix, columns[outcome], domain)
    assert result.df_residual == expected["df"]
    assert result.coefficients == pytest.approx(expected["coefficients"], rel=rel)
    assert np.sqrt(np.diag(result.covariance)) == pytest.approx(expected["std_errors"], rel=rel)
    for place, name in enumerate(NAMES):
        effect = single(result, name)
        assert effect.p_value == pytest.approx(expected["p_value"][place], rel=max(rel, 1e-7))
        # R's confint goes through a normal quantile of a t quantile: 1e-6.
        assert effect.conf_low == pytest.approx(expected["conf_low"][place], rel=1e-6)
        assert effect.conf_high == pytest.approx(expected["conf_high"][place], rel=1e-6)


def test_without_strata_or_units(table, witness):
    frame = table("survey")
    expected = witness("survey")["unclustered"]
    mean = survey_mean(survey_design(frame["weight"].to_numpy()), frame["score"].to_numpy())
    assert mean.effect.df == expected["df"]
    _same(mean.effect, expected)
