"""Kernels: they climb, agree with each other and with integrals, and know what is missing or censored."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from ember.endotypes.mixtures.accelerate import climb
from ember.endotypes.mixtures.diagonal import Diagonal
from ember.endotypes.mixtures.general import General
from ember.endotypes.mixtures.orthant import bivariate_below, truncated
from ember.endotypes.mixtures.parameters import COVARIANCES, DIAGONAL, Mixtures, free_parameters, packed, unpacked
from ember.endotypes.mixtures.responsibilities import shared_out
from ember.endotypes.mixtures.search import Effort, find_best, kernel_of
from ember.endotypes.mixtures.values import Values, censored_values, exact_values
from ember.errors import EmberError


def cohort(people: int = 400, shifts: bool = False) -> Values:
    generator = np.random.default_rng(3)
    member = generator.random(people) < 0.3
    value = generator.normal(size=(people, 3)) + 2.0 * member[:, None]
    value[generator.random((people, 3)) < 0.1] = np.nan
    group = np.zeros((people, 3), dtype=np.int64)
    if shifts:
        group[:, 1] = generator.integers(0, 3, people)
        value[:, 1] += np.array([0.0, 0.5, -0.4])[group[:, 1]]
    return censored_values(value, np.array([-0.8, -0.5, -1.2]), np.array([3.0, 3.0, 3.0]), group)


def start(shifts: int = 0) -> Mixtures:
    means = np.array([[[-0.2, 0.1, 0.0], [1.0, 1.2, 0.8]]])
    return Mixtures(np.full((1, 2), 0.5), means, np.tile(np.eye(3), (1, 2, 1, 1)), np.zeros((1, shifts)))


@pytest.mark.parametrize("shifts", [pytest.param(False, id="plain"), pytest.param(True, id="shifts")])
@pytest.mark.parametrize("covariance", [pytest.param(name, id=name) for name in COVARIANCES])
def test_every_step_climbs(covariance, shifts):
    kernel, mixture, heights = kernel_of(cohort(shifts=shifts), covariance, 1e-3), start(2 * shifts), []
    for _ in range(12):
        mixture, likelihood, _ = kernel.step(mixture)
        heights.append(likelihood[0])
    assert np.diff(heights).min() > -1e-9
    assert mixture.weights.sum() == pytest.approx(1)


@pytest.mark.parametrize("covariance", [pytest.param(name, id=name) for name in DIAGONAL])
def test_both_kernels_take_the_same_step(covariance):
    values = cohort(shifts=True)
    one, first, _ = Diagonal(values, covariance, 1e-3).step(start(2))
    two, second, _ = General(values, covariance, 1e-3).step(start(2))
    assert first == pytest.approx(second, abs=1e-8)
    assert one.means == pytest.approx(two.means, abs=1e-10)
    assert one.covariances == pytest.approx(two.covariances, abs=1e-10)
    assert one.shifts == pytest.approx(two.shifts, abs=1e-10)


def test_likelihood_of_one_person_is_that_of_textbooks():
    covariance = np.array([[1.0, 0.4, 0.2], [0.4, 1.5, 0.3], [0.2, 0.3, 0.8]])
    mixture = Mixtures(np.ones((1, 1)), np.array([[[0.1, 0.2, 0.3]]]), covariance[None, None], np.zeros((1, 0)))
    values = censored_values(np.array([[0.5, -9.0, np.nan]]), np.array([-9.0, -0.3, -9.0]))
    found = General(values, "full", 0.0).log_densities(mixture)[0, 0, 0]
    slope = 0.4 / 1.0
    below = norm.cdf((-0.3 - 0.2 - slope * 0.4) / np.sqrt(1.5 - 0.4 * slope))
    assert found == pytest.approx(norm.logpdf(0.5, 0.1, 1.0) + np.log(below), abs=1e-12)


@pytest.mark.parametrize("size", [pytest.param(size, id=f"{size}_directions") for size in (2, 3)])
def test_probability_below_limits(size):
    generator = np.random.default_rng(size)
    root = generator.normal(size=(size, size))
    covariance = root @ root.T + 0.3 * np.eye(size)
    limit = generator.normal(size=(1, size, 3))
    found = truncated(limit, covariance[None])
    for one in range(3):
        wanted = multivariate_normal.cdf(limit[0, :, one], np.zeros(size), covariance, abseps=1e-9, releps=1e-9)
        assert np.exp(found.log_probability[0, one]) == pytest.approx(wanted, abs=1e-6)


def test_moments_below_limits_are_derivatives():
    covariance, limit, step = np.array([[1.0, 0.6], [0.6, 2.0]]), np.array([[[0.3], [-0.4]]]), 1e-5
    found = truncated(limit, covariance[None])
    moved = [
        (truncated(limit + sign * step * unit[None, :, None], covariance[None]).log_probability[0, 0])
        for unit in np.eye(2)
        for sign in (1, -1)
    ]
    rate = np.array([moved[0] - moved[1], moved[2] - moved[3]]) / (2 * step)
    assert found.mean[0, :, 0] == pytest.approx(-covariance @ rate, abs=1e-8)


@pytest.mark.parametrize("correlation", [pytest.param(r, id=str(r)) for r in (-0.99, -0.5, 0.0, 0.9, 0.95, 0.999)])
def test_bivariate_probability(correlation):
    wanted = multivariate_normal.cdf([0.4, -0.7], [0, 0], [[1, correlation], [correlation, 1]])
    found = bivariate_below(np.array([[0.4]]), np.array([[-0.7]]), np.array([[correlation]]))
    assert found[0, 0] == pytest.approx(wanted, abs=1e-7)


def test_four_censored_analytes_under_full_are_refused():
    values = censored_values(np.full((5, 4), -1.0), np.zeros(4))
    with pytest.raises(EmberError, match="4 analytes beyond their limits"):
        General(values, "full", 1e-3)


@pytest.mark.parametrize("covariance", [pytest.param(name, id=name) for name in COVARIANCES])
def test_packing_loses_nothing(covariance):
    mixture, _, _ = kernel_of(cohort(), covariance, 1e-3).step(start())
    again = unpacked(packed(mixture, covariance), 2, 3, covariance)
    assert again.covariances == pytest.approx(mixture.covariances)
    assert again.weights == pytest.approx(mixture.weights)


def test_parameters_are_counted_as_mclust_counts_them():
    counted = {form: free_parameters(3, 3, 0, form) for form in COVARIANCES}
    assert counted == {"diagonal_equal": 14, "diagonal": 20, "shared": 17, "full": 29}


def test_a_climb_ends_at_a_maximum():
    kernel = kernel_of(cohort(), "diagonal", 1e-3)
    reached = climb(kernel, start(), 500)
    after, likelihood, _ = kernel.step(reached.mixtures)
    assert reached.converged.all()
    assert shared_out(kernel.log_densities(after))[1] - likelihood < 1e-8


def test_search_is_repeatable_and_replicates():
    values = cohort()
    found = [find_best(values, 2, "diagonal", 1e-3, Effort(), np.random.default_rng(1)) for _ in range(2)]
    assert found[0].likelihood == found[1].likelihood
    assert found[0].starts == 200
    assert found[0].replicated >= 2
    assert found[0].sound


def test_a_class_without_spread_is_degenerate():
    value = np.concatenate([np.random.default_rng(1).normal(size=200), np.full(20, 5.0)])[:, None]
    found = find_best(exact_values(value), 2, "diagonal", 1e-3, Effort(), np.random.default_rng(1))
    assert found.degenerate > 0


def test_censoring_is_not_a_fill():
    value = np.random.default_rng(8).normal(size=(2000, 1))
    full = find_best(censored_values(value, np.array([-0.2])), 1, "diagonal", 1e-3, Effort(), np.random.default_rng(1))
    assert full.mixture.means[0, 0, 0] == pytest.approx(value.mean(), abs=0.03)
    assert np.sqrt(full.mixture.covariances[0, 0, 0, 0]) == pytest.approx(value.std(), abs=0.04)
