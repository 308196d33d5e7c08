"""Plans: defaults, the words that estimates share, and what is refused because it would be ignored."""

from __future__ import annotations

import pytest

from ember.errors import EmberError
from tests.unit.models.analyses import content, plan

BANDS = {"outcome": None, "exposure": None, "treatment": None, "bands": {"scheme": "hscrp_bands"}}
CUT = {"construct": "severity", "visit": "week_12", "scale": "cut", "cut": {"operator": ">=", "value": 10}}


def test_defaults():
    (model,) = plan({"id": "m", "family": "ancova"}).models
    assert (model.covariance, model.pool, model.tau2, model.interval) == ("hc3", "by_site", "reml", "hartung_knapp")
    assert (model.baseline_slope, model.residual_variance, model.covariates) == ("by_site", "by_site", ())
    (logistic,) = plan({"id": "m", "family": "logistic"}, scale="response").models
    assert logistic.covariance == "classical"


def test_labels():
    labels = plan(multiplicity={"family": "primary", "method": "holm"}).labels
    assert labels["contrast"] == "new v old"
    assert labels["outcome"] == "severity (reference_sd)"
    assert labels["exposure_scale"] == "log2, centred within site"
    assert labels["family"] == "primary"
    assert labels["missing_data_method"] == "complete_cases"


def test_an_analysis_of_bands_has_no_outcome():
    found = plan({"id": "shares", "family": "survey_proportion"}, survey={"lonely": "fail"}, **BANDS)
    assert found.labels["outcome"] == "endotype state"
    assert found.labels["scheme"] == "hscrp_bands"
    assert found.labels["visit"] is None
    assert not found.is_binary and not found.adjusts_for_baseline


def test_the_hash_follows_the_content_and_the_sites_not_the_order_of_keys():
    one = plan().labels["plan_hash"]
    turned = content()
    assert plan(**dict(reversed(turned.items()))).labels["plan_hash"] == one
    assert plan(sites=["alfa"]).labels["plan_hash"] != one
    assert plan(smallest_effect_of_interest=0.2).labels["plan_hash"] != one


@pytest.mark.parametrize(
    ("scale", "binary"),
    [
        pytest.param("response", True, id="response"),
        pytest.param("remission", True, id="remission"),
        pytest.param("points", False, id="points"),
        pytest.param("reference_sd", False, id="reference_sd"),
    ],
)
def test_binary_scales(scale, binary):
    assert plan(scale=scale).is_binary is binary


@pytest.mark.parametrize(
    ("model", "changes", "said"),
    [
        pytest.param(
            {"family": "ancova", "risk_difference": True}, {}, "risk_difference", id="risks_of_a_linear_model"
        ),
        pytest.param(
            {"family": "logistic", "risk_difference": True},
            {"treatment": None, "scale": "response"},
            "risk_difference",
            id="risks_without_arms",
        ),
        pytest.param({"family": "ancova", "curve": True}, {"treatment": None}, "curve", id="curve_without_arms"),
        pytest.param(
            {"family": "ancova", "curve": True},
            {"exposure": {"analyte": "hscrp", "scale": "cut", "cut": {"operator": ">", "value": 3}}},
            "curve",
            id="curve_over_a_cut",
        ),
        pytest.param({"family": "logistic"}, {}, "scale response", id="logistic_of_a_number"),
        pytest.param({"family": "logistic", "covariance": "hc3"}, {"scale": "response"}, "hc3", id="logistic_hc3"),
        pytest.param(
            {"family": "logistic", "pool": "random_intercept"}, {"scale": "response"}, "random", id="logistic_random"
        ),
        pytest.param({"family": "survey_linear"}, {}, "treatment", id="survey_with_arms"),
        pytest.param({"family": "survey_linear"}, {"treatment": None}, "baseline", id="survey_with_baseline"),
        pytest.param(
            {"family": "survey_logistic", "pool": "two_stage"},
            {"treatment": None, "outcome": CUT},
            "by_site",
            id="survey_two_stage",
        ),
        pytest.param({"family": "survey_proportion", "pool": "one_stage"}, BANDS, "never pooled", id="pooled_shares"),
        pytest.param(
            {"family": "survey_proportion"},
            {"treatment": None, "outcome": {"construct": "severity", "visit": "v", "scale": "points"}},
            "proportion",
            id="share_of_a_number",
        ),
    ],
)
def test_refused(model, changes, said):
    with pytest.raises(EmberError, match=said) as refusal:
        plan({"id": "m", **model}, **changes)
    assert refusal.value.where == "analyses/moderation.yaml  m"
