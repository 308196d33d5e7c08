"""One step of EM where analytes are independent within a class: two matrix products for all people and classes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from scipy import special

from ember.endotypes.mixtures.orthant import LOG_2_PI
from ember.endotypes.mixtures.parameters import LEAST_PEOPLE, Mixtures, constrained
from ember.endotypes.mixtures.responsibilities import shared_out
from ember.endotypes.mixtures.values import ABOVE, BELOW, EXACT, BoolArray, FloatArray, IntArray, Values


class Diagonal:
    """Expectation and maximisation under diagonal covariances.

    Notes
    -----
    The log density of a participant in a class is linear in what is known of the participant: ones, values and
    squares of what is exact, and one indicator for each distinct limit below or above which a value lies. So the
    expectations of all people in all classes of many mixtures are one matrix product, and the sums that the
    maximisation needs are another. A missing value adds nothing to either: the likelihood is that of what was
    observed. A censored value enters by the normal distribution function and the moments of the truncated normal.
    """

    def __init__(self, values: Values, covariance: str, floor: float) -> None:
        self.people, self.analytes = values.people, values.analytes
        self.covariance, self.floor = covariance, floor
        self.groups = values.groups()
        self.columns = [_Columns(values, one) for one in range(values.analytes)]
        blocks = [np.ones((1, values.people)), *(column.features for column in self.columns)]
        self.features = np.ascontiguousarray(np.concatenate(blocks))
        starts = np.cumsum([1, *(column.features.shape[0] for column in self.columns)])
        self.slices = [slice(int(a), int(b)) for a, b in pairwise(starts)]

    def log_densities(self, mixtures: Mixtures) -> FloatArray:
        """Return the log of weight times density: shape (s, k, n)."""
        number, classes = mixtures.weights.shape
        coefficients = np.empty((number * classes, self.features.shape[0]))
        coefficients[:, 0] = np.log(np.maximum(mixtures.weights, 1e-300)).reshape(-1)
        variance = np.diagonal(mixtures.covariances, axis1=2, axis2=3)
        for one, (column, place) in enumerate(zip(self.columns, self.slices, strict=True)):
            centre = self._centres(mixtures, one)
            coefficients[:, place] = column.coefficients(centre, variance[..., one].reshape(-1, 1))
        return np.asarray((coefficients @ self.features).reshape(number, classes, self.people))

    def step(self, mixtures: Mixtures) -> tuple[Mixtures, FloatArray, BoolArray]:
        """Return the mixtures after one step, their log-likelihoods before it, and whether the floor was needed."""
        number, classes = mixtures.weights.shape
        shares, likelihood = shared_out(self.log_densities(mixtures))
        sums = shares.reshape(number * classes, self.people) @ self.features.T
        people = sums[:, 0].reshape(number, classes)
        means, shifts = mixtures.means.copy(), mixtures.shifts.copy()
        scatter = np.zeros(mixtures.covariances.shape)
        variance = np.diagonal(mixtures.covariances, axis1=2, axis2=3)
        first = 0
        for one, (column, place) in enumerate(zip(self.columns, self.slices, strict=True)):
            spread = variance[..., one]
            moments = column.moments(sums[:, place], self._centres(mixtures, one), spread.reshape(-1, 1))
            counted, total, square, unseen = (part.reshape(number, classes, -1) for part in moments)
            old = np.zeros((number, self.groups[one]))
            old[:, 1:] = shifts[:, first : first + self.groups[one] - 1]
            new = self._shift(old, mixtures.means[..., one], spread, counted, total)
            shifts[:, first : first + self.groups[one] - 1] = new[:, 1:]
            first += self.groups[one] - 1
            # People without the value stand at the old class mean with the class's spread.
            absent = unseen[..., 0]
            there = counted.sum(axis=-1)
            centred = (total - counted * new[:, None, :]).sum(axis=-1)
            mean = (centred + absent * mixtures.means[..., one]) / np.maximum(there + absent, LEAST_PEOPLE)
            means[..., one] = mean
            at = mean[..., None] + new[:, None, :]
            about = (square - 2 * at * total + at**2 * counted).sum(axis=-1)
            about += absent * (spread + (mixtures.means[..., one] - mean) ** 2)
            scatter[..., one, one] = about
        covariances, floored = constrained(scatter, people, self.covariance, self.floor)
        return Mixtures(people / self.people, means, covariances, shifts), likelihood, floored

    def _centres(self, mixtures: Mixtures, one: int) -> FloatArray:
        """Return the expected value by class and group: shape (s k, g)."""
        first = sum(groups - 1 for groups in self.groups[:one])
        number, classes = mixtures.weights.shape
        shift = np.zeros((number, 1, self.groups[one]))
        shift[:, 0, 1:] = mixtures.shifts[:, first : first + self.groups[one] - 1]
        return np.asarray((mixtures.means[..., one, None] + shift).reshape(number * classes, -1))

    def _shift(
        self, old: FloatArray, means: FloatArray, variance: FloatArray, counted: FloatArray, total: FloatArray
    ) -> FloatArray:
        if old.shape[1] == 1:
            return old
        precision = (counted / variance[..., None]).sum(axis=1)
        pull = ((total - counted * means[..., None]) / variance[..., None]).sum(axis=1)
        new = np.where(precision > 0, pull / np.where(precision > 0, precision, 1.0), old)
        new[:, 0] = 0.0
        return new


class _Columns:
    """What is known of one analyte, as rows of features: group by group ones, values, squares; then the limits."""

    def __init__(self, values: Values, one: int) -> None:
        kind, value, group = values.kind[:, one], values.value[:, one], values.group[:, one]
        self.groups = int(group.max(initial=0)) + 1
        exact = kind == EXACT
        rows: list[FloatArray] = []
        for number in range(self.groups):
            here = (exact & (group == number)).astype(np.float64)
            rows += [here, here * value, here * value**2]
        censored = (kind == BELOW) | (kind == ABOVE)
        found, limit_of = np.unique(np.column_stack([group, kind, value])[censored], axis=0, return_inverse=True)
        self.limit_group: IntArray = found[:, 0].astype(np.int64)
        self.side = np.where(found[:, 1] == BELOW, 1.0, -1.0)
        self.limit = found[:, 2]
        indicators = np.zeros((found.shape[0], values.people))
        indicators[limit_of.reshape(-1), np.flatnonzero(censored)] = 1.0
        missing = (~(exact | censored)).astype(np.float64)
        self.features = np.vstack([*rows, indicators, missing[None, :]])

    def coefficients(self, centre: FloatArray, variance: FloatArray) -> FloatArray:
        """Return by what each feature is multiplied in the log density: centre (b, g), variance (b, 1)."""
        result = np.zeros((centre.shape[0], self.features.shape[0]))
        end = 3 * self.groups
        result[:, 0:end:3] = -(centre**2 / variance + np.log(variance) + LOG_2_PI) / 2
        result[:, 1:end:3] = centre / variance
        result[:, 2:end:3] = -0.5 / variance
        result[:, end:-1] = special.log_ndtr(self._at(centre, variance))
        return result

    def _at(self, centre: FloatArray, variance: FloatArray) -> FloatArray:
        return np.asarray(self.side * (self.limit - centre[:, self.limit_group]) / np.sqrt(variance))

    def moments(
        self, sums: FloatArray, centre: FloatArray, variance: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return expected counts, sums and sums of squares by group, each (b, g), and the number without a value."""
        end = 3 * self.groups
        counted, total, square = (sums[:, start:end:3].copy() for start in range(3))
        if self.limit.size:
            at = self._at(centre, variance)
            spread, there = np.sqrt(variance), centre[:, self.limit_group]
            ratio = np.exp(-(at**2) / 2 - LOG_2_PI / 2 - special.log_ndtr(at))
            mean = there - self.side * spread * ratio
            second = there**2 + variance - self.side * spread * ratio * (there + self.limit)
            number = sums[:, end:-1]
            for group in range(self.groups):
                inside = self.limit_group == group
                counted[:, group] += number[:, inside].sum(axis=1)
                total[:, group] += (number * mean)[:, inside].sum(axis=1)
                square[:, group] += (number * second)[:, inside].sum(axis=1)
        return counted, total, square, sums[:, -1:]
