"""Mean and SD of groups with censored values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from ember.endotypes.composites.censored_normal import fit_normals, mills


def fit(value, left=(), right=(), group=None, number=1):
    size = len(value)
    marks = [np.isin(np.arange(size), places) for places in (left, right)]
    of = np.zeros(size, dtype=np.int64) if group is None else np.array(group)
    return fit_normals(np.array(value, dtype=float), *marks, of, number)


def test_without_censoring_it_is_mean_and_root_mean_square():
    found = fit([1.0, 2.0, 4.0])
    assert found.mean[0] == pytest.approx(7 / 3, rel=1e-12)
    assert found.sd[0] == pytest.approx(np.std([1.0, 2.0, 4.0]), rel=1e-12)
    assert found.log_likelihood[0] == pytest.approx(norm.logpdf([1.0, 2.0, 4.0], 7 / 3, found.sd[0]).sum(), rel=1e-12)


@pytest.mark.parametrize(
    ("value", "left"),
    [
        pytest.param([], [], id="nobody"),
        pytest.param([1.0], [], id="one value"),
        pytest.param([1.0, 1.0], [], id="no spread"),
        pytest.param([0.5, 0.5, 0.5], [0, 1, 2], id="all below"),
        pytest.param([0.5, 0.5, 2.0], [0, 1], id="one value above the limit"),
        pytest.param([np.nan, 1.0], [], id="one value and one missing"),
    ],
)
def test_not_identified(value, left):
    found = fit(value, left)
    assert np.isnan([found.mean[0], found.sd[0], found.log_likelihood[0]]).all()
    assert found.n[0] == np.sum(~np.isnan(value))


def test_a_group_does_not_see_another():
    y = np.random.default_rng(3).normal(1.0, 2.0, 60)
    y[:20] = np.maximum(y[:20], 0.5)
    left = np.flatnonzero(y[:20] == 0.5)
    alone = fit(y[:20], left)
    together = fit(np.r_[y, np.nan], left, group=[0] * 20 + [2] * 20 + [-1] * 20 + [0], number=3)
    assert together.mean[0] == pytest.approx(alone.mean[0], rel=1e-12)
    assert together.sd[0] == pytest.approx(alone.sd[0], rel=1e-12)
    assert together.n.tolist() == [20, 0, 20] and together.n_left.tolist() == [left.size, 0, 0]


def test_shift_scale_and_mirror():
    y = np.random.default_rng(4).normal(size=80)
    value, left = np.maximum(y, -0.3), np.flatnonzero(y < -0.3)
    plain, moved, mirror = fit(value, left), fit(1e4 + 3 * value, left), fit(-value, (), left)
    assert (moved.mean[0] - 1e4) / 3 == pytest.approx(plain.mean[0], abs=1e-8)
    assert moved.sd[0] / 3 == pytest.approx(plain.sd[0], rel=1e-8)
    assert [-mirror.mean[0], mirror.sd[0]] == pytest.approx([plain.mean[0], plain.sd[0]], rel=1e-9)


@pytest.mark.parametrize("share", [0.05, 0.3, 0.6])
def test_recovers_what_a_fill_biases(share):
    y = np.random.default_rng(5).normal(0.7, 1.1, 200_000)
    limit = norm.ppf(share, 0.7, 1.1)
    left = np.flatnonzero(y < limit)
    found = fit(np.maximum(y, limit), left)
    assert [found.mean[0], found.sd[0]] == pytest.approx([0.7, 1.1], abs=0.01)


def test_mills_far_out():
    assert mills(np.array([0.0]))[0] == pytest.approx(2 * norm.pdf(0), rel=1e-14)
    assert mills(np.array([-1e4]))[0] == pytest.approx(1e4, rel=1e-7)
    assert mills(np.array([40.0]))[0] == 0.0 or mills(np.array([40.0]))[0] < 1e-300
