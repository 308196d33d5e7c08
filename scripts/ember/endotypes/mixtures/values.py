"""What a mixture is fitted to: log values of analytes, each exact, below or above a limit, or missing."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

EXACT, BELOW, ABOVE, MISSING = 0, 1, 2, 3
"""Kinds of a value: known, known to lie below or above it, not there."""


@dataclass(frozen=True)
class Values:
    """Values of n participants on p analytes.

    Parameters
    ----------
    value : ndarray, shape (n, p)
        On the model's scale; the limit where censored, 0 where missing.
    kind : ndarray of int, shape (n, p)
        EXACT, BELOW, ABOVE or MISSING.
    group : ndarray of int, shape (n, p)
        Which shift a value carries: 0 is the reference, whose shift is nought.
    limit_below, limit_above : ndarray, shape (n, p)
        Limits of the measurement behind each value, minus and plus infinity where none is known: a simulated value
        beyond them is censored as the real one would have been.
    """

    value: FloatArray
    kind: IntArray
    group: IntArray
    limit_below: FloatArray = field(repr=False)
    limit_above: FloatArray = field(repr=False)

    @property
    def people(self) -> int:
        """Number of participants."""
        return int(self.value.shape[0])

    @property
    def analytes(self) -> int:
        """Number of analytes."""
        return int(self.value.shape[1])

    @property
    def censored(self) -> BoolArray:
        """Return where a value is known only to lie beyond a limit."""
        return np.asarray((self.kind == BELOW) | (self.kind == ABOVE))

    def take(self, rows: IntArray) -> Values:
        """Return the values of some participants, in the order given."""
        limits = self.limit_below[rows], self.limit_above[rows]
        return Values(self.value[rows], self.kind[rows], self.group[rows], *limits)

    def ungrouped(self) -> Values:
        """Return the values without shifts."""
        return replace(self, group=np.zeros_like(self.group))

    def groups(self) -> list[int]:
        """Return the number of groups of each analyte."""
        return [int(self.group[:, one].max(initial=0)) + 1 for one in range(self.analytes)]


def exact_values(value: FloatArray) -> Values:
    """Return values without censoring or shifts; nan is missing."""
    missing = np.isnan(value)
    kind = np.where(missing, MISSING, EXACT).astype(np.int64)
    filled = np.where(missing, 0.0, value)
    none = np.full(value.shape, np.inf)
    return Values(filled, kind, np.zeros(value.shape, dtype=np.int64), -none, none)


def censored_values(
    value: FloatArray, limit_below: FloatArray, limit_above: FloatArray | None = None, group: IntArray | None = None
) -> Values:
    """Return values as a laboratory would report them: beyond a limit only the limit is known; nan is missing."""
    above = np.full(value.shape, np.inf) if limit_above is None else np.broadcast_to(limit_above, value.shape)
    below = np.broadcast_to(limit_below, value.shape)
    missing, low, high = np.isnan(value), value < below, value > above
    kind = np.select([missing, low, high], [MISSING, BELOW, ABOVE], EXACT).astype(np.int64)
    filled = np.where(missing, 0.0, np.where(low, below, np.where(high, above, value)))
    shift = np.zeros(value.shape, dtype=np.int64) if group is None else group
    return Values(filled, kind, shift, np.array(below), np.array(above))


@dataclass(frozen=True)
class Scale:
    """Centre and spread by which values are standardised for computing; parameters are given back without it."""

    centre: FloatArray
    spread: FloatArray

    def of(self, values: Values) -> Values:
        """Return the values on this scale."""
        kept = np.where(values.kind == MISSING, 0.0, (values.value - self.centre) / self.spread)
        below, above = ((limit - self.centre) / self.spread for limit in (values.limit_below, values.limit_above))
        return replace(values, value=kept, limit_below=below, limit_above=above)

    def log_density(self, values: Values) -> float:
        """Return what the log-likelihood on the model's own scale adds to that on this one."""
        exact = (values.kind == EXACT).sum(axis=0)
        return -float(np.dot(exact, np.log(self.spread)))


def scale_of(values: Values) -> Scale:
    """Return mean and standard deviation of each analyte, a censored value standing at its limit."""
    centre, spread = np.zeros(values.analytes), np.ones(values.analytes)
    for one in range(values.analytes):
        there = values.value[values.kind[:, one] != MISSING, one]
        if there.size:
            centre[one] = there.mean()
        if there.size > 1 and there.std() > 0:
            spread[one] = there.std()
    return Scale(centre, spread)
