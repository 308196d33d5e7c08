"""Would the same people be in the same classes another time, or without one of the sites?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ember.endotypes.mixtures.agreement import Agreement, agreement
from ember.endotypes.mixtures.choice import posterior_of
from ember.endotypes.mixtures.labels import anchored
from ember.endotypes.mixtures.parameters import Mixtures
from ember.endotypes.mixtures.search import Effort, find_best
from ember.endotypes.mixtures.values import FloatArray, IntArray, Values


@dataclass(frozen=True)
class Form:
    """What stays the same when a mixture is fitted again."""

    classes: int
    covariance: str
    floor: float
    anchor: int | None
    effort: Effort


def fitted_again(values: Values, form: Form, generator: np.random.Generator, near: Mixtures | None = None) -> Mixtures:
    """Return the best mixture of a form for some people, its classes in anchored order."""
    effort, covariance = form.effort, form.covariance
    found = find_best(values, form.classes, covariance, form.floor, effort, generator, more=near)
    return anchored(found.mixture, form.anchor)


def bootstrap_agreement(
    values: Values, mixture: Mixtures, form: Form, samples: int, generator: np.random.Generator
) -> FloatArray:
    """Return the adjusted Rand index of every bootstrap sample against the classes of the mixture.

    Notes
    -----
    People are drawn with replacement, the mixture is fitted to them anew, and everybody is assigned by it. Below
    0.6 the classes of a person are largely an accident of who was studied (Hennig 2007 draws the line at 0.6 to 0.75).
    """
    own = posterior_of(values, mixture, form.covariance).argmax(axis=1)
    found = []
    for _ in range(samples):
        drawn = values.take(np.sort(generator.integers(0, values.people, values.people)))
        other = fitted_again(drawn, form, generator, near=mixture)
        theirs = posterior_of(values, other, form.covariance).argmax(axis=1)
        found.append(agreement(own, theirs, form.classes, form.classes).adjusted_rand)
    return np.array(found)


def leave_one_out(
    values: Values, site: IntArray, mixture: Mixtures, form: Form, generator: np.random.Generator
) -> list[Agreement]:
    """Return by site how far its people's classes agree with those from a mixture of all other sites' people."""
    own = posterior_of(values, mixture, form.covariance).argmax(axis=1)
    found = []
    for number in range(int(site.max(initial=-1)) + 1):
        inside = np.flatnonzero(site == number)
        other = fitted_again(values.take(np.flatnonzero(site != number)), form, generator, near=mixture)
        other = Mixtures(other.weights, other.means, other.covariances, _filled(other.shifts, mixture.shifts))
        theirs = posterior_of(values, other, form.covariance)[inside].argmax(axis=1)
        found.append(agreement(own[inside], theirs, form.classes, form.classes))
    return found


def _filled(shifts: FloatArray, usual: FloatArray) -> FloatArray:
    return shifts if shifts.shape == usual.shape else usual
