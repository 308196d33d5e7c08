"""Find the best mixture of a size: many short climbs, the best of them carried to their end."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ember.endotypes.mixtures.accelerate import Climbed, Kernel, climb
from ember.endotypes.mixtures.diagonal import Diagonal
from ember.endotypes.mixtures.general import General
from ember.endotypes.mixtures.parameters import DIAGONAL, Mixtures, joined
from ember.endotypes.mixtures.starts import random_starts
from ember.endotypes.mixtures.values import BoolArray, Values

REPLICATED = 0.01
"""Two climbs have found the same maximum where their log-likelihoods differ by no more."""
LOOSE = 1e-6
"""Gain of a step at which a continued climb stops; the best one goes on to the full tolerance."""
PATIENCE = 1000.0
"""A climb is given up if its last gain, so many times over, would not bring it to the best one."""
AT_ONCE = 200_000
"""Numbers (mixtures x classes x people) that one step holds: they stay in the fast memory of a processor."""
FEWEST = 2.0
"""Expected people in a class below which a solution is degenerate."""


@dataclass(frozen=True)
class Effort:
    """How hard to look.

    Parameters
    ----------
    starts : int
        Short climbs.
    short_steps : int
        Plain steps of EM in each.
    short_people : int
        Participants, chosen at random, on whom the short climbs are made; all where there are fewer.
    continued : int
        Best short climbs that are carried on.
    cycles : int
        Most cycles of three steps until a climb counts as not converged.
    """

    starts: int = 200
    short_steps: int = 15
    short_people: int = 1000
    continued: int = 20
    cycles: int = 1000


@dataclass(frozen=True)
class Found:
    """The best mixture of a size, and how sure it is to be the best.

    Parameters
    ----------
    mixture : Mixtures
        One mixture.
    likelihood : float
    replicated : int
        Continued climbs that ended within 0.0001 of the best log-likelihood, the best included.
    degenerate : int
        Continued climbs that ended on the floor of the variance or with an empty class: they do not compete.
    sound : bool
        Whether the best itself is not degenerate and has converged.
    """

    mixture: Mixtures
    likelihood: float
    starts: int
    continued: int
    replicated: int
    degenerate: int
    converged: int
    sound: bool
    steps: int


def kernel_of(values: Values, covariance: str, floor: float) -> Kernel:
    """Return the kernel of a covariance form."""
    return Diagonal(values, covariance, floor) if covariance in DIAGONAL else General(values, covariance, floor)


def find_best(
    values: Values, classes: int, covariance: str, floor: float, effort: Effort, generator: np.random.Generator,
    more: Mixtures | None = None,
) -> Found:  # fmt: skip
    """Return the best of many climbs.

    Parameters
    ----------
    values : Values
        On a standardised scale.
    floor : float
        Least variance in any direction, in squared standard deviations.
    more : Mixtures, optional
        Further starts that are carried on in any case.

    Notes
    -----
    Short runs of EM from many starts, the best continued (emEM; Biernacki, Celeux and Govaert 2003). The likelihood
    of a mixture has many local maxima: one that only a single climb reached may not be the highest, and is flagged.
    """
    kernel = kernel_of(values, covariance, floor)
    if classes == 1:
        effort = Effort(starts=1, short_steps=1, short_people=effort.short_people, continued=1, cycles=effort.cycles)
    begun = _short_climbs(values, classes, covariance, floor, effort, generator)
    chosen = begun if more is None else joined([begun, more])
    at_once = _at_once(classes, values.people)
    number = chosen.weights.shape[0]
    parts = [
        climb(
            kernel, chosen.take(np.arange(first, min(first + at_once, number))), effort.cycles, LOOSE, patience=PATIENCE
        )
        for first in range(0, number, at_once)
    ]
    number = effort.starts + (0 if more is None else more.weights.shape[0])
    return _best(kernel, _together(parts), number, effort.cycles)


def _at_once(classes: int, people: int) -> int:
    return max(1, AT_ONCE // (classes * people))


def _short_climbs(
    values: Values, classes: int, covariance: str, floor: float, effort: Effort, generator: np.random.Generator
) -> Mixtures:
    """Return the best mixtures after a few steps on some of the participants."""
    few = values
    if values.people > effort.short_people:
        few = values.take(np.sort(generator.choice(values.people, effort.short_people, replace=False)))
    kernel = kernel_of(few, covariance, floor)
    starts = random_starts(few, classes, covariance, effort.starts, floor, generator)
    shifts = sum(values.groups()) - values.analytes
    at_once = _at_once(classes, few.people)
    reached, likelihood = [], []
    for first in range(0, effort.starts, at_once):
        mixtures = starts.take(np.arange(first, min(first + at_once, effort.starts)))
        for _ in range(effort.short_steps):
            mixtures, height, _ = kernel.step(mixtures)
        reached.append(mixtures)
        likelihood.append(height)
    order = np.argsort(-np.concatenate(likelihood), kind="stable")[: effort.continued]
    best = joined(reached).take(order)
    if best.shifts.shape[1] == shifts:
        return best
    # A group that no chosen participant belongs to starts without a shift.
    return Mixtures(best.weights, best.means, best.covariances, np.zeros((order.size, shifts)))


def _together(parts: list[Climbed]) -> Climbed:
    return Climbed(
        joined([part.mixtures for part in parts]),
        np.concatenate([part.likelihood for part in parts]),
        np.concatenate([part.converged for part in parts]),
        np.concatenate([part.floored for part in parts]),
        np.concatenate([part.steps for part in parts]),
    )


def _best(kernel: Kernel, climbed: Climbed, starts: int, cycles: int) -> Found:
    degenerate = climbed.floored | (climbed.mixtures.weights.min(axis=1) * kernel.people < FEWEST)
    standing = _or_all(~degenerate)
    best = int(np.argmax(np.where(standing, climbed.likelihood, -np.inf)))
    top = climb(kernel, climbed.mixtures.take(np.array([best])), cycles)
    likelihood = float(top.likelihood[0])
    same = standing & (np.abs(climbed.likelihood - likelihood) <= REPLICATED)
    return Found(
        mixture=top.mixtures,
        likelihood=likelihood,
        starts=starts,
        continued=int(climbed.likelihood.size),
        replicated=int(same.sum()),
        degenerate=int(degenerate.sum()),
        converged=int(climbed.converged.sum()),
        sound=bool(~degenerate[best] & ~top.floored[0] & top.converged[0]),
        steps=int(climbed.steps.sum() + top.steps.sum()),
    )


def _or_all(chosen: BoolArray) -> BoolArray:
    return chosen if chosen.any() else np.ones_like(chosen)
