"""How many classes: information criteria, entropy, and a likelihood ratio that is compared with its own bootstrap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ember.endotypes.mixtures.parameters import Mixtures
from ember.endotypes.mixtures.responsibilities import shared_out
from ember.endotypes.mixtures.search import Effort, Found, find_best, kernel_of
from ember.endotypes.mixtures.values import MISSING, FloatArray, Values, censored_values


@dataclass(frozen=True)
class Criteria:
    """What a fit says about its number of classes.

    Parameters
    ----------
    bic : float
        -2 log-likelihood + parameters x ln(people): less is better (mclust prints the negative).
    icl : float
        BIC + 2 x entropy.
    entropy : float
        Sum over people and classes of -p ln p.
    relative_entropy : float
        1 - entropy / (people x ln classes), the R2 of entropy; 1 with one class.
    """

    bic: float
    icl: float
    entropy: float
    relative_entropy: float


def criteria(likelihood: float, parameters: int, posterior: FloatArray) -> Criteria:
    """Return the criteria of a fit from its posterior probabilities, shape (n, k)."""
    people, classes = posterior.shape
    bic = -2 * likelihood + parameters * float(np.log(people))
    safe = np.where(posterior > 0, posterior, 1.0)
    entropy = float(-(posterior * np.log(safe)).sum())
    relative = 1.0 if classes == 1 else 1 - entropy / (people * float(np.log(classes)))
    return Criteria(bic, bic + 2 * entropy, entropy, relative)


def posterior_of(values: Values, mixture: Mixtures, covariance: str) -> FloatArray:
    """Return the probability of each class for each participant: shape (n, k)."""
    shares, _ = shared_out(kernel_of(values, covariance, 0.0).log_densities(mixture))
    return np.ascontiguousarray(shares[0].T)


def simulated(values: Values, mixture: Mixtures, generator: np.random.Generator) -> Values:
    """Return values drawn from a mixture, with the missing values, the shifts and the limits of the real ones."""
    people, analytes = values.people, values.analytes
    member = np.minimum(
        np.searchsorted(np.cumsum(mixture.weights[0]), generator.random(people), side="right"), mixture.classes - 1
    )
    factor = np.linalg.cholesky(mixture.covariances[0])
    drawn = generator.standard_normal((people, analytes))
    value = mixture.means[0][member] + np.einsum("nij,nj->ni", factor[member], drawn)
    first = 0
    for one, groups in enumerate(values.groups()):
        shift = np.concatenate([[0.0], mixture.shifts[0, first : first + groups - 1]])
        value[:, one] += shift[values.group[:, one]]
        first += groups - 1
    value[values.kind == MISSING] = np.nan
    return censored_values(value, values.limit_below, values.limit_above, values.group)


@dataclass(frozen=True)
class BootstrapRatio:
    """Twice the gain of one more class, against its distribution where the fewer classes are true."""

    statistic: float
    p_value: float
    samples: int


def bootstrap_ratio(
    values: Values, fewer: Found, more: Found, covariance: str, floor: float, samples: int, effort: Effort,
    generator: np.random.Generator,
) -> BootstrapRatio:  # fmt: skip
    """Return the parametric bootstrap of a likelihood ratio (McLachlan 1987).

    Notes
    -----
    The ratio of a mixture has no chi-square distribution: the fewer classes lie on the edge of the more. Every
    sample is drawn from the fewer classes with the same people missing and the same limits, and both sizes are
    fitted to it again. The p value is (1 + samples at least as large) / (1 + samples), so it cannot be below
    1 / (1 + samples).
    """
    statistic = 2 * (more.likelihood - fewer.likelihood)
    larger = 0
    for _ in range(samples):
        drawn = simulated(values, fewer.mixture, generator)
        low = find_best(drawn, fewer.mixture.classes, covariance, floor, effort, generator, more=fewer.mixture)
        high = find_best(drawn, more.mixture.classes, covariance, floor, effort, generator, more=more.mixture)
        larger += 2 * (high.likelihood - low.likelihood) >= statistic
    return BootstrapRatio(statistic, (1 + larger) / (1 + samples), samples)
