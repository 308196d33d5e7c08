"""Comparison data keep shapes, ties and correlations."""

from __future__ import annotations

import numpy as np
import pytest

from ember.endotypes.discreteness.comparison import categorical_samples, dimensional_samples, upper_class
from ember.endotypes.discreteness.likelihood_ratio import fit_dimension
from tests.unit.endotypes.discreteness.panels import classes, dimension, panel_of_values


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(dimension(1), id="normal"),
        pytest.param(np.exp(dimension(2)), id="skewed"),
        pytest.param(np.maximum(dimension(3), -0.4), id="ties-at-a-limit"),
        pytest.param(classes(4), id="two-modes"),
    ],
)
def test_shapes_and_correlations_are_kept(value: np.ndarray) -> None:
    drawn = dimensional_samples(np.random.default_rng(0), value, 100, 600).reshape(-1, 3)
    assert drawn.mean(axis=0) == pytest.approx(value.mean(axis=0), abs=0.03)
    assert drawn.std(axis=0) == pytest.approx(value.std(axis=0), rel=0.03)
    assert np.corrcoef(drawn.T) == pytest.approx(np.corrcoef(value.T), abs=0.02)
    assert set(np.unique(drawn)) <= set(np.unique(value))


def test_classes_keep_their_sizes_and_means() -> None:
    value = classes(5)
    upper = upper_class(value, 0.3)
    assert upper.sum() == 180
    drawn = categorical_samples(np.random.default_rng(0), value, upper, 50)
    assert drawn.shape == (50, 600, 3)
    assert drawn[:, 420:].mean(axis=(0, 1)) == pytest.approx(value[upper].mean(axis=0), abs=0.03)


def test_the_model_of_one_dimension_fills_below_the_limit() -> None:
    scores = panel_of_values(dimension(6), limit=-0.6)
    model = fit_dimension(scores)
    assert (model.below < scores.low).all()
    assert model.below.mean() > -2.5
