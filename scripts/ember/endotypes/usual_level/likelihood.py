"""The likelihood of repeated samples about each person's usual level, on the log scale."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import log_ndtr, ndtr

from ember.endotypes.cuts import FloatArray, IntArray
from ember.endotypes.usual_level.persons import Persons

LOG_TWO_PI = float(np.log(2 * np.pi))
REACH = 8.0
PANELS, NODES = 8, 12
CHUNK = 20_000


@dataclass(frozen=True)
class Components:
    """Distribution of ln results.

    Attributes
    ----------
    mean, between : ndarray, shape (sites,)
        Mean of the persons' usual levels and SD between persons.
    within : float
        SD of samples about the usual level: biology and assay together.
    acute : float
        Share of samples taken in acute illness, all of which lie above the acute cut.
    """

    mean: FloatArray
    between: FloatArray
    within: float
    acute: float


@dataclass(frozen=True)
class _Level:
    """Normal distribution of each person's usual level given the exact samples alone."""

    mean: FloatArray
    variance: FloatArray


def log_likelihoods(persons: Persons, components: Components) -> FloatArray:
    """Return the log-likelihood of each person.

    Notes
    -----
    usual level ~ N(mean of the site, between^2); sample = usual level + N(0, within^2), independent given it. Exact
    samples integrate in closed form; so does one censored sample, whose distribution given the exact ones is normal
    again; two and more are integrated numerically (Gauss-Legendre). A sample above the acute cut (or above the range
    of the assay) has the probability acute + (1 - acute) P(above): illness may have raised it, so it says less about
    the usual level than one which is known to be free of it.
    """
    level = given_exact(persons, components)
    told = _of_exact(persons, components)
    for many, (rows, limit, sign) in persons.bounds.items():
        own = _Level(level.mean[rows], level.variance[rows])
        if many == 1:
            told[rows] += _of_one(own, limit[:, 0], sign[:, 0], components)
        else:
            ends = np.full(rows.size, -REACH), np.full(rows.size, REACH)
            told[rows] += np.log(np.maximum(_integral(own, limit, sign, components, *ends), 1e-300))
    return told


def probabilities_above(persons: Persons, components: Components, cut: float) -> FloatArray:
    """Return each person's probability that the usual level lies above `cut`, on the log scale.

    Notes
    -----
    A person without a sample has that of the site. The components are taken as known: their own uncertainty, small
    where hundreds of persons have repeats, is not in it.
    """
    level = given_exact(persons, components)
    spread = np.sqrt(level.variance)
    apart = np.divide(level.mean - cut, spread, out=np.where(level.mean > cut, REACH, -REACH), where=spread > 0)
    probability = np.asarray(ndtr(apart), dtype=np.float64)
    for rows, limit, sign in persons.bounds.values():
        own = _Level(level.mean[rows], level.variance[rows])
        middle = np.clip(-apart[rows], -REACH, REACH)
        under = _integral(own, limit, sign, components, np.full(rows.size, -REACH), middle)
        over = _integral(own, limit, sign, components, middle, np.full(rows.size, REACH))
        probability[rows] = over / np.maximum(under + over, 1e-300)
    return probability


def given_exact(persons: Persons, components: Components) -> _Level:
    """Return mean and variance of the usual level given a person's exact samples (of the site without any)."""
    between = components.between[persons.group] ** 2
    within = components.within**2
    whole = within + persons.n_exact * between
    mean = (components.mean[persons.group] * within + between * persons.n_exact * persons.mean) / whole
    return _Level(mean, between * within / whole)


def _of_exact(persons: Persons, components: Components) -> FloatArray:
    between = components.between[persons.group] ** 2
    within = components.within**2
    n = persons.n_exact
    whole = within + n * between
    apart = persons.mean - components.mean[persons.group]
    several = -0.5 * (n * LOG_TWO_PI + (n - 1) * np.log(within) + np.log(whole) + persons.squares / within)
    told = np.where(n > 0, several - 0.5 * n * apart * apart / whole, 0.0)
    return np.asarray(told + n * np.log1p(-components.acute), dtype=np.float64)


def _of_one(level: _Level, limit: FloatArray, sign: FloatArray, components: Components) -> FloatArray:
    at = sign * (limit - level.mean) / np.sqrt(level.variance + components.within**2)
    free = np.log1p(-components.acute)
    above = np.log(components.acute + (1 - components.acute) * ndtr(at))
    with_acute = np.where(components.acute > 0, above, log_ndtr(at))
    return np.asarray(np.where(sign > 0, free + log_ndtr(at), with_acute), dtype=np.float64)


def _integral(
    level: _Level, limit: FloatArray, sign: FloatArray, components: Components, low: FloatArray, high: FloatArray
) -> FloatArray:
    """Return the integral of the censored samples' probability over the usual level from `low` to `high`.

    Both ends in standard deviations of the level about its mean.
    """
    result = np.empty(low.size)
    for first in range(0, low.size, CHUNK):
        rows = slice(first, first + CHUNK)
        at, weight = _nodes(low[rows], high[rows])
        usual = level.mean[rows, None] + np.sqrt(level.variance[rows, None]) * at
        product = weight * np.exp(-0.5 * at * at - 0.5 * LOG_TWO_PI)
        for column in range(limit.shape[1]):
            side = sign[rows, column, None]
            inside = ndtr(side * (limit[rows, column, None] - usual) / components.within)
            product *= np.where(side > 0, 0.0, components.acute) + (1 - components.acute) * inside
        result[rows] = product.sum(axis=1)
    return result


def _nodes(low: FloatArray, high: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return nodes and weights, shape (persons, nodes), of panels of equal width."""
    node, weight = np.polynomial.legendre.leggauss(NODES)
    places = (np.arange(PANELS)[:, None] + 0.5 * (node + 1)).ravel() / PANELS
    width = (high - low)[:, None]
    return low[:, None] + width * places, width * np.tile(weight, PANELS) * 0.5 / PANELS


def site_sums(values: FloatArray, group: IntArray, number: int) -> FloatArray:
    """Return sums by site, in the order of the persons."""
    return np.asarray(np.bincount(group, values, number), dtype=np.float64)
