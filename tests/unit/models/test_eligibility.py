"""Sites that a model cannot use, each with its reason."""

from __future__ import annotations

import polars as pl
import pytest

from ember.models.design_matrix import DesignSpec, build_design
from ember.models.eligibility import NO_CONTRAST, NO_OUTCOME, NO_ROWS, TOO_FEW, design_obstacle, usable_sites
from tests.unit.models.analyses import SITES, trial

SPEC = DesignSpec(treatment=True, exposure=True, baseline="common", covariates=("age", "sex"), sites="none")
AT_BETA = pl.col("site_id") == "beta"


def at_beta(column, value):
    return trial().with_columns(pl.when(AT_BETA).then(value).otherwise(pl.col(column)).alias(column))


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        pytest.param(trial().filter(~AT_BETA), NO_ROWS, id="no_rows"),
        pytest.param(at_beta("treatment", pl.lit(1)), NO_CONTRAST["treatment"], id="one_arm"),
        pytest.param(at_beta("exposure", pl.lit(0.0)), NO_CONTRAST["exposure"], id="constant_exposure"),
        pytest.param(
            at_beta("exposure", pl.col("exposure") * pl.col("treatment")),
            NO_CONTRAST["treatment:exposure"],
            id="exposure_varies_in_one_arm",
        ),
        pytest.param(at_beta("outcome", pl.lit(0.5)), NO_OUTCOME, id="constant_outcome"),
    ],
)
def test_a_site_without_information_is_left_out(frame, reason):
    able, left_out = usable_sites(frame, SPEC, SITES)
    assert able == ["alfa", "gama"]
    assert left_out == {"beta": reason}


@pytest.mark.parametrize(
    ("rows", "usable"), [pytest.param(7, False, id="as_many_as_coefficients"), pytest.param(8, True, id="one_more")]
)
def test_rows_against_coefficients(rows, usable):
    frame = trial().filter((pl.col("site_id") != "gama") | (pl.col("row_number") < rows + 2))
    able, left_out = usable_sites(frame, SPEC, SITES)
    assert ("gama" in able) is usable
    assert left_out == ({} if usable else {"gama": TOO_FEW})


def test_a_constant_covariate_is_no_obstacle():
    assert usable_sites(at_beta("sex", pl.lit("female")), SPEC, SITES)[1] == {}


def test_aliased_columns_are_named():
    frame = trial().with_columns(bmi=2 * pl.col("age"))
    spec = DesignSpec(**{**SPEC.__dict__, "covariates": ("age", "bmi")})
    assert design_obstacle(build_design(frame, spec, SITES)) == "determined by the columns before: bmi"
    assert design_obstacle(build_design(frame, SPEC, SITES)) is None
