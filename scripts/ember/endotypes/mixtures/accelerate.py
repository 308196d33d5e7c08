"""Carry EM to its end: squared extrapolation between steps, each mixture at its own pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from ember.endotypes.mixtures.parameters import Mixtures, packed, unpacked
from ember.endotypes.mixtures.values import BoolArray, FloatArray, IntArray

TOLERANCE = 1e-9
"""Largest gain of the total log-likelihood in one plain step of EM at which a mixture has converged."""
ROUNDING = 16 * float(np.finfo(np.float64).eps)
"""Share of the log-likelihood below which a gain is rounding."""
GROWTH = 4.0


class Kernel(Protocol):
    """What a covariance form has to offer."""

    people: int
    analytes: int
    covariance: str
    floor: float

    def log_densities(self, mixtures: Mixtures) -> FloatArray:
        """Return the log of weight times density: shape (s, k, n)."""
        ...

    def step(self, mixtures: Mixtures) -> tuple[Mixtures, FloatArray, BoolArray]:
        """Return the mixtures after one step, their log-likelihoods before it, and whether the floor was needed."""
        ...


@dataclass(frozen=True)
class Climbed:
    """Mixtures at the end of their climb: log-likelihoods, whether they converged, whether they lean on the floor."""

    mixtures: Mixtures
    likelihood: FloatArray
    converged: BoolArray
    floored: BoolArray
    steps: IntArray


def climb(
    kernel: Kernel, starts: Mixtures, most: int, tolerance: float = TOLERANCE, *, patience: float = np.inf
) -> Climbed:
    """Run EM with squared extrapolation (SQUAREM) until no plain step gains more than the tolerance.

    Parameters
    ----------
    most : int
        Cycles of three steps at most.
    patience : float
        A mixture is given up once it lies so far below the best one that its last gain, repeated this many times,
        would not reach it.

    Notes
    -----
    Scheme S3 of Varadhan and Roland (2008) on log weights, means, log Cholesky factors and shifts. An extrapolated
    point is kept only if its likelihood is not below that of the point it sprang from, so the climb never falls.
    """
    number = starts.means.shape[0]
    current = starts.copy()
    likelihood = np.full(number, -np.inf)
    floored, converged = np.zeros(number, dtype=np.bool_), np.zeros(number, dtype=np.bool_)
    longest, steps = np.ones(number), np.zeros(number, dtype=np.int64)
    active = np.arange(number)
    for _ in range(most):
        before = current.take(active)
        first, at_start, _ = kernel.step(before)
        second, at_first, touched = kernel.step(first)
        steps[active] += 2
        gain = at_first - at_start
        likelihood[active], floored[active] = at_first, touched
        done = gain <= np.maximum(tolerance, ROUNDING * np.abs(at_first))
        hopeless = ~done & (gain < (likelihood.max() - at_first) / patience)
        current.put(active, first)
        converged[active[done]] = True
        going = ~(done | hopeless)
        active = active[going]
        if not active.size:
            break
        before, first, second = before.take(going), first.take(going), second.take(going)
        leaped = _leap(before, first, second, kernel.covariance, longest[active])
        after, at_leap, _ = kernel.step(leaped[0])
        steps[active] += 1
        better = at_leap >= at_first[going]
        longest[active] = np.where(better & leaped[1], longest[active] * GROWTH, longest[active])
        longest[active] = np.where(better, longest[active], np.maximum(longest[active] / GROWTH, 1.0))
        after.put(~better, second.take(~better))
        current.put(active, after)
    return Climbed(current, likelihood, converged, floored, steps)


def _leap(
    before: Mixtures, first: Mixtures, second: Mixtures, covariance: str, longest: FloatArray
) -> tuple[Mixtures, BoolArray]:
    """Return the extrapolated mixtures, and which of them went as far as they were allowed to."""
    zero, one, two = (packed(part, covariance) for part in (before, first, second))
    change = one - zero
    bend = two - one - change
    length = np.sqrt((change**2).sum(axis=1) / np.maximum((bend**2).sum(axis=1), 1e-300))
    stride = np.clip(length, 1.0, longest)[:, None]
    there = zero + 2 * stride * change + stride**2 * bend
    return unpacked(there, before.classes, before.analytes, covariance), stride[:, 0] >= longest
