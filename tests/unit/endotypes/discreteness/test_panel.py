"""Markers on one footing: within site and assay, without BMI, limits moved with them."""

from __future__ import annotations

import numpy as np
import pytest

from ember.endotypes.discreteness.panel import complete, standardised, without_bmi
from tests.unit.endotypes.discreteness.panels import dimension, panel_of_values


def test_level_and_spread_of_site_and_assay_go() -> None:
    value = dimension(1)
    moved = np.where(np.arange(600)[:, None] % 2, 3 * value + 5, value)
    scores = standardised(panel_of_values(moved, sites=2))
    for site in (0, 1):
        rows = scores.value[scores.site == site]
        assert rows.mean(axis=0) == pytest.approx(0, abs=1e-9)
        assert rows.std(axis=0) == pytest.approx(1, abs=1e-6)


def test_a_limit_moves_with_the_values_and_shifts_neither_mean_nor_sd() -> None:
    value = dimension(2, n=5000)
    scores, exact = (standardised(panel_of_values(value, limit=limit)) for limit in (-0.5, -np.inf))
    assert scores.left.mean() > 0.25
    assert scores.value[scores.left] == pytest.approx(scores.low[scores.left])
    assert scores.value[~scores.left] == pytest.approx(exact.value[~scores.left], abs=0.06)


def test_without_bmi_nothing_goes_with_it_and_people_without_one_are_left_out() -> None:
    bmi = 27 + 4 * np.random.default_rng(3).standard_normal(600)
    value = dimension(4) + 0.2 * bmi[:, None]
    bmi[:10] = np.nan
    scores = without_bmi(standardised(panel_of_values(value, bmi=bmi)))
    assert scores.n == 590
    assert np.corrcoef(scores.value[:, 0], scores.bmi)[0, 1] == pytest.approx(0, abs=1e-9)


def test_complete_people_have_every_marker() -> None:
    value = dimension(5)
    value[3, 1] = np.nan
    assert complete(panel_of_values(value)).n == 599
