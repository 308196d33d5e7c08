"""Survey estimators on the public NHANES 2015-16 files against R's survey (closed forms 1e-8, logistic 1e-6)."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ember.models.contract import single
from ember.models.survey import survey_design, survey_mean, survey_proportion
from ember.models.survey_regression import survey_linear, survey_logistic
from tests.reference.nhanes_extract import extract

NAMES = ("(Intercept)", "log2crp", "age", "female", "bmi")


@pytest.fixture(scope="module")
def nhanes(real_data):
    frame = extract(real_data)
    design = survey_design(frame["weight"].to_numpy(), frame["stratum"], frame["psu"])
    return design, {name: frame[name].cast(pl.Float64).to_numpy() for name in frame.columns}


def _same(estimate, expected):
    for key in ("estimate", "std_error", "conf_low", "conf_high"):
        if key in expected:
            assert getattr(estimate.effect, key) == pytest.approx(expected[key], rel=1e-8)


def test_prevalences(nhanes, witness):
    design, columns = nhanes
    expected = witness("nhanes")
    adult = columns["age"] >= 18
    prevalence = survey_proportion(design, columns["case"], adult)
    assert prevalence.n == expected["n_adult"]
    assert prevalence.effect.df == expected["prevalence"]["df"] == 15
    _same(prevalence, expected["prevalence"])
    _same(survey_proportion(design, columns["case"], adult & (columns["female"] == 1)), expected["women"])
    _same(survey_mean(design, columns["phq9"], adult), expected["phq9"])
    high = np.where(np.isnan(columns["crp"]), np.nan, columns["crp"] > 3)
    measured = survey_proportion(design, high, adult & ~np.isnan(columns["case"]))
    # 4,850 adults with hsCRP and nine valid items: the count stated for these files.
    assert measured.n == expected["n_measured"] == 4850
    _same(measured, expected["high_crp"])


@pytest.mark.parametrize(
    ("kind", "outcome", "model", "rel"),
    [
        pytest.param("linear", "phq9", survey_linear, 1e-8, id="linear"),
        pytest.param("logistic", "case", survey_logistic, 1e-6, id="logistic"),
    ],
)
def test_regressions(nhanes, witness, kind, outcome, model, rel):
    design, columns = nhanes
    expected = witness("nhanes")[kind]
    one = np.ones_like(columns["age"])
    matrix = np.column_stack([one, np.log2(columns["crp"]), columns["age"], columns["female"], columns["bmi"]])
    result = model(design, NAMES, matrix, columns[outcome], columns["age"] >= 18)
    assert (result.n, result.df_residual) == (expected["n"], expected["df"])
    assert result.coefficients == pytest.approx(expected["coefficients"], rel=rel)
    assert np.sqrt(np.diag(result.covariance)) == pytest.approx(expected["std_errors"], rel=rel)
    assert [single(result, name).p_value for name in NAMES] == pytest.approx(expected["p_value"], rel=1e-6)
