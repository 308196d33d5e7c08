"""Designs: which columns, in which order, what is left out because it does not vary."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ember.models.design_matrix import DesignSpec, build_design
from tests.unit.models.analyses import SITES, trial

FULL = DesignSpec(treatment=True, exposure=True, baseline="common", covariates=("age", "sex"), sites="none")


def spec(**changes):
    return DesignSpec(**{**FULL.__dict__, **changes})


@pytest.mark.parametrize(
    ("wanted", "sites", "names"),
    [
        pytest.param(
            FULL,
            SITES[:1],
            ("intercept", "treatment", "exposure", "treatment:exposure", "baseline", "age", "sex_male"),
            id="one_site",
        ),
        pytest.param(
            spec(sites="fixed", baseline="by_site", covariates=()),
            SITES[:2],
            (
                *("site_alfa", "site_beta", "treatment", "exposure", "treatment:exposure"),
                *("baseline_alfa", "baseline_beta"),
            ),
            id="fixed_sites_own_slopes",
        ),
        pytest.param(
            spec(sites="random", baseline="none", covariates=("sex",)),
            SITES,
            ("intercept", "treatment", "exposure", "treatment:exposure", "sex_male"),
            id="random_intercept",
        ),
        pytest.param(
            spec(treatment=False, baseline="none", covariates=()), SITES, ("intercept", "exposure"), id="no_treatment"
        ),
    ],
)
def test_columns(wanted, sites, names):
    design = build_design(trial().filter(pl.col("site_id").is_in(sites)), wanted, sites)
    assert design.names == names
    assert design.dropped == ()
    assert [block.site for block in design.rows] == sites
    assert all(block.design.shape[1] == len(names) for block in design.rows)


def test_interaction_is_the_product():
    block = build_design(trial(), spec(covariates=()), SITES).rows[0]
    assert np.array_equal(block.design[:, 3], block.design[:, 1] * block.design[:, 2])


def test_a_site_without_rows_is_no_block():
    frame = trial().filter(pl.col("site_id") != "beta")
    assert [block.site for block in build_design(frame, FULL, SITES).rows] == ["alfa", "gama"]


def test_sites_stand_in_study_order_not_in_row_order():
    design = build_design(trial(), FULL, ["gama", "alfa", "beta"])
    assert [block.site for block in design.rows] == ["gama", "alfa", "beta"]
    assert design.n == 120


@pytest.mark.parametrize(
    ("change", "dropped"),
    [
        pytest.param({"sex": pl.lit("female")}, ("sex",), id="one_category"),
        pytest.param({"age": pl.lit(40.0)}, ("age",), id="one_number"),
        pytest.param({"baseline": pl.lit(1.5)}, ("baseline",), id="baseline"),
    ],
)
def test_what_does_not_vary_is_left_out_and_named(change, dropped):
    design = build_design(trial().with_columns(**change), FULL, SITES)
    assert design.dropped == dropped
    assert not any(name.startswith(dropped[0]) for name in design.names)


def test_a_baseline_constant_at_one_site_is_left_out_there_only():
    frame = trial().with_columns(baseline=pl.when(pl.col("site_id") == "beta").then(2.0).otherwise(pl.col("baseline")))
    design = build_design(frame, spec(sites="fixed", baseline="by_site"), SITES)
    assert design.dropped == ("baseline_beta",)
    assert "baseline_alfa" in design.names and "baseline_gama" in design.names


def test_a_category_outside_the_contract_has_its_own_column():
    frame = trial().with_columns(sex=pl.when(pl.col("age") > 50).then(pl.lit("other")).otherwise(pl.col("sex")))
    names = build_design(frame, FULL, SITES).names
    assert sum(name.startswith("sex_") for name in names) == 2


def test_counterfactual_designs_change_the_arm_and_its_product_only():
    design = build_design(trial(), FULL, SITES)
    observed, everyone, no_one = design.rows[0].design, design.with_treatment(1.0)[0], design.with_treatment(0.0)[0]
    at = [design.names.index(name) for name in ("treatment", "treatment:exposure")]
    rest = [column for column in range(len(design.names)) if column not in at]
    assert (everyone[:, at[0]] == 1).all() and np.array_equal(everyone[:, at[1]], observed[:, 2])
    assert (no_one[:, at] == 0).all()
    assert np.array_equal(everyone[:, rest], observed[:, rest])
    assert set(observed[:, at[0]]) == {0.0, 1.0}, "the observed design is not written to"
