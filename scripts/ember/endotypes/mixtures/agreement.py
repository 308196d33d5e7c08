"""How far two classifications of the same people agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ember.endotypes.mixtures.labels import cross_table
from ember.endotypes.mixtures.values import FloatArray, IntArray


@dataclass(frozen=True)
class Agreement:
    """Counts by two classifications, adjusted Rand index, and kappa where both have the same classes (else nan)."""

    table: IntArray
    adjusted_rand: float
    kappa: float


def agreement(first: IntArray, second: IntArray, rows: int, columns: int) -> Agreement:
    """Return the agreement of two classifications; people whom either leaves out (-1) are left out."""
    table = cross_table(first, second, rows, columns)
    return Agreement(table, adjusted_rand(table), kappa(table))


def adjusted_rand(table: IntArray) -> float:
    """Return the adjusted Rand index of a table of counts (Hubert and Arabie 1985); nan without two people."""
    total = _pairs(np.array([table.sum()], dtype=np.float64))
    if total == 0:
        return float("nan")
    within = _pairs(table.astype(np.float64))
    rows, columns = _pairs(table.sum(axis=1).astype(np.float64)), _pairs(table.sum(axis=0).astype(np.float64))
    expected, largest = rows * columns / total, (rows + columns) / 2
    return 1.0 if largest == expected else (within - expected) / (largest - expected)


def _pairs(counts: FloatArray) -> float:
    return float((counts * (counts - 1) / 2).sum())


def kappa(table: IntArray) -> float:
    """Return Cohen's kappa of a square table; nan where it is not square or chance alone agrees on everything."""
    total = float(table.sum())
    if table.shape[0] != table.shape[1] or total == 0:
        return float("nan")
    observed = float(np.trace(table)) / total
    expected = float((table.sum(axis=1) * table.sum(axis=0)).sum()) / total**2
    return float("nan") if expected == 1 else (observed - expected) / (1 - expected)
