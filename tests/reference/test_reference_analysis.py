"""Whole analyses, from an analysis set and an analysis file to the table of estimates, against R.

Tolerances: closed forms (ANCOVA with HC3, survey linear) 1e-8; REML by metafor 1e-7; gls, lmer and logistic models,
which R iterates, 1e-6. `analysis.R` says what each one is.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ember.models.fit_analysis import fit_analysis
from ember.models.plan import analysis_plan
from ember.tables.store import conform
from tests.reference.make_analysis_data import survey_set, trial_set

CLOSED, REML, ITERATED = 1e-8, 1e-7, 1e-6
SITES = ["alfa", "beta", "gama", "delta"]
CYCLES = ["cycle_a", "cycle_b"]
TERMS = ["treatment:exposure", "treatment", "exposure"]
RISKS = ["risk_difference", "risk_active", "risk_reference"]
EXPOSURE = {"analyte": "hscrp", "visit": "v0", "scale": "log2", "centre": "within_site", "below_limit": "fill_lod"}


def _content(scale: str, models: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    estimand = {"population": "all", "endpoint": "e", "summary": "s"}
    outcome = {"construct": "severity", "visit": "v1", "scale": scale, **more.pop("outcome", {})}
    return {"analysis": "a", "estimand": estimand, "exposure": EXPOSURE, "outcome": outcome, "models": models, **more}


@pytest.fixture(scope="module")
def trial() -> dict[str, pl.DataFrame]:
    """Estimates and curves of every model of the trial, by outcome."""
    frame = trial_set()
    arms = {"treatment": {"active": "new", "reference": "old"}, "outcome": {"baseline": "v0"}}
    common = {"covariates": ["age", "sex"]}
    linear = [
        {"id": "two_stage", "family": "ancova", "pool": "two_stage", "curve": True, **common},
        {"id": "gls", "family": "ancova", "pool": "one_stage", **common},
        {"id": "fixed", "family": "ancova", "pool": "one_stage", "residual_variance": "common", **common},
        {"id": "random", "family": "ancova", "pool": "random_intercept", **common},
    ]
    logistic = [
        {"id": "two_stage", "family": "logistic", "pool": "two_stage", "risk_difference": True, **common},
        {"id": "one_stage", "family": "logistic", "pool": "one_stage", "risk_difference": True, **common},
    ]
    severity = analysis_plan(_content("reference_sd", linear, **arms), SITES, "randomised", "mg/L")
    response = analysis_plan(_content("response", logistic, **arms), SITES, "randomised", "mg/L")
    estimates, curves = fit_analysis(conform(frame.drop("response"), "analysis_set"), severity)
    binary = conform(frame.drop("outcome").rename({"response": "outcome"}), "analysis_set")
    return {"severity": estimates, "curves": curves, "response": fit_analysis(binary, response)[0]}


@pytest.fixture(scope="module")
def survey() -> dict[str, pl.DataFrame]:
    """Estimates of the survey models, by outcome."""
    frame = survey_set()
    cut = {"scale": "cut", "cut": {"operator": ">=", "value": 6}}
    design = {"survey": {"lonely": "fail", "weight_divisor": 2}}
    common = {"covariates": ["age", "sex", "bmi"]}

    def models(family: str) -> list[dict[str, Any]]:
        return [{"id": pool, "family": family, "pool": pool, **common} for pool in ("by_site", "one_stage")]

    shares = {"id": "shares", "family": "survey_proportion"}
    points = analysis_plan(_content("points", models("survey_linear"), **design), CYCLES, "cross_sectional", "mg/L")
    cases = analysis_plan(
        _content("cut", [*models("survey_logistic"), shares], outcome=cut, **design), CYCLES, "cross_sectional", "mg/L"
    )
    linear = fit_analysis(conform(frame.drop("case"), "analysis_set"), points)[0]
    binary = conform(frame.drop("outcome").rename({"case": "outcome"}), "analysis_set")
    return {"linear": linear, "logistic": fit_analysis(binary, cases)[0]}


def _of(estimates: pl.DataFrame, **keys: str) -> list[dict[str, Any]]:
    return estimates.filter([pl.col(key) == value for key, value in keys.items()]).to_dicts()


@pytest.mark.parametrize(
    ("name", "make"),
    [pytest.param("analysis_trial", trial_set, id="trial"), pytest.param("analysis_survey", survey_set, id="survey")],
)
def test_frozen_table(table, name, make):
    text = {"survey_stratum": pl.String, "survey_psu": pl.String}
    frozen = table(name)
    frozen = frozen.cast({column: kind for column, kind in text.items() if column in frozen.columns})
    assert_frame_equal(frozen, make(), check_dtypes=False)


@pytest.mark.parametrize("term", [pytest.param(term, id=term) for term in TERMS])
def test_ancova_at_each_site_with_hc3(witness, trial, term):
    expected = witness("analysis")["ancova"]
    rows = _of(trial["severity"], model_id="two_stage", term=term, level="site")
    assert [row["site"] for row in rows] == SITES
    assert [row["estimate"] for row in rows] == pytest.approx(expected[term]["estimate"], rel=CLOSED)
    assert [row["std_error"] for row in rows] == pytest.approx(expected[term]["std_error"], rel=CLOSED)
    assert [row["df"] for row in rows] == expected["df"]
    assert [row["n"] for row in rows] == [84, 78, 81, 76]


@pytest.mark.parametrize("term", [pytest.param(term, id=term) for term in TERMS])
def test_pooled_as_metafor(witness, trial, term):
    expected = witness("analysis")["ancova"][term]["pooled"]
    (row,) = _of(trial["severity"], model_id="two_stage", term=term, level="two_stage")
    for name in ("estimate", "std_error", "conf_low", "conf_high", "p_value", "pred_low", "pred_high"):
        assert row[name] == pytest.approx(expected[name], rel=REML), name
    assert row["tau2"] == pytest.approx(expected["tau2"], rel=ITERATED, abs=1e-10)
    assert row["i2"] == pytest.approx(expected["i2"], rel=ITERATED, abs=1e-6)
    assert (row["df"], row["n_sites"], row["n"]) == (expected["df"], 4, 319)


def test_curve_as_metafor_at_each_point(witness, trial):
    expected = witness("analysis")
    curves = trial["curves"]
    assert curves.filter(kind="rug")["at"].to_list() == pytest.approx(expected["rug"], rel=1e-12)
    points = curves.filter(kind="effect").to_dicts()
    for point, wanted in zip([points[0], points[20], points[40]], expected["curve"], strict=True):
        for name in ("at", "estimate", "std_error", "conf_low", "conf_high"):
            assert point[name] == pytest.approx(wanted[name], rel=REML), name


@pytest.mark.parametrize(
    ("model", "tolerance", "has_df"),
    [
        pytest.param("gls", ITERATED, True, id="nlme_gls"),
        pytest.param("fixed", CLOSED, True, id="lm_hc3"),
        pytest.param("random", ITERATED, False, id="lmer"),
    ],
)
def test_one_model_for_all_sites(witness, trial, model, tolerance, has_df):
    expected = witness("analysis")[model]
    for term in TERMS:
        (row,) = _of(trial["severity"], model_id=model, term=term)
        assert row["estimate"] == pytest.approx(expected["coefficients"][term], rel=tolerance)
        assert row["std_error"] == pytest.approx(expected["std_errors"][term], rel=tolerance)
        assert row["level"] == "one_stage" and row["converged"]
        if has_df:
            assert row["df"] == expected["df"]


@pytest.mark.parametrize("term", [pytest.param(term, id=term) for term in (*TERMS, *RISKS)])
def test_response_at_each_site_and_pooled(witness, trial, term):
    expected = witness("analysis")["response"][term]
    rows = _of(trial["response"], model_id="two_stage", term=term, level="site")
    assert [row["estimate"] for row in rows] == pytest.approx(expected["estimate"], rel=ITERATED)
    assert [row["std_error"] for row in rows] == pytest.approx(expected["std_error"], rel=ITERATED)
    (row,) = _of(trial["response"], model_id="two_stage", term=term, level="two_stage")
    for name in ("estimate", "std_error", "conf_low", "conf_high", "pred_low", "pred_high"):
        assert row[name] == pytest.approx(expected["pooled"][name], rel=ITERATED), name
    assert row["n_events"] == int(trial_set()["response"].sum())


def test_response_in_one_model(witness, trial):
    expected = witness("analysis")["response_joint"]
    for term in (*TERMS, *RISKS):
        (row,) = _of(trial["response"], model_id="one_stage", term=term)
        assert row["estimate"] == pytest.approx(expected["coefficients"][term], rel=ITERATED)
        assert row["std_error"] == pytest.approx(expected["std_errors"][term], rel=ITERATED)


@pytest.mark.parametrize(
    ("family", "tolerance"),
    [pytest.param("linear", CLOSED, id="linear"), pytest.param("logistic", ITERATED, id="logistic")],
)
@pytest.mark.parametrize("place", [pytest.param(place, id=place) for place in (*CYCLES, "one_stage")])
def test_survey_regression_as_svyglm(witness, survey, family, tolerance, place):
    expected = witness("analysis")["survey"][place][family]
    for index, name in enumerate(expected["names"]):
        keys = {"model_id": "one_stage"} if place == "one_stage" else {"model_id": "by_site", "site": place}
        (row,) = _of(survey[family], term=name, **keys)
        for column in ("estimate", "std_error", "conf_low", "conf_high", "p_value"):
            assert row[column] == pytest.approx(expected[column][index], rel=tolerance), (name, column)
        assert row["df"] == expected["df"]


@pytest.mark.parametrize("cycle", [pytest.param(cycle, id=cycle) for cycle in CYCLES])
def test_share_as_svyciprop(witness, survey, cycle):
    expected = witness("analysis")["survey"]["shares"][cycle]
    (row,) = _of(survey["logistic"], model_id="shares", site=cycle)
    for column in ("estimate", "std_error", "conf_low", "conf_high"):
        assert row[column] == pytest.approx(expected[column], rel=CLOSED), column
    assert row["p_value"] is None and row["n"] < 150


def test_the_rows_outside_the_set_stay_in_the_design(survey):
    """With a fifth of the rows out of the set, the sampling units and their degrees of freedom are all there."""
    (row,) = _of(survey["linear"], model_id="one_stage", term="exposure")
    assert row["n"] == int(np.count_nonzero(survey_set()["in_set"]))
    assert row["df"] == 26 - 8 - 6 + 1
