"""Fit mixtures of every size and form, choose one, and name its classes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ember.endotypes.mixtures.choice import BootstrapRatio, Criteria, bootstrap_ratio, criteria, posterior_of
from ember.endotypes.mixtures.labels import anchored
from ember.endotypes.mixtures.parameters import Mixtures, free_parameters
from ember.endotypes.mixtures.search import Effort, Found, find_best
from ember.endotypes.mixtures.starts import generator_of
from ember.endotypes.mixtures.values import FloatArray, Scale, Values, scale_of
from ember.errors import EmberError

LEAST_REPLICATED = 2
BOOTSTRAP = Effort(starts=20, continued=3, cycles=300)
"""How hard each sample of a bootstrap is looked at, beside the mixture that was found in the data."""


@dataclass(frozen=True)
class Plan:
    """What a mixture file asks for; `anchor` is a position among the analytes, or None for their mean."""

    name: str
    seed: int
    classes: Sequence[int]
    covariances: Sequence[str]
    floor: float
    effort: Effort
    anchor: int | None
    choose: str = "bic"
    ratio_samples: int = 0


@dataclass(frozen=True)
class Fit:
    """One size and form; parameters on the scale, log-likelihood and criteria on that of the ln values."""

    classes: int
    covariance: str
    found: Found
    likelihood: float
    parameters: int
    criteria: Criteria
    ratio: BootstrapRatio | None = None

    @property
    def replicated(self) -> bool:
        """Whether more than one climb found the maximum; one class has but one."""
        return self.classes == 1 or self.found.replicated >= LEAST_REPLICATED


@dataclass(frozen=True)
class Chosen:
    """The chosen fit, its mixture in anchored order, and the posterior probabilities of the people."""

    fit: Fit
    mixture: Mixtures
    scale: Scale
    posterior: FloatArray
    searched: tuple[Fit, ...]


def search(values: Values, plan: Plan) -> Chosen:
    """Fit every size and form that a plan asks for and choose the best sound one.

    Parameters
    ----------
    values : Values
        On the ln scale.

    Raises
    ------
    EmberError
        There are too few people, or no fit is sound.

    Notes
    -----
    A degenerate solution, or one that did not converge, is reported and never chosen. One whose maximum was found
    once only may be chosen, and is flagged: a higher maximum may have been missed.
    """
    most = max(plan.classes)
    if values.people < 10 * most:
        raise EmberError(
            f"{values.people} participants are too few for {most} classes.", where="classes",
            fix="Ask for fewer classes: at least ten participants for each.",
        )  # fmt: skip
    scale = scale_of(values)
    scaled = scale.of(values)
    fits: list[Fit] = []
    for covariance in plan.covariances:
        fits += _of_form(scaled, scale.log_density(values), plan, covariance)
    sound = [fit for fit in fits if fit.found.sound]
    if not sound:
        raise EmberError(
            "No mixture has a sound maximum.", where="classes",
            fix="Ask for fewer classes, a simpler covariance or a larger variance floor.",
        )  # fmt: skip
    best = min(sound, key=lambda fit: getattr(fit.criteria, plan.choose))
    mixture = anchored(best.found.mixture, plan.anchor)
    return Chosen(best, mixture, scale, posterior_of(scaled, mixture, best.covariance), tuple(fits))


def _of_form(scaled: Values, log_density: float, plan: Plan, covariance: str) -> list[Fit]:
    fits: list[Fit] = []
    shifts = sum(scaled.groups()) - scaled.analytes
    for classes in sorted(plan.classes):
        generator = generator_of(plan.seed, plan.name, covariance, classes)
        found = find_best(scaled, classes, covariance, plan.floor, plan.effort, generator)
        parameters = free_parameters(classes, scaled.analytes, shifts, covariance)
        likelihood = found.likelihood + log_density
        posterior = posterior_of(scaled, found.mixture, covariance)
        ratio = None
        if plan.ratio_samples and fits and fits[-1].classes == classes - 1:
            again = generator_of(plan.seed, plan.name, covariance, classes, "ratio")
            ratio = bootstrap_ratio(
                scaled, fits[-1].found, found, covariance, plan.floor, plan.ratio_samples, BOOTSTRAP, again
            )
        fits.append(
            Fit(classes, covariance, found, likelihood, parameters, criteria(likelihood, parameters, posterior), ratio)
        )
    return fits


def on_ln_scale(mixture: Mixtures, scale: Scale, groups: Sequence[int]) -> Mixtures:
    """Return a mixture's parameters on the scale of the ln values."""
    spread = np.repeat(scale.spread, [number - 1 for number in groups])
    return Mixtures(
        mixture.weights.copy(),
        mixture.means * scale.spread + scale.centre,
        mixture.covariances * np.outer(scale.spread, scale.spread),
        mixture.shifts * spread,
    )


def standardised(mixture: Mixtures, scale: Scale, groups: Sequence[int]) -> Mixtures:
    """Return a mixture of ln values on a standardised scale: the inverse of `on_ln_scale`."""
    spread = np.repeat(scale.spread, [number - 1 for number in groups])
    return Mixtures(
        mixture.weights.copy(),
        (mixture.means - scale.centre) / scale.spread,
        mixture.covariances / np.outer(scale.spread, scale.spread),
        mixture.shifts / spread,
    )
