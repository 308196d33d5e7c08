"""Where the climbs begin."""

from __future__ import annotations

import hashlib

import numpy as np

from ember.endotypes.mixtures.parameters import Mixtures, constrained
from ember.endotypes.mixtures.values import ABOVE, BELOW, MISSING, FloatArray, IntArray, Values

BEYOND = 0.5
"""How far beyond its limit, in standard deviations, a censored value is taken to lie for a start."""


def generator_of(seed: int, *names: object) -> np.random.Generator:
    """Return a stream of random numbers that depends on the study's seed and on what it is for."""
    text = "/".join(str(name) for name in (seed, *names))
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:16], "big"))


def stand_ins(values: Values) -> FloatArray:
    """Return a number for every value, for starts alone: beyond the limit where censored, the mean where missing."""
    result = np.where(values.kind == BELOW, values.value - BEYOND, values.value)
    result = np.where(values.kind == ABOVE, values.value + BEYOND, result)
    return np.where(values.kind == MISSING, 0.0, result)


def random_starts(
    values: Values, classes: int, covariance: str, number: int, floor: float, generator: np.random.Generator
) -> Mixtures:
    """Return mixtures around participants chosen at random.

    Notes
    -----
    Half of the starts choose participants with equal chances, and half choose each next one with a chance that
    grows with the square of its distance from those before it (Arthur and Vassilvitskii 2007). Everybody belongs to
    the nearest of them at first.
    """
    point = stand_ins(values)
    nearest = np.stack([_nearest(point, _centres(point, classes, one % 2 == 1, generator)) for one in range(number)])
    return from_classes(values, nearest, classes, covariance, floor)


def from_classes(
    values: Values, classified: IntArray, classes: int, covariance: str, floor: float, *, eased: bool = True
) -> Mixtures:
    """Return mixtures with the moments of given classes: classified has shape (s, n).

    Parameters
    ----------
    eased : bool
        Mix some of everybody's spread into that of each class: one of a person or two has none of its own yet.
    """
    point = stand_ins(values)
    number, analytes = classified.shape[0], values.analytes
    member = (classified[:, None, :] == np.arange(classes)[None, :, None]).astype(np.float64)
    people = member.sum(axis=2)
    means = (member @ point) / np.maximum(people, 1.0)[..., None]
    products = (point[:, :, None] * point[:, None, :]).reshape(values.people, -1)
    scatter = (member @ products).reshape(number, classes, analytes, analytes)
    scatter -= people[..., None, None] * means[..., :, None] * means[..., None, :]
    borrowed = (analytes + 1.0) if eased else 0.0
    scatter = scatter + borrowed * scatter.sum(axis=1, keepdims=True) / values.people
    covariances, _ = constrained(scatter, people + borrowed, covariance, floor)
    weights = (people + float(eased)) / (people + float(eased)).sum(axis=1, keepdims=True)
    return Mixtures(weights, means, covariances, np.zeros((number, sum(values.groups()) - analytes)))


def _centres(point: FloatArray, classes: int, spread: bool, generator: np.random.Generator) -> FloatArray:
    if not spread:
        return point[generator.choice(point.shape[0], classes, replace=point.shape[0] < classes)]
    chosen = [int(generator.integers(point.shape[0]))]
    distance = ((point - point[chosen[0]]) ** 2).sum(axis=1)
    for _ in range(classes - 1):
        total = distance.cumsum()
        at = int(np.searchsorted(total, generator.random() * total[-1], side="right"))
        chosen.append(min(at, point.shape[0] - 1))
        distance = np.minimum(distance, ((point - point[chosen[-1]]) ** 2).sum(axis=1))
    return point[chosen]


def _nearest(point: FloatArray, centres: FloatArray) -> IntArray:
    far = (centres**2).sum(axis=1) - 2 * point @ centres.T
    return np.asarray(far.argmin(axis=1))
