"""Whether an endotype is a type: the witnesses against metafor, R's kernel density and R's optim."""

from __future__ import annotations

import numpy as np
import pytest

from ember.endotypes.discreteness import curves
from ember.endotypes.discreteness.cells import count_cells
from ember.endotypes.discreteness.shapes import fit_one, fit_two
from ember.endotypes.discreteness.variability import LogRatio, log_coefficient_ratio, log_variability_ratio, pooled

TIGHT = {"rel": 1e-12, "abs": 1e-12}


@pytest.fixture(scope="module")
def frozen(witness):
    return witness("discreteness")


def ratios(groups: list[dict[str, float]], measure: str) -> list[LogRatio]:
    """Return the ratios of metafor's groups."""
    found = []
    for g in groups:
        mean, sd, n = (g["m1"], g["m2"]), (g["s1"], g["s2"]), (g["n1"], g["n2"])
        found.append(log_variability_ratio(sd, n) if measure == "vr" else log_coefficient_ratio(mean, sd, n))
    return found


@pytest.mark.parametrize("measure", ["vr", "cvr"])
def test_variation_ratios_equal_metafor(frozen, measure):
    found = ratios(frozen["groups"], measure)
    assert [r.value for r in found] == pytest.approx(frozen[measure]["value"], **TIGHT)
    assert [r.std_error for r in found] == pytest.approx(frozen[measure]["std_error"], **TIGHT)


@pytest.mark.parametrize("measure", ["vr", "cvr"])
def test_pooled_ratio_equals_metafor(frozen, measure):
    found = pooled(ratios(frozen["groups"], measure))
    expected = frozen[f"{measure}_pooled"]
    assert (found.value, found.std_error) == pytest.approx((expected["value"], expected["std_error"]), rel=1e-9)


def indicators(frozen) -> np.ndarray:
    x = np.array(frozen["x"])
    return ((x - x.mean(axis=0)) / x.std(axis=0, ddof=1))[None]


def test_mambac_equals_a_loop_in_r(frozen):
    assert curves.mambac(indicators(frozen))[0] == pytest.approx(frozen["mambac"], **TIGHT)


def test_loadings_equal_principal_axes_in_r(frozen):
    # R's loop runs 500 times; ours stops once no communality moves by more than 0.001.
    assert curves.first_loadings(indicators(frozen))[0] == pytest.approx(frozen["loadings"], abs=0.01)


def test_density_equals_r(frozen):
    found = curves.l_mode(indicators(frozen))[0]
    assert found == pytest.approx(frozen["density"], abs=0.002)


@pytest.mark.parametrize("shape", ["skewed", "heavy", "two"])
@pytest.mark.parametrize("components", [pytest.param(fit_one, id="one"), pytest.param(fit_two, id="two")])
def test_censored_likelihoods_reach_those_of_optim(frozen, shape, components):
    y = np.array(frozen["fits"][shape]["y"])
    left = y < frozen["limit"]
    cells = count_cells(np.where(left, frozen["limit"], y)[None], left[None])
    expected = frozen["fits"][shape]["one" if components is fit_one else "two"]
    assert components(cells)[1][0] == pytest.approx(expected, abs=0.02)
