"""A whole analysis: its tables meet their contracts, its curve is the pooled line, nothing depends on chance."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ember.models.fit_analysis import CURVE_POINTS, DECILES, fit_analysis
from ember.tables.store import polars_schema
from tests.unit.models.analyses import plan, survey_rows, trial

CURVE = {"id": "two_stage", "family": "ancova", "pool": "two_stage", "curve": True}
AT_BETA = pl.col("site_id") == "beta"


def test_tables_have_the_columns_of_their_contracts():
    estimates, curves = fit_analysis(trial(), plan(CURVE))
    assert dict(estimates.schema) == polars_schema("estimates")
    assert dict(curves.schema) == polars_schema("curves")


def test_without_a_curve_the_table_is_empty():
    assert fit_analysis(trial(), plan())[1].height == 0


def test_rows_outside_the_set_do_not_count():
    outside = trial().with_columns(in_set=~AT_BETA | (pl.col("row_number") > 20))
    inside = outside.filter("in_set")
    of = plan(CURVE)
    assert fit_analysis(outside, of)[0].equals(fit_analysis(inside, of)[0])
    assert fit_analysis(outside, of)[1].equals(fit_analysis(inside, of)[1])


def test_the_curve_at_the_common_mean_is_the_treatment_effect():
    """With the same centre at every site the line at that exposure is the coefficient of treatment, pooled."""
    estimates, curves = fit_analysis(trial().with_columns(exposure_value=2.0 ** (pl.col("exposure") + 1)), plan(CURVE))
    effect = estimates.filter(term="treatment", level="two_stage")["estimate"].item()
    points = curves.filter(kind="effect")
    at, value = np.log2(points["at"].to_numpy()), points["estimate"].to_numpy()
    assert np.interp(1.0, at, value) == pytest.approx(effect, abs=5e-3)
    assert points.height == CURVE_POINTS and curves.filter(kind="rug").height == len(DECILES)
    assert points["at"].is_sorted() and points["site"].null_count() == CURVE_POINTS


def test_the_curve_ends_at_the_outer_deciles():
    curves = fit_analysis(trial(), plan(CURVE))[1]
    points, rug = curves.filter(kind="effect")["at"], curves.filter(kind="rug")["at"]
    assert points[0] == pytest.approx(rug[0]) and points[-1] == pytest.approx(rug[-1])
    assert rug.min() > trial()["exposure_value"].min()


def test_the_curve_leaves_out_the_sites_that_the_pool_leaves_out():
    one_arm = trial().with_columns(treatment=pl.when(AT_BETA).then(1).otherwise("treatment").cast(pl.Int16))
    without = plan(CURVE, sites=["alfa", "gama"])
    assert fit_analysis(one_arm, plan(CURVE))[1].equals(fit_analysis(trial().filter(~AT_BETA), without)[1])


def test_a_model_that_keeps_sites_apart_has_a_curve_a_site():
    curves = fit_analysis(trial(), plan({**CURVE, "pool": "by_site"}))[1]
    assert curves["site"].unique(maintain_order=True).to_list() == ["alfa", "beta", "gama"]


def test_no_usable_site_has_no_curve():
    frame = trial().with_columns(treatment=pl.lit(1, dtype=pl.Int16))
    estimates, curves = fit_analysis(frame, plan(CURVE))
    assert curves.height == 0 and not estimates["converged"].any()


def test_a_logistic_curve_is_on_the_log_odds():
    of = plan({**CURVE, "family": "logistic"}, scale="response")
    assert fit_analysis(trial(binary=True), of)[1]["scale"].unique().to_list() == ["log_odds_ratio"]


@pytest.mark.parametrize(
    ("composite", "estimate"),
    [
        pytest.param([1.0, 2.0, 3.0], 1.0, id="three"),
        pytest.param([1.0], None, id="one"),
        pytest.param([], None, id="none"),
    ],
)
def test_spread_of_a_composite(composite, estimate):
    frame = trial()
    values = pl.Series("composite", [*composite, *[None] * (frame.height - len(composite))], dtype=pl.Float64)
    of = plan(composite={"analytes": ["il6", "tnf"], "standardise": "analysis_set"})
    (row,) = fit_analysis(frame.with_columns(values), of)[0].filter(term="composite_sd").to_dicts()
    assert row["estimate"] == estimate
    assert row["n"] == (3 if estimate else None)


def test_survey_and_regression_stand_in_file_order():
    models = [
        {"id": "apart", "family": "survey_linear"},
        {"id": "joint", "family": "survey_linear", "pool": "one_stage"},
    ]
    outcome = {"construct": "severity", "visit": "v", "scale": "points"}
    of = plan(*models, treatment=None, outcome=outcome, survey={"lonely": "fail"}, sites=["alfa", "beta"])
    table = fit_analysis(survey_rows(), of)[0]
    assert table["model_id"].unique(maintain_order=True).to_list() == ["apart", "joint"]


def test_the_headline_is_adjusted_in_its_family():
    of = plan(CURVE, multiplicity={"family": "primary", "method": "holm"})
    table = fit_analysis(trial(), of)[0]
    adjusted = table.filter(pl.col("p_adjusted").is_not_null())
    assert adjusted.select("term", "level").rows() == [("treatment:exposure", "two_stage")]
    assert adjusted["p_adjusted"].to_list() == adjusted["p_value"].to_list()


def test_no_note_holds_a_value_of_a_participant():
    frame = trial().with_columns(sex=pl.when(AT_BETA).then(pl.lit("male")).otherwise("sex"))
    frame = frame.filter((pl.col("site_id") != "gama") | (pl.col("row_number") < 5))
    notes = " ".join(fit_analysis(frame, plan({**CURVE, "covariates": ["age", "sex"]}))[0]["note"])
    assert "gama" in notes and not any(character.isdigit() for character in notes)


def test_the_same_set_gives_the_same_bytes():
    one, two = (fit_analysis(trial(), plan(CURVE)) for _ in range(2))
    assert one[0].equals(two[0]) and one[1].equals(two[1])
