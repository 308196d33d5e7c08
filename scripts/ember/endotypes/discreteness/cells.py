"""Samples as counts in cells of one grid, so that a likelihood costs the same for a hundred people as for a million."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ember.endotypes.cuts import BoolArray, FloatArray, IntArray

LOWEST, HIGHEST, WIDTH = -6.0, 9.0, 0.2
EDGES = np.linspace(LOWEST, HIGHEST, round((HIGHEST - LOWEST) / WIDTH) + 1)
"""Edges of the cells in standard deviations; what lies beyond belongs to the outermost cells, which have no end."""

INNER = EDGES[1:-1]
FLOOR = 1e-12
MOST_STEPS = 60
CLOSE = 1e-3


@dataclass(frozen=True)
class Cells:
    """Samples of the same quantity, one a row.

    Attributes
    ----------
    exact : ndarray, shape (r, m)
        Values in each of the m cells.
    left, right : ndarray, shape (r, m - 1)
        Values known only to lie below, or above, each inner edge.
    """

    exact: FloatArray
    left: FloatArray
    right: FloatArray

    @property
    def n(self) -> FloatArray:
        return np.asarray(self.exact.sum(axis=1) + self.left.sum(axis=1) + self.right.sum(axis=1))


Shape = Callable[[FloatArray], tuple[FloatArray, FloatArray]]
"""Takes parameters (r, p); returns the distribution function at the inner edges, and its slopes with p in front."""


def count_cells(value: FloatArray, left: BoolArray | None = None, right: BoolArray | None = None) -> Cells:
    """Return the counts of samples.

    Parameters
    ----------
    value : ndarray, shape (r, n)
        In standard deviations; the limit where censored; nan where missing.
    left, right : ndarray of bool, shape (r, n), optional
        Known only to lie below, or above, the value; the limit is moved to the nearest edge.
    """
    samples, size = value.shape[0], INNER.size
    none = np.zeros(value.shape, dtype=bool)
    left = none if left is None else left
    right = none if right is None else right
    row = np.broadcast_to(np.arange(samples)[:, None], value.shape)
    there = ~np.isnan(value)
    scaled = np.where(there, (np.nan_to_num(value) - LOWEST) / WIDTH, 0.0)
    cell = np.clip(np.floor(scaled), 0, size).astype(np.int64)
    edge = np.clip(np.rint(scaled) - 1, 0, size - 1).astype(np.int64)

    def counted(place: IntArray, mask: BoolArray, width: int) -> FloatArray:
        flat = row[mask] * width + place[mask]
        return np.bincount(flat, minlength=samples * width).reshape(samples, width).astype(np.float64)

    exact = there & ~left & ~right
    return Cells(counted(cell, exact, size + 1), counted(edge, there & left, size), counted(edge, there & right, size))


def log_likelihood(cells: Cells, below: FloatArray) -> FloatArray:
    """Return the log-likelihood of each sample given the distribution function at the inner edges (r, m - 1)."""
    mass, under, over = _probabilities(below)
    told = (cells.exact * np.log(mass)).sum(axis=1)
    if cells.left.any():
        told += (cells.left * np.log(under)).sum(axis=1)
    if cells.right.any():
        told += (cells.right * np.log(over)).sum(axis=1)
    return np.asarray(told)


def maximise(cells: Cells, shape: Shape, start: FloatArray, steps: int = MOST_STEPS) -> tuple[FloatArray, FloatArray]:
    """Return the parameters (r, p) of greatest likelihood near a start, and the log-likelihoods (r,).

    Notes
    -----
    Scoring with the cross-products of the scores as information, damped as by Levenberg and Marquardt: all samples
    take their steps together, and a step that lowers the likelihood is taken back and damped more.
    """
    parameters = start.copy()
    below, slopes = shape(parameters)
    best = log_likelihood(cells, below)
    damping = np.full(best.shape, 1e-2)
    active = np.ones(best.shape, dtype=bool)
    for _ in range(steps):
        at = np.flatnonzero(active)
        part = Cells(cells.exact[at], cells.left[at], cells.right[at])
        step = _step(part, below[at], slopes[:, at], damping[at])
        moved_to = parameters[at] + step
        moved_below, moved_slopes = shape(moved_to)
        told = log_likelihood(part, moved_below)
        better = told > best[at]
        gained = np.where(better, told - best[at], np.inf)
        good = at[better]
        parameters[good], best[good] = moved_to[better], told[better]
        below[good], slopes[:, good] = moved_below[better], moved_slopes[:, better]
        damping[at] = np.clip(np.where(better, damping[at] / 5, damping[at] * 5), 1e-9, 1e9)
        active[at] = ~((gained < CLOSE) | (~better & (damping[at] > 1e4)))
        if not active.any():
            break
    return parameters, best


def _probabilities(below: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    ends = np.concatenate([np.zeros((below.shape[0], 1)), below, np.ones((below.shape[0], 1))], axis=1)
    mass = np.maximum(np.diff(ends, axis=1), FLOOR)
    return mass, np.maximum(below, FLOOR), np.maximum(1 - below, FLOOR)


def _step(cells: Cells, below: FloatArray, slopes: FloatArray, damping: FloatArray) -> FloatArray:
    mass, under, over = _probabilities(below)
    zero = np.zeros((*slopes.shape[:2], 1))
    of_mass = np.diff(np.concatenate([zero, slopes, zero], axis=2), axis=2) / mass
    parts = [(cells.exact, of_mass)]
    if cells.left.any():
        parts.append((cells.left, slopes / under))
    if cells.right.any():
        parts.append((cells.right, -slopes / over))
    score = sum(np.einsum("rm,prm->rp", counts, slope) for counts, slope in parts)
    information = sum(
        np.matmul((counts * slope).transpose(1, 0, 2), slope.transpose(1, 2, 0)) for counts, slope in parts
    )
    size = np.einsum("rpp->rp", information)
    ridge = damping[:, None] * np.maximum(size, 1e-8) + 1e-8
    information = information + np.eye(score.shape[1]) * ridge[:, None, :]
    return np.asarray(np.linalg.solve(information, score[:, :, None])[:, :, 0])
