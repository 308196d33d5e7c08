"""Does a frozen mixture still hold in other people?"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ember.endotypes.mixtures.accelerate import Kernel
from ember.endotypes.mixtures.choice import simulated
from ember.endotypes.mixtures.parameters import Mixtures
from ember.endotypes.mixtures.responsibilities import shared_out
from ember.endotypes.mixtures.search import kernel_of
from ember.endotypes.mixtures.values import FloatArray, Values
from ember.models.distributions import chi_square_p

LEVEL = 0.01
"""p value of any of the parts below which a frozen mixture has drifted."""
MOST_STEPS = 2000
CLOSE = 1e-8


@dataclass(frozen=True)
class Drift:
    """What differs in new people.

    Parameters
    ----------
    shares_p : float
        Against the frozen class weights, with everything else as it was: another mix of people, no fault.
    levels_p : float
        Against equal levels: one shift for each analyte, the classes' weights free. Another assay, or other samples.
    shift : ndarray, shape (p,)
        Those shifts, on the scale of the values.
    fit_p : float
        Share of simulated cohorts with the same missing values and limits that fit worse, with free weights.
    drifted : bool
        The levels or the fit differ beyond the declared level.
    """

    shares_p: float
    levels_p: float
    shift: FloatArray
    fit_p: float
    weights: FloatArray
    drifted: bool


def drift_of(values: Values, mixture: Mixtures, covariance: str, samples: int, generator: np.random.Generator) -> Drift:
    """Return the drift test of a frozen mixture: values and parameters on one scale."""
    kernel = kernel_of(values, covariance, 0.0)
    frozen = float(shared_out(kernel.log_densities(mixture))[1][0])
    weighed, free = _climbed(kernel, mixture)
    moved = replace(values, group=np.ones_like(values.group))
    flat = Mixtures(weighed.weights, mixture.means, mixture.covariances, np.zeros((1, values.analytes)))
    shifted, higher = _climbed(kernel_of(moved, covariance, 0.0), flat) if not mixture.shifts.size else (flat, free)
    worse = sum(
        _climbed(kernel_of(drawn, covariance, 0.0), weighed)[1] <= free
        for drawn in (simulated(values, weighed, generator) for _ in range(samples))
    )
    fit_p = (1 + worse) / (1 + samples)
    shares_p = chi_square_p(2 * max(free - frozen, 0.0), mixture.classes - 1) if mixture.classes > 1 else 1.0
    levels_p = chi_square_p(2 * max(higher - free, 0.0), values.analytes)
    drifted = levels_p < LEVEL or fit_p < LEVEL
    return Drift(shares_p, levels_p, shifted.shifts[0], fit_p, weighed.weights[0], drifted)


def _climbed(kernel: Kernel, mixture: Mixtures) -> tuple[Mixtures, float]:
    """Return the mixture with the weights and shifts that fit best, its classes left as they are."""
    height, last = -np.inf, -np.inf
    for _ in range(MOST_STEPS):
        after, likelihood, _ = kernel.step(mixture)
        height = float(likelihood[0])
        if height - last < CLOSE:
            break
        last = height
        mixture = Mixtures(after.weights, mixture.means, mixture.covariances, after.shifts)
    return mixture, height
