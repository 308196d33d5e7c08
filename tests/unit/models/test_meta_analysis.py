"""Pooling at its boundaries: one site, two sites, no heterogeneity, hopeless input."""

from __future__ import annotations

import numpy as np
import pytest

from ember.errors import EmberError
from ember.models.meta_analysis import INTERVALS, TAU2_METHODS, pool


@pytest.mark.parametrize("tau2", [pytest.param(name, id=name) for name in TAU2_METHODS])
@pytest.mark.parametrize("interval", [pytest.param(name, id=name) for name in INTERVALS])
def test_one_site_keeps_its_own_estimate(tau2, interval):
    pooled = pool([0.4], [0.1], tau2=tau2, interval=interval)
    assert (pooled.effect.estimate, pooled.effect.std_error, pooled.k) == (0.4, 0.1, 1)
    assert pooled.effect.conf_high == pytest.approx(0.4 + 0.1 * 1.959963984540054)
    assert np.isnan([pooled.tau2, pooled.i2_tau2, pooled.prediction_low]).all()
    assert "One site" in pooled.note


def test_two_sites_use_one_degree_of_freedom():
    pooled = pool([0.1, 0.5], [0.1, 0.1])
    assert pooled.effect.df == 1
    assert pooled.effect.conf_high - pooled.effect.estimate == pytest.approx(12.706204736174698 * 0.2, rel=1e-9)
    assert "Two sites" in pooled.note


@pytest.mark.parametrize("tau2", [pytest.param(name, id=name) for name in TAU2_METHODS])
def test_equal_estimates_have_no_variance_between_sites(tau2):
    pooled = pool([0.2, 0.2, 0.2], [0.1, 0.2, 0.3], tau2=tau2, interval="normal")
    assert (pooled.tau2, pooled.q, pooled.i2_tau2) == (0.0, pytest.approx(0.0, abs=1e-20), 0.0)
    assert pooled.prediction_low == pytest.approx(pooled.effect.conf_low)


def test_the_floor_never_narrows():
    bare, floored = (pool([0.20, 0.21, 0.19], [0.1, 0.1, 0.1], floor=floor) for floor in (False, True))
    assert floored.effect.std_error == pytest.approx(0.1 / np.sqrt(3))
    assert bare.effect.std_error < floored.effect.std_error


def test_huge_heterogeneity_is_found():
    y, se = np.array([-1e3, 0.0, 1e3, 5e2]), np.full(4, 1e-3)
    for tau2 in ("reml", "paule_mandel", "dersimonian_laird"):
        assert pool(y, se, tau2=tau2).tau2 == pytest.approx(y.var(ddof=1), rel=1e-6)


@pytest.mark.parametrize("seed", [pytest.param(seed, id=f"seed{seed}") for seed in range(12)])
def test_reml_is_the_maximum_on_a_fine_grid(seed):
    rng = np.random.default_rng(seed)
    k = int(rng.integers(3, 9))
    v = rng.gamma(0.5, 1.0, k) + 1e-3
    y = rng.normal(0, np.sqrt(v + rng.gamma(0.5, 0.5)))
    found = pool(y, np.sqrt(v)).tau2

    def criterion(t: float) -> float:
        w = 1 / (v + t)
        return float(np.log(v + t).sum() + np.log(w.sum()) + w @ (y - w @ y / w.sum()) ** 2)

    assert criterion(found) <= min(criterion(t) for t in np.linspace(0, 20, 4001)) + 1e-9


@pytest.mark.parametrize(
    ("y", "se", "options"),
    [
        pytest.param([], [], {}, id="no_site"),
        pytest.param([0.1, np.nan], [0.1, 0.1], {}, id="missing_estimate"),
        pytest.param([0.1, 0.2], [0.1, 0.0], {}, id="zero_error"),
        pytest.param([0.1, 0.2], [0.1], {}, id="lengths"),
        pytest.param([0.1, 0.2], [0.1, 0.1], {"tau2": "ml"}, id="unknown_method"),
        pytest.param([0.1, 0.2], [0.1, 0.1], {"interval": "profile"}, id="unknown_interval"),
    ],
)
def test_hopeless_input_is_refused(y, se, options):
    with pytest.raises(EmberError):
        pool(y, se, **options)
