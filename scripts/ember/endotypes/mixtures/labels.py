"""Names of classes that stay the same: in the order of inflammation, and none where assays make the classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ember.endotypes.mixtures.parameters import Mixtures
from ember.endotypes.mixtures.values import FloatArray, IntArray

MOST_ASSOCIATION = 0.3
"""Cramer's V between class and assay above which classes carry no label."""


def anchored(mixture: Mixtures, anchor: int | None) -> Mixtures:
    """Return a mixture with its classes in rising order of the anchor.

    Parameters
    ----------
    mixture : Mixtures
        One mixture, on a standardised scale.
    anchor : int, optional
        Analyte by whose class mean the classes are ordered; the mean over analytes where none is given.
    """
    height = mixture.means[0].mean(axis=1) if anchor is None else mixture.means[0, :, anchor]
    order = np.argsort(height, kind="stable")
    return Mixtures(
        mixture.weights[:, order], mixture.means[:, order], mixture.covariances[:, order], mixture.shifts.copy()
    )


def class_names(number: int) -> list[str]:
    """Return the neutral names of classes, the least inflamed first."""
    return [f"class_{one + 1}" for one in range(number)]


def class_labels(number: int, anchor: str) -> list[str]:
    """Return labels in words, the least inflamed first."""
    if number == 1:
        return ["everybody"]
    middle = ["middle"] if number == 3 else [f"{one + 2} of {number}" for one in range(number - 2)]
    return [f"{word} {anchor}" for word in ["lowest", *middle, "highest"]]


def cross_table(first: IntArray, second: IntArray, rows: int, columns: int) -> IntArray:
    """Return counts by two classifications; people with a negative number in either are left out."""
    both = (first >= 0) & (second >= 0)
    counts = np.bincount(first[both] * columns + second[both], minlength=rows * columns)
    return counts.reshape(rows, columns).astype(np.int64)


def cramers_v(table: IntArray) -> float:
    """Return Cramer's V of a table of counts; 0 where it has but one row or column with people."""
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    least = min(table.shape) - 1
    if least < 1:
        return 0.0
    total = table.sum()
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / total
    chi_square = float(((table - expected) ** 2 / expected).sum())
    return float(np.sqrt(chi_square / (total * least)))


def assay_association(assigned: IntArray, assays: Sequence[IntArray], classes: int) -> list[float]:
    """Return Cramer's V of class and assay for each analyte; assays are numbers, -1 where there is no value."""
    return [cramers_v(cross_table(assigned, assay, classes, int(assay.max(initial=0)) + 1)) for assay in assays]


def agreement_matrix(posterior: FloatArray) -> FloatArray:
    """Return by true class (rows) the probability of being assigned to each class (columns), from posteriors."""
    classes = posterior.shape[1]
    modal = (posterior.argmax(axis=1)[:, None] == np.arange(classes)).astype(np.float64)
    size = posterior.sum(axis=0)
    return np.asarray((posterior.T @ modal) / np.where(size > 0, size, 1.0)[:, None])
