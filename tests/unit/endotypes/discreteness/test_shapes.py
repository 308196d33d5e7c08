"""The shapes: slopes against differences, quantiles against the distribution function, densities against its slope."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from ember.endotypes.discreteness import shapes
from ember.endotypes.discreteness.cells import INNER, count_cells

ONE = np.array([[0.1, -0.2, 0.3, -0.15], [0.0, 0.0, -0.8, 0.4]])
TWO = np.array([[0.4, -0.6, 1.5, -0.3, 0.2], [-2.0, 0.1, 2.4, -0.5, -0.7]])


@pytest.mark.parametrize(
    ("shape", "at"), [pytest.param(shapes.sinh_arcsinh, ONE, id="one"), pytest.param(shapes.two_normals, TWO, id="two")]
)
def test_slopes(shape, at) -> None:
    _, slopes = shape(at)
    for place in range(at.shape[1]):
        step = np.zeros_like(at)
        step[:, place] = 1e-6
        expected = (shape(at + step)[0] - shape(at - step)[0]) / 2e-6
        assert slopes[place] == pytest.approx(expected, abs=1e-7)


def test_quantiles_undo_the_distribution_function() -> None:
    z = np.linspace(-3, 3, 13)
    for one in ONE:
        assert shapes.sinh_arcsinh_below(one, shapes.sinh_arcsinh_quantile(one, z)) == pytest.approx(z)


@pytest.mark.parametrize(
    ("density", "shape", "at"),
    [
        pytest.param(shapes.sinh_arcsinh_density, shapes.sinh_arcsinh, ONE, id="one"),
        pytest.param(shapes.two_normals_density, shapes.two_normals, TWO, id="two"),
    ],
)
def test_densities_add_up(density, shape, at) -> None:
    fine = np.linspace(INNER[0], INNER[-1], 20001)
    for number, one in enumerate(at):
        below = shape(at)[0][number]
        mass = np.trapezoid(density(one, fine), fine)
        assert mass == pytest.approx(below[-1] - below[0], abs=1e-5)


def test_censored_values_are_found_again() -> None:
    rng = np.random.default_rng(1)
    value = rng.standard_normal((1, 4000))
    left = value < -0.4
    parameters, _ = shapes.fit_one(count_cells(np.where(left, -0.4, value), left))
    below = ndtr(shapes.sinh_arcsinh_below(parameters[0], np.array([-0.4])))
    assert below == pytest.approx(left.mean(), abs=0.01)


def test_cells_count_everybody_once() -> None:
    value = np.array([[-99.0, 0.05, 99.0, np.nan, -1.0, 2.0]])
    left = np.array([[False, False, False, False, True, False]])
    right = np.array([[False, False, False, False, False, True]])
    cells = count_cells(value, left, right)
    assert (cells.exact.sum(), cells.left.sum(), cells.right.sum(), cells.n[0]) == (3, 1, 1, 5)
    assert (cells.exact[0, 0], cells.exact[0, -1]) == (1, 1)
