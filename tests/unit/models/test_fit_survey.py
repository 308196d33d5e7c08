"""Survey models of an analysis at their boundaries."""

from __future__ import annotations

import polars as pl
import pytest

from ember.errors import EmberError
from ember.models.fit_survey import fit_survey
from tests.unit.models.analyses import plan, survey_rows

SITES = ["alfa", "beta"]
POINTS = {"construct": "severity", "visit": "v", "scale": "points"}
CUT = {**POINTS, "scale": "cut", "cut": {"operator": ">=", "value": 6}}
LINEAR = {"id": "m", "family": "survey_linear", "covariates": ["age"]}
AT_BETA = pl.col("site_id") == "beta"


def rows_of(frame, outcome=POINTS, lonely="fail", **model):
    of = plan(
        {**LINEAR, **model}, treatment=None, outcome=outcome, survey={"lonely": lonely}, sites=SITES, design="cohort"
    )
    return fit_survey(frame, of, of.models[0])


def binary(frame):
    return frame.with_columns(outcome=(pl.col("outcome") >= 6).cast(pl.Float64))


def test_each_site_apart_and_every_term_named():
    rows = rows_of(survey_rows())
    assert [(row["site"], row["term"]) for row in rows] == [
        (site, term) for site in SITES for term in ("exposure", "age")
    ]
    assert [row["estimand"] for row in rows[:2]] == ["association", "covariate"]
    assert {row["scale"] for row in rows} == {"points"} and {row["level"] for row in rows} == {"site"}


def test_one_stage_joins_sites_as_strata():
    (exposure, _) = rows_of(survey_rows(), pool="one_stage")
    assert (exposure["level"], exposure["site"], exposure["n_sites"], exposure["n"]) == ("one_stage", None, 2, 200)


def test_one_stage_of_one_site_is_its_own_fit():
    (joint, _) = rows_of(survey_rows(sites=("alfa",)), pool="one_stage")
    apart = rows_of(survey_rows(sites=("alfa",)))[0]
    assert joint["estimate"] == apart["estimate"] and joint["std_error"] == apart["std_error"]
    assert joint["level"] == "one_stage" and "Left out: beta (no participant" in joint["note"]


def test_a_common_factor_of_the_weights_changes_nothing():
    doubled = survey_rows().with_columns(pl.col("survey_weight") * 2)
    for row, other in zip(rows_of(survey_rows()), rows_of(doubled), strict=True):
        assert row["estimate"] == pytest.approx(other["estimate"], rel=1e-12)
        assert row["std_error"] == pytest.approx(other["std_error"], rel=1e-12)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        pytest.param(
            survey_rows().with_columns(in_set=pl.col("in_set") & ~AT_BETA), "no participant", id="none_in_set"
        ),
        pytest.param(
            survey_rows().with_columns(exposure=pl.when(AT_BETA).then(1.0).otherwise("exposure")),
            "the exposure does not vary",
            id="constant_exposure",
        ),
        pytest.param(
            survey_rows().with_columns(in_set=pl.col("in_set") & (~AT_BETA | (pl.col("row_number") < 5))),
            "no more rows than coefficients",
            id="too_few_rows",
        ),
    ],
)
def test_a_site_that_cannot_be_fitted(frame, reason):
    row = next(row for row in rows_of(frame) if row["site"] == "beta")
    assert row["converged"] is False and reason in row["note"] and row.get("n") is None
    joint = rows_of(frame, pool="one_stage")[0]
    assert joint["converged"] and joint["n_sites"] == 1 and f"beta ({reason}" in joint["note"]


def test_separation_has_no_numbers():
    frame = survey_rows().with_columns(outcome=(pl.col("exposure") > 1).cast(pl.Float64))
    rows = rows_of(frame, outcome=CUT, family="survey_logistic")
    assert all(row["converged"] is False and "separation" in row["note"] for row in rows)
    assert all(row["estimate"] != row["estimate"] for row in rows)


def test_a_constant_covariate_is_said():
    rows = rows_of(survey_rows().with_columns(sex=pl.lit("male")), covariates=["sex"])
    assert [row["term"] for row in rows] == ["exposure", "exposure"]
    assert all("Constant and left out: sex." in row["note"] for row in rows)


def test_a_single_sampling_unit_stops_the_analysis_unless_declared():
    lonely = survey_rows().with_columns(
        survey_psu=pl.when(survey_stratum="1").then(pl.lit("1")).otherwise("survey_psu")
    )
    with pytest.raises(EmberError, match="single sampling unit"):
        rows_of(lonely)
    assert all(row["converged"] for row in rows_of(lonely, lonely="adjust"))


def test_rows_outside_the_set_stay_in_the_design():
    """A stratum whose second unit is wholly outside the set is still no lonely stratum."""
    in_set = pl.col("in_set") & ((pl.col("survey_stratum") != "1") | (pl.col("survey_psu") == "1"))
    assert all(row["converged"] for row in rows_of(survey_rows().with_columns(in_set=in_set)))


@pytest.mark.parametrize(
    ("outcome", "term"),
    [
        pytest.param(CUT, "outcome >= 6", id="cut"),
        pytest.param({**POINTS, "scale": "remission"}, "outcome remission", id="remission"),
    ],
)
def test_shares_of_an_outcome(outcome, term):
    rows = rows_of(binary(survey_rows()), outcome=outcome, family="survey_proportion", covariates=[])
    assert [(row["site"], row["term"]) for row in rows] == [("alfa", term), ("beta", term)]
    for row in rows:
        assert row["scale"] == "proportion" and 0 < row["conf_low"] < row["estimate"] < row["conf_high"] < 1
        assert 0 < row["n_events"] < row["n"] == 100
        assert row["p_value"] != row["p_value"]


def test_shares_of_states_add_up_to_one():
    of = plan(
        {"id": "m", "family": "survey_proportion"}, treatment=None, exposure=None, outcome=None,
        bands={"scheme": "hscrp_bands"}, survey={"lonely": "fail"}, sites=[*SITES, "gone"], design="cohort",
    )  # fmt: skip
    state = pl.when(pl.col("exposure") > 1).then(pl.lit("inflamed")).otherwise(pl.lit("not_inflamed"))
    rows = fit_survey(survey_rows().with_columns(state=state, outcome=None), of, of.models[0])
    for site in SITES:
        own = [row for row in rows if row["site"] == site]
        assert [row["term"] for row in own] == ["inflamed", "not_inflamed"]
        assert sum(row["estimate"] for row in own) == pytest.approx(1.0, rel=1e-12)
        assert sum(row["n_events"] for row in own) == 100
    assert rows[-1]["site"] == "gone" and rows[-1]["note"] == "Not fitted: no participant in the analysis set."
