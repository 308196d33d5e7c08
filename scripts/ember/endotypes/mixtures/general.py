"""One step of EM where analytes are correlated within a class: people are taken by what is known of them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from ember.endotypes.mixtures.orthant import LOG_2_PI, truncated
from ember.endotypes.mixtures.parameters import LEAST_PEOPLE, Mixtures, constrained
from ember.endotypes.mixtures.responsibilities import shared_out
from ember.endotypes.mixtures.values import ABOVE, BELOW, EXACT, MISSING, BoolArray, FloatArray, IntArray, Values
from ember.errors import EmberError

MOST_CENSORED = 3
"""Beyond three directions the normal probability has no quick and exact form."""


class General:
    """Expectation and maximisation under full covariances, one for all classes or one for each.

    Notes
    -----
    People in one cell have the same analytes exact, censored and missing, and the same shifts. Within a cell the
    exact part is a quadratic form, computed for all mixtures as one matrix product; a censored part adds the
    probability of its limits given the exact values, and its truncated moments; a missing part needs no person at
    all: its expectations follow from the sums over the cell (Little and Rubin's conditional regression).
    """

    def __init__(self, values: Values, covariance: str, floor: float) -> None:
        self.people, self.analytes = values.people, values.analytes
        self.covariance, self.floor = covariance, floor
        self.groups = values.groups()
        self.cells = _cells(values)
        self.order = np.concatenate([cell.rows for cell in self.cells])
        self.counts = np.concatenate([cell.counts for cell in self.cells])
        ends = np.cumsum([0, *(cell.counts.size for cell in self.cells)])
        self.places = [slice(int(a), int(b)) for a, b in pairwise(ends)]
        self.spread_out = np.concatenate(
            [place.start + cell.position for cell, place in zip(self.cells, self.places, strict=True)]
        )

    def log_densities(self, mixtures: Mixtures) -> FloatArray:
        """Return the log of weight times density by participant: shape (s, k, n)."""
        found = self._expectations(mixtures)[0]
        result = np.empty((*found.shape[:2], self.people))
        result[..., self.order] = found[..., self.spread_out]
        return result

    def step(self, mixtures: Mixtures) -> tuple[Mixtures, FloatArray, BoolArray]:
        """Return the mixtures after one step, their log-likelihoods before it, and whether the floor was needed."""
        number, classes = mixtures.weights.shape
        densities, parts = self._expectations(mixtures)
        shares, likelihood = shared_out(densities, self.counts)
        flat = shares.reshape(number * classes, -1)
        moments = [
            part.moments(np.ascontiguousarray(flat[:, place])) for part, place in zip(parts, self.places, strict=True)
        ]
        people = np.sum([moment.people for moment in moments], axis=0).reshape(number, classes)
        means, shifts, covariances, floored = self._maximised(mixtures, moments, people)
        return Mixtures(people / self.people, means, covariances, shifts), likelihood, floored

    def _expectations(self, mixtures: Mixtures) -> tuple[FloatArray, list[_Part]]:
        number, classes = mixtures.weights.shape
        result = np.empty((number * classes, self.counts.size))
        logs = np.log(np.maximum(mixtures.weights, 1e-300)).reshape(-1, 1)
        covariances = mixtures.covariances.reshape(number * classes, self.analytes, self.analytes)
        parts = []
        for cell, place in zip(self.cells, self.places, strict=True):
            centre = mixtures.means + self._shift(cell, mixtures.shifts)[:, None, :]
            part = _Part(cell, centre.reshape(number * classes, -1), covariances)
            result[:, place] = part.log_density + logs
            parts.append(part)
        return result.reshape(number, classes, -1), parts

    def _shift(self, cell: Cell, shifts: FloatArray) -> FloatArray:
        padded = np.concatenate([np.zeros((shifts.shape[0], 1)), shifts], axis=1)
        return np.asarray(padded[:, cell.shifts])

    def _maximised(
        self, mixtures: Mixtures, moments: list[Moments], people: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, BoolArray]:
        number, classes, size = mixtures.means.shape
        shifts = self._new_shifts(mixtures, moments)
        counts = [moment.people.reshape(number, classes) for moment in moments]
        away = [moment.first.reshape(number, classes, size) for moment in moments]
        moved = [self._shift(cell, shifts) - self._shift(cell, mixtures.shifts) for cell in self.cells]
        total = sum(
            one - count[..., None] * step[:, None, :] for one, count, step in zip(away, counts, moved, strict=True)
        )
        change = total / np.maximum(people, LEAST_PEOPLE)[..., None]
        scatter = np.zeros((number, classes, size, size))
        for moment, first, count, step in zip(moments, away, counts, moved, strict=True):
            by = change + step[:, None, :]
            cross = first[..., :, None] * by[..., None, :]
            scatter += moment.second.reshape(scatter.shape) - cross - cross.swapaxes(-1, -2)
            scatter += count[..., None, None] * by[..., :, None] * by[..., None, :]
        covariances, floored = constrained(scatter, people, self.covariance, self.floor)
        return mixtures.means + change, shifts, covariances, floored

    def _new_shifts(self, mixtures: Mixtures, moments: list[Moments]) -> FloatArray:
        """Return the shifts that fit best at the old means and covariances: generalised least squares."""
        number, classes, size = mixtures.means.shape
        wanted = mixtures.shifts.shape[1]
        if wanted == 0:
            return mixtures.shifts
        precision = np.linalg.inv(mixtures.covariances)
        left, right = np.zeros((number, wanted, wanted)), np.zeros((number, wanted))
        for cell, moment in zip(self.cells, moments, strict=True):
            chosen = np.flatnonzero(cell.shifts)
            if not chosen.size:
                continue
            at = cell.shifts[chosen] - 1
            count = moment.people.reshape(number, classes)
            pull = np.einsum("skij,skj->si", precision, moment.first.reshape(number, classes, size))
            weight = np.einsum("sk,skij->sij", count, precision)
            right[:, at] += pull[:, chosen]
            left[:, at[:, None], at] += weight[:, chosen[:, None], chosen]
        return np.asarray(mixtures.shifts + np.linalg.solve(left, right[..., None])[..., 0])


@dataclass(frozen=True)
class Cell:
    """People of whom the same things are known; rows that are equal are kept once and counted.

    Parameters
    ----------
    rows : ndarray of int
        Participants; `position` says which kept row stands for each.
    exact, censored, missing : ndarray of int
        Analytes by kind.
    value : ndarray, shape (p, m)
    sign : ndarray, shape (c,)
        1 for a limit above the value and -1 for one below it.
    shifts : ndarray of int, shape (p,)
        Position of the shift of each analyte, 0 for none.
    features : ndarray, shape (f, m)
        Ones, exact values and their products.
    """

    rows: IntArray
    position: IntArray
    counts: FloatArray
    exact: IntArray
    censored: IntArray
    missing: IntArray
    value: FloatArray
    sign: FloatArray
    shifts: IntArray
    features: FloatArray


def _cells(values: Values) -> list[Cell]:
    first = np.cumsum([0, *(groups - 1 for groups in values.groups()[:-1])])
    group = np.where(values.kind == MISSING, 0, values.group)
    position = np.where(group > 0, first + group, 0)
    keys, cell_of = np.unique(np.hstack([values.kind, position]), axis=0, return_inverse=True)
    cells = []
    for number, key in enumerate(keys):
        kind, shifts = key[: values.analytes], key[values.analytes :]
        rows = np.flatnonzero(cell_of.reshape(-1) == number)
        cells.append(_cell(values.value[rows], kind, shifts, rows))
    return cells


def _cell(value: FloatArray, kind: IntArray, shifts: IntArray, rows: IntArray) -> Cell:
    exact = np.flatnonzero(kind == EXACT)
    censored = np.flatnonzero((kind == BELOW) | (kind == ABOVE))
    if censored.size > MOST_CENSORED:
        raise EmberError(
            f"A participant has {censored.size} analytes beyond their limits, and correlated classes take "
            f"{MOST_CENSORED} at most.",
            where="covariance",
            fix="Use `diagonal` or `diagonal_equal`, which take any number, or fewer analytes.",
        )
    kept, position, counts = value, np.arange(rows.size), np.ones(rows.size)
    if not exact.size:
        kept, position, number = np.unique(value, axis=0, return_inverse=True, return_counts=True)
        position, counts = position.reshape(-1), number.astype(np.float64)
    known = kept[:, exact].T
    at, across = np.tril_indices(exact.size)
    features = np.concatenate([np.ones((1, kept.shape[0])), known, known[at] * known[across]])
    return Cell(
        rows, position, counts, exact, censored, np.flatnonzero(kind == MISSING), np.ascontiguousarray(kept.T),
        np.where(kind[censored] == BELOW, 1.0, -1.0), shifts, np.ascontiguousarray(features),
    )  # fmt: skip


@dataclass(frozen=True)
class Moments:
    """Expected sums over a cell about the old centre: people (b,), first (b, p), second (b, p, p)."""

    people: FloatArray
    first: FloatArray
    second: FloatArray


class _Part:
    """A cell under given parameters: centre (b, p), covariance (b, p, p)."""

    def __init__(self, cell: Cell, centre: FloatArray, covariance: FloatArray) -> None:
        self.cell, self.centre, self.covariance = cell, centre, covariance
        exact, censored = cell.exact, cell.censored
        self.inverse = np.linalg.inv(covariance[:, exact[:, None], exact])
        self.log_density = self._exact_density()
        if censored.size:
            self.slope = covariance[:, censored[:, None], exact] @ self.inverse
            left = covariance[:, censored[:, None], censored] - self.slope @ covariance[:, exact[:, None], censored]
            away = self.slope @ centre[:, exact, None]
            self.expected = self.slope @ cell.value[exact] + (centre[:, censored, None] - away)
            sign = cell.sign[:, None]
            limit = sign * (cell.value[censored] - self.expected)
            self.found = truncated(limit, left * (sign * sign.T))
            self.log_density = self.log_density + self.found.log_probability

    def _exact_density(self) -> FloatArray:
        cell, exact = self.cell, self.cell.exact
        centre = self.centre[:, exact]
        pull = (self.inverse @ centre[..., None])[..., 0]
        at, across = np.tril_indices(exact.size)
        determinant = np.linalg.slogdet(self.inverse)[1] if exact.size else 0.0
        coefficients = np.empty((centre.shape[0], cell.features.shape[0]))
        coefficients[:, 0] = (determinant - (pull * centre).sum(axis=1) - exact.size * LOG_2_PI) / 2
        coefficients[:, 1 : 1 + exact.size] = pull
        coefficients[:, 1 + exact.size :] = np.where(at == across, -0.5, -1.0) * self.inverse[:, at, across]
        return np.asarray(coefficients @ cell.features)

    def moments(self, shares: FloatArray) -> Moments:
        """Return the expected sums under shares of shape (b, m)."""
        cell, size = self.cell, self.centre.shape[1]
        first, second = np.zeros((shares.shape[0], size)), np.zeros((shares.shape[0], size, size))
        exact, censored = cell.exact, cell.censored
        sums = shares @ cell.features.T
        people = sums[:, 0]
        total = sums[:, 1 : 1 + exact.size]
        at, across = np.tril_indices(exact.size)
        square = np.zeros((shares.shape[0], exact.size, exact.size))
        square[:, at, across] = square[:, across, at] = sums[:, 1 + exact.size :]
        first[:, exact], second[:, exact[:, None], exact] = _about(people, total, square, self.centre[:, exact])
        if censored.size:
            self._add_censored(shares, first, second)
        if cell.missing.size:
            self._add_missing(people, first, second)
        return Moments(people, first, second)

    def _add_censored(self, shares: FloatArray, first: FloatArray, second: FloatArray) -> None:
        cell, exact, censored = self.cell, self.cell.exact, self.cell.censored
        sign = cell.sign[:, None]
        ahead = self.expected - self.centre[:, censored, None]
        away = ahead + sign * self.found.mean
        weighted = shares[:, None, :] * away
        first[:, censored] = weighted.sum(axis=-1)
        known = cell.value[exact]
        mixed = weighted @ known.T - first[:, censored, None] * self.centre[:, None, exact]
        second[:, censored[:, None], exact] = mixed
        second[:, exact[:, None], censored] = mixed.swapaxes(-1, -2)
        inner = self.found.second * (sign * sign.T)[..., None]
        cross = ahead[:, :, None] * (sign * self.found.mean)[:, None]
        inner = inner + ahead[:, :, None] * ahead[:, None] + cross + cross.swapaxes(1, 2)
        second[:, censored[:, None], censored] = np.einsum("bn,bijn->bij", shares, inner)

    def _add_missing(self, people: FloatArray, first: FloatArray, second: FloatArray) -> None:
        missing = self.cell.missing
        known = np.sort(np.concatenate([self.cell.exact, self.cell.censored]))
        inverse = np.linalg.inv(self.covariance[:, known[:, None], known])
        slope = self.covariance[:, missing[:, None], known] @ inverse
        left = self.covariance[:, missing[:, None], missing] - slope @ self.covariance[:, known[:, None], missing]
        inner = second[:, known[:, None], known]
        first[:, missing] = (slope @ first[:, known, None])[..., 0]
        mixed = slope @ inner
        second[:, missing[:, None], known] = mixed
        second[:, known[:, None], missing] = mixed.swapaxes(-1, -2)
        second[:, missing[:, None], missing] = mixed @ slope.swapaxes(-1, -2) + people[:, None, None] * left


def _about(
    people: FloatArray, total: FloatArray, square: FloatArray, centre: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return sums and sums of products about a centre instead of nought."""
    first = total - people[:, None] * centre
    cross = total[:, :, None] * centre[:, None, :]
    second = square - cross - cross.swapaxes(1, 2)
    second += people[:, None, None] * centre[:, :, None] * centre[:, None, :]
    return first, second
