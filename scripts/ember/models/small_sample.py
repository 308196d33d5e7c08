"""CR2: the cluster covariance for few sites, with Satterthwaite degrees of freedom, from per-site moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_NULL = 1e-10
"""Eigenvalues below this share of the largest are zero."""


@dataclass(frozen=True)
class Satterthwaite:
    """What the degrees of freedom of any contrast need.

    Parameters
    ----------
    own : ndarray, shape (G, p, p)
        X'A A X of each cluster, A its adjustment.
    shared : ndarray, shape (G, p, p)
        X'A X of each cluster.
    bread : ndarray, shape (p, p)
        Inverse of X'X.
    """

    own: FloatArray
    shared: FloatArray
    bread: FloatArray

    def df(self, vector: FloatArray) -> float:
        """Return the degrees of freedom of a contrast: twice its squared mean over its variance."""
        direction = self.bread @ vector
        reached = self.shared @ direction
        gram = np.diag(np.einsum("j,gjk,k->g", direction, self.own, direction)) - reached @ self.bread @ reached.T
        square = float((gram**2).sum())
        return float(np.trace(gram)) ** 2 / square if square > 0 else float("nan")


def cr2_covariance(
    cross_products: Sequence[FloatArray], scores: Sequence[FloatArray], bread: FloatArray
) -> tuple[FloatArray, Satterthwaite]:
    """Return the CR2 covariance and the degrees of freedom of its contrasts.

    Parameters
    ----------
    cross_products : sequence of ndarray, each (p, p)
        X'X (or X'WX) of each cluster.
    scores : sequence of ndarray, each (p,)
        X' (or X'W) times the residuals of each cluster.
    bread : ndarray, shape (p, p)
        Inverse of the summed cross-products.

    Notes
    -----
    Bell and McCaffrey (2002), Pustejovsky and Tipton (2018), with equal error variances (or 1/weight) and
    independence as working model. The adjustment (I - H)^(-1/2) of a cluster acts only on the columns' span,
    so p x p matrices suffice and no row is needed. Directions that a cluster's own fixed effect fits exactly
    are left out (Moore-Penrose).
    """
    middle = np.zeros_like(bread)
    own, shared = [], []
    for square, score in zip(cross_products, scores, strict=True):
        root, inverse_root = _roots(square)
        adjustment, adjustment_square = _adjustments(root @ bread @ root.T)
        adjusted = root.T @ adjustment @ inverse_root @ score
        middle = middle + np.outer(adjusted, adjusted)
        own.append(root.T @ adjustment_square @ root)
        shared.append(root.T @ adjustment @ root)
    return bread @ middle @ bread, Satterthwaite(np.array(own), np.array(shared), bread)


def _roots(square: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return R with R'R = X'X and full row rank, and the pseudo-inverse of R'."""
    scale = np.sqrt(np.where(np.diag(square) > 0, np.diag(square), 1.0))
    values, vectors = np.linalg.eigh(square / np.outer(scale, scale))
    kept = values > _NULL * values[-1]
    lengths = np.sqrt(values[kept])
    root = (vectors[:, kept] * lengths).T * scale
    # The pseudo-inverse of R' on the score, which lies in the span of X'.
    return root, np.asarray((vectors[:, kept] / lengths).T / scale, dtype=np.float64)


def _adjustments(leverage: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return (I - leverage)^(-1/2) and (I - leverage)^(-1) on what the cluster does not fit exactly."""
    values, vectors = np.linalg.eigh(np.eye(leverage.shape[0]) - leverage)
    kept = values > 1e-8
    inverse = np.where(kept, 1.0 / np.where(kept, values, 1.0), 0.0)
    return (vectors * np.sqrt(inverse)) @ vectors.T, (vectors * inverse) @ vectors.T
