"""Regression over sites: what is pooled, what is left out and why, and what the rows are called."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from ember.errors import EmberError
from ember.models import fitted
from ember.models.contract import Effect
from ember.models.design_matrix import INTERACTION
from ember.models.fit_regression import fit_regression, pool_effects, terms, words
from ember.models.site_fits import FIRTH
from tests.unit.models.analyses import SITES, plan, trial

TWO_STAGE = {"id": "two_stage", "family": "ancova", "pool": "two_stage", "covariates": ["age", "sex"]}
RESPONSE = {"id": "m", "family": "logistic", "pool": "two_stage", "risk_difference": True}
AT_BETA = pl.col("site_id") == "beta"
NUMBERS = ("estimate", "std_error", "conf_low", "conf_high", "p_value")


def rows_of(frame, *models, **changes):
    of = plan(*models, **changes)
    return fit_regression(frame, of, of.models[0])[0]


def only(rows, **keys):
    (found,) = [row for row in rows if all(row.get(key) == value for key, value in keys.items())]
    return found


def one_arm_at_beta(frame):
    return frame.with_columns(treatment=pl.when(AT_BETA).then(1).otherwise("treatment").cast(pl.Int16))


def test_order_of_rows_terms_then_sites_then_pooled():
    rows = rows_of(trial(), TWO_STAGE)
    names = [INTERACTION, "treatment", "exposure"]
    assert [(row["term"], row["site"]) for row in rows[:9]] == [(term, site) for term in names for site in SITES]
    assert [(row["term"], row["level"]) for row in rows[9:]] == [(term, "two_stage") for term in names]


def test_by_site_pools_nothing():
    assert {row["level"] for row in rows_of(trial(), {**TWO_STAGE, "pool": "by_site"})} == {"site"}


def test_the_headline_comes_first():
    of = plan(RESPONSE, scale="response")
    assert terms(of, of.models[0])[:2] == [INTERACTION, "risk_difference"]


@pytest.mark.parametrize(
    "pool", [pytest.param(pool, id=pool) for pool in ("two_stage", "one_stage", "random_intercept")]
)
def test_a_site_with_one_arm_changes_nothing_but_the_note(pool):
    """Its rows may not enter the contrast by comparison with other sites."""
    model = {**TWO_STAGE, "pool": pool}
    with_it = rows_of(one_arm_at_beta(trial()), model)
    without = rows_of(trial().filter(~AT_BETA), model, sites=["alfa", "gama"])
    joint = [row for row in with_it if row["level"] != "site"]
    for row, expected in zip(joint, [row for row in without if row["level"] != "site"], strict=True):
        assert [row[name] for name in NUMBERS] == [expected[name] for name in NUMBERS]
        assert (row["n"], row["n_sites"]) == (76, 2)
        assert row["note"].endswith("Left out: beta (everyone has the same arm).")


def test_a_site_that_is_not_fitted_has_a_row_with_the_reason_and_no_count():
    row = only(rows_of(one_arm_at_beta(trial()), TWO_STAGE), site="beta", term="treatment")
    assert row["converged"] is False
    assert row["note"] == "Not fitted: everyone has the same arm."
    assert row["instrument"] == "hamd17"
    assert row.get("n") is None and all(row[name] != row[name] for name in NUMBERS)


def test_a_site_without_participants_is_named():
    rows = rows_of(trial().filter(~AT_BETA), TWO_STAGE)
    assert only(rows, site="beta", term=INTERACTION)["note"] == "Not fitted: no participant in the analysis set."
    assert "beta (no participant" in only(rows, level="two_stage", term=INTERACTION)["note"]


@pytest.mark.parametrize("family", [pytest.param("ancova", id="linear"), pytest.param("logistic", id="logistic")])
def test_a_site_with_as_many_rows_as_coefficients_is_left_out(family):
    frame = trial(binary=family == "logistic").filter(~AT_BETA | (pl.col("row_number") < 9))
    rows = rows_of(frame, {**TWO_STAGE, "family": family}, scale="response" if family == "logistic" else "points")
    assert only(rows, site="beta", term=INTERACTION)["note"] == "Not fitted: no more rows than coefficients."
    assert only(rows, level="two_stage", term=INTERACTION)["n_sites"] == 2


def test_aliased_covariates_at_a_site_leave_it_out_and_name_the_column():
    frame = trial().with_columns(bmi=pl.when(AT_BETA).then(2 * pl.col("age")).otherwise(pl.col("age") ** 2))
    rows = rows_of(frame, {**TWO_STAGE, "covariates": ["age", "bmi"]})
    assert "determined by the columns before: bmi" in only(rows, site="beta", term=INTERACTION)["note"]
    assert only(rows, level="two_stage", term=INTERACTION)["n_sites"] == 2


def test_a_covariate_constant_at_a_site_is_said_and_the_site_stays():
    rows = rows_of(trial().with_columns(sex=pl.when(AT_BETA).then(pl.lit("male")).otherwise("sex")), TWO_STAGE)
    row = only(rows, site="beta", term=INTERACTION)
    assert row["converged"] and row["note"] == "Constant and left out: sex."
    assert only(rows, level="two_stage", term=INTERACTION)["n_sites"] == 3


def test_a_category_with_one_person_has_no_hc3_and_the_note_does_not_count():
    lonely = AT_BETA & (pl.col("row_number") == 5)
    frame = trial().with_columns(ethnicity=pl.when(lonely).then(pl.lit("b")).otherwise(pl.lit("a")))
    rows = rows_of(frame, {**TWO_STAGE, "covariates": ["ethnicity"]})
    row = only(rows, site="beta", term=INTERACTION)
    assert row["converged"] is False and "too sparse" in row["note"]
    assert not any(character.isdigit() for character in row["note"])


def test_an_outcome_fitted_exactly_is_left_out_of_the_pool():
    frame = trial().with_columns(outcome=pl.when(AT_BETA).then(1 + 2 * pl.col("baseline")).otherwise("outcome"))
    rows = rows_of(frame, TWO_STAGE)
    assert only(rows, site="beta", term=INTERACTION)["note"] == "Not fitted: the outcome is fitted exactly."
    assert only(rows, level="two_stage", term=INTERACTION)["n_sites"] == 2


def test_a_fit_that_did_not_converge_is_kept_out_of_the_pool(monkeypatch):
    real = fitted.fit_linear
    monkeypatch.setattr(
        fitted,
        "fit_linear",
        lambda design, model: replace(real(design, model), converged=design.rows[0].site != "gama"),
    )
    rows = rows_of(trial(), TWO_STAGE)
    assert only(rows, site="gama", term=INTERACTION)["note"] == "Not fitted: the fit did not converge."
    pooled = only(rows, level="two_stage", term=INTERACTION)
    assert pooled["n_sites"] == 2 and "Left out: gama (the fit did not converge)." in pooled["note"]


def test_separation_at_a_site_is_pooled_by_firth_and_said():
    frame = trial(binary=True)
    flipped = pl.when(AT_BETA).then(pl.col("treatment").cast(pl.Float64)).otherwise("outcome")
    rows = rows_of(frame.with_columns(outcome=flipped), RESPONSE, scale="response")
    assert FIRTH in only(rows, site="beta", term="treatment")["note"]
    pooled = only(rows, level="two_stage", term="risk_difference")
    assert "Firth's penalised likelihood at: beta." in pooled["note"] and pooled["n_sites"] == 3


def test_one_site_only_keeps_its_own_interval():
    rows = rows_of(trial((60,)), TWO_STAGE, sites=["alfa"])
    site, pooled = only(rows, level="site", term=INTERACTION), only(rows, level="two_stage", term=INTERACTION)
    assert [pooled[name] for name in (*NUMBERS, "df")] == [site[name] for name in (*NUMBERS, "df")]
    assert "One site" in pooled["note"] and pooled["n_sites"] == 1


@pytest.mark.parametrize(
    "pool", [pytest.param("one_stage", id="one_stage"), pytest.param("random_intercept", id="random")]
)
def test_one_site_in_a_joint_model_says_so(pool):
    row = only(rows_of(trial((60,)), {**TWO_STAGE, "pool": pool}, sites=["alfa"]), term=INTERACTION)
    assert row["note"].startswith("One site: nothing is joined.")


@pytest.mark.parametrize("pool", [pytest.param("two_stage", id="two_stage"), pytest.param("one_stage", id="one_stage")])
def test_no_usable_site_gives_rows_without_numbers(pool):
    rows = rows_of(trial().with_columns(treatment=pl.lit(0, dtype=pl.Int16)), {**TWO_STAGE, "pool": pool})
    assert all(row["converged"] is False for row in rows)
    joint = next(row for row in rows if row["level"] != "site")
    assert all(site in joint["note"] for site in SITES)


def test_an_empty_set_is_refused():
    with pytest.raises(EmberError, match="No participant is left"):
        rows_of(trial().clear(), TWO_STAGE)


def test_raw_scores_of_several_instruments_in_one_model_are_refused():
    frame = trial().with_columns(instrument=pl.when(AT_BETA).then(pl.lit("madrs")).otherwise("instrument"))
    with pytest.raises(EmberError, match="hamd17, madrs"):
        rows_of(frame, {"id": "m", "pool": "one_stage", "family": "ancova"}, scale="points")


def test_the_instrument_of_a_pooled_row_is_that_of_the_sites_in_it():
    frame = trial().with_columns(instrument=pl.when(AT_BETA).then(pl.lit("madrs")).otherwise("instrument"))
    assert only(rows_of(frame, TWO_STAGE), level="two_stage", term=INTERACTION)["instrument"] is None
    without = rows_of(one_arm_at_beta(frame), TWO_STAGE)
    assert only(without, level="two_stage", term=INTERACTION)["instrument"] == "hamd17"


def test_risks_have_their_scales_and_no_test():
    rows = rows_of(trial(binary=True), RESPONSE, scale="response")
    for term, scale in (("risk_reference", "risk"), ("risk_active", "risk"), ("risk_difference", "risk_difference")):
        for row in (row for row in rows if row["term"] == term):
            assert row["scale"] == scale
            assert (row["p_value"] == row["p_value"]) is (term == "risk_difference")
    assert only(rows, level="two_stage", term=INTERACTION)["scale"] == "log_odds_ratio"


CUT = {
    "analyte": "hscrp",
    "visit": "v",
    "scale": "cut",
    "cut": {"operator": ">", "value": 3},
    "below_limit": "fill_lod",
}
PLAIN = {"analyte": "hscrp", "visit": "v", "scale": "log2", "below_limit": "fill_lod"}


@pytest.mark.parametrize(
    ("exposure", "design", "estimand", "at"),
    [
        pytest.param(
            {}, "randomised", "treatment_effect_at_mean_exposure", "mean log2 exposure of the site", id="centred"
        ),
        pytest.param(
            {"exposure": PLAIN}, "randomised", "treatment_effect_at_reference_exposure", "exposure of 1 mg/L", id="log2"
        ),
        pytest.param(
            {"exposure": CUT}, "cohort", "treatment_effect_at_reference_exposure_associational",
            "exposure not > 3 mg/L", id="cut_cohort",
        ),
        pytest.param({"exposure": None}, "cohort", "treatment_effect_associational", None, id="no_exposure_cohort"),
    ],
)  # fmt: skip
def test_where_the_treatment_effect_is_taken(exposure, design, estimand, at):
    of = plan(TWO_STAGE, design=design, **exposure)
    found = words(of, of.models[0], "treatment")
    assert (found["estimand"], found["at"]) == (estimand, at)


@pytest.mark.parametrize(
    "term", [pytest.param(term, id=term) for term in (INTERACTION, "treatment", "risk_difference")]
)
def test_contrasts_of_a_cohort_are_associational(term):
    cohort, randomised = (plan(RESPONSE, scale="response", design=design) for design in ("cohort", "randomised"))
    assert words(cohort, cohort.models[0], term)["estimand"].endswith("_associational")
    assert not words(randomised, randomised.models[0], term)["estimand"].endswith("_associational")


def test_pooling_one_effect_returns_it():
    of = plan(TWO_STAGE)
    effect = Effect(0.2, 0.1, 12.0, 2.0, 0.07, -0.02, 0.42)
    assert pool_effects([effect], of.models[0]).effect is effect


def test_the_same_rows_give_the_same_numbers():
    assert repr(rows_of(trial(), TWO_STAGE)) == repr(rows_of(trial(), TWO_STAGE))
