"""Adjustment for multiplicity: missing values, empty families, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from ember.errors import EmberError
from ember.models.multiplicity import METHODS, adjust


@pytest.mark.parametrize("method", [pytest.param(name, id=name) for name in METHODS])
def test_a_missing_value_poisons_nothing(method):
    whole = adjust([0.01, 0.04, 0.2], method)
    holed = adjust([0.01, np.nan, 0.04, 0.2], method)
    assert np.isnan(holed[1])
    assert holed[[0, 2, 3]] == pytest.approx(whole)


@pytest.mark.parametrize("method", [pytest.param(name, id=name) for name in METHODS])
@pytest.mark.parametrize("family", [pytest.param([], id="empty"), pytest.param([np.nan, np.nan], id="all_missing")])
def test_families_without_a_value(method, family):
    assert np.isnan(adjust(family, method)).all()


def test_one_value_is_left_alone():
    for method in METHODS:
        assert adjust([0.03], method).tolist() == [0.03]


def test_order_and_ties():
    assert adjust([0.04, 0.01, 0.04], "holm") == pytest.approx([0.08, 0.03, 0.08])
    assert adjust([0.04, 0.01, 0.04], "benjamini_hochberg") == pytest.approx([0.04, 0.03, 0.04])
    assert adjust([0.5, 0.9], "bonferroni").tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("values", "method"),
    [
        pytest.param([1.2], "holm", id="above_one"),
        pytest.param([-0.1], "holm", id="negative"),
        pytest.param([0.1], "sidak", id="unknown"),
    ],
)
def test_refusals(values, method):
    with pytest.raises(EmberError):
        adjust(values, method)
