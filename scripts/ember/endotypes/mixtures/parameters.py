"""Parameters of many mixtures at once: what one step of the algorithm takes and gives."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from ember.endotypes.mixtures.values import BoolArray, FloatArray, IntArray

COVARIANCES = MappingProxyType({"diagonal_equal": "EEI", "diagonal": "VVI", "shared": "EEE", "full": "VVV"})
"""Forms of the classes' covariances, and what mclust calls them."""
EQUAL = ("diagonal_equal", "shared")
DIAGONAL = ("diagonal_equal", "diagonal")
LEAST_PEOPLE = 1e-8


@dataclass(frozen=True)
class Mixtures:
    """Parameters of s mixtures of k classes on p analytes.

    Parameters
    ----------
    weights : ndarray, shape (s, k)
    means : ndarray, shape (s, k, p)
    covariances : ndarray, shape (s, k, p, p)
    shifts : ndarray, shape (s, q)
        Analyte after analyte, the groups beyond the reference in order.
    """

    weights: FloatArray
    means: FloatArray
    covariances: FloatArray
    shifts: FloatArray

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.weights.shape[1])

    @property
    def analytes(self) -> int:
        """Number of analytes."""
        return int(self.means.shape[2])

    def take(self, which: IntArray | BoolArray) -> Mixtures:
        """Return some of the mixtures."""
        return Mixtures(self.weights[which], self.means[which], self.covariances[which], self.shifts[which])

    def put(self, which: IntArray | BoolArray, others: Mixtures) -> None:
        """Write other mixtures over some of these, in place."""
        self.weights[which], self.means[which] = others.weights, others.means
        self.covariances[which], self.shifts[which] = others.covariances, others.shifts

    def copy(self) -> Mixtures:
        """Return mixtures that share nothing with these."""
        return Mixtures(self.weights.copy(), self.means.copy(), self.covariances.copy(), self.shifts.copy())


def joined(parts: list[Mixtures]) -> Mixtures:
    """Return mixtures of one size one after the other."""
    return Mixtures(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("weights", "means", "covariances", "shifts")
        )
    )


def free_parameters(classes: int, analytes: int, shifts: int, covariance: str) -> int:
    """Return how many numbers a mixture is free to choose."""
    one = analytes if covariance in DIAGONAL else analytes * (analytes + 1) // 2
    return classes - 1 + classes * analytes + shifts + (one if covariance in EQUAL else one * classes)


def packed(mixtures: Mixtures, covariance: str) -> FloatArray:
    """Return the mixtures as rows of unconstrained numbers: log weights, means, log Cholesky factors, shifts."""
    number, _, analytes = mixtures.means.shape
    kept = mixtures.covariances[:, :1] if covariance in EQUAL else mixtures.covariances
    if covariance in DIAGONAL:
        spread = np.log(np.diagonal(kept, axis1=2, axis2=3)).reshape(number, -1)
    else:
        factor = np.linalg.cholesky(kept)
        rows, columns = np.tril_indices(analytes)
        lower = factor[..., rows, columns]
        spread = np.where(rows == columns, np.log(np.maximum(lower, 1e-300)), lower).reshape(number, -1)
    logs = np.log(np.maximum(mixtures.weights, 1e-300))
    return np.concatenate([logs, mixtures.means.reshape(number, -1), spread, mixtures.shifts], axis=1)


def unpacked(rows: FloatArray, classes: int, analytes: int, covariance: str) -> Mixtures:
    """Return the mixtures behind rows of unconstrained numbers."""
    number = rows.shape[0]
    kept = 1 if covariance in EQUAL else classes
    size = analytes if covariance in DIAGONAL else analytes * (analytes + 1) // 2
    cuts = np.cumsum([classes, classes * analytes, kept * size])
    logs, means, spread, shifts = np.split(rows, cuts, axis=1)
    weights = np.exp(logs - logs.max(axis=1, keepdims=True))
    spread = spread.reshape(number, kept, size)
    covariances = np.zeros((number, kept, analytes, analytes))
    if covariance in DIAGONAL:
        covariances[..., np.arange(analytes), np.arange(analytes)] = np.exp(np.clip(spread, -60, 60))
    else:
        at, across = np.tril_indices(analytes)
        factor = np.zeros_like(covariances)
        factor[..., at, across] = np.where(at == across, np.exp(np.clip(spread, -30, 30)), spread)
        covariances = factor @ factor.swapaxes(-1, -2)
    return Mixtures(
        weights / weights.sum(axis=1, keepdims=True),
        means.reshape(number, classes, analytes),
        np.ascontiguousarray(np.broadcast_to(covariances, (number, classes, analytes, analytes))),
        shifts.copy(),
    )


def constrained(scatter: FloatArray, people: FloatArray, covariance: str, floor: float) -> tuple[FloatArray, BoolArray]:
    """Return covariances of a form from scatter matrices, none narrower than the floor in any direction.

    Parameters
    ----------
    scatter : ndarray, shape (s, k, p, p)
        Sums of squares and products about the class means.
    people : ndarray, shape (s, k)
        Expected class sizes.
    covariance : str
        A key of COVARIANCES.
    floor : float
        Least variance (eigenvalue of a full matrix), in squared standard deviations of the analytes.

    Returns
    -------
    covariances : ndarray, shape (s, k, p, p)
    floored : ndarray of bool, shape (s,)
        Whether the floor was needed: the likelihood of an unbounded mixture has no maximum there.
    """
    analytes = scatter.shape[-1]
    if covariance in EQUAL:
        scatter = np.broadcast_to(scatter.sum(axis=1, keepdims=True), scatter.shape)
        people = np.broadcast_to(people.sum(axis=1, keepdims=True), people.shape)
    result: FloatArray = scatter / np.maximum(people, LEAST_PEOPLE)[..., None, None]
    if covariance in DIAGONAL:
        variance = np.diagonal(result, axis1=2, axis2=3)
        floored: BoolArray = np.asarray((variance < floor).any(axis=(1, 2)))
        result = np.zeros(scatter.shape)
        result[..., np.arange(analytes), np.arange(analytes)] = np.maximum(variance, floor)
        return result, floored
    result = (result + result.swapaxes(-1, -2)) / 2
    result[people < LEAST_PEOPLE] = np.eye(analytes)
    least = np.linalg.eigvalsh(result)[..., 0] < floor
    if least.any():
        values, vectors = np.linalg.eigh(result[least])
        result[least] = (vectors * np.maximum(values, floor)[:, None, :]) @ vectors.swapaxes(-1, -2)
    floored = np.asarray(least.any(axis=1))
    return result, floored
