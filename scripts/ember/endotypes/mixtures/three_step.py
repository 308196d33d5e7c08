"""Classes against outcomes and covariates: the error of classification is carried on, not forgotten."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ember.endotypes.mixtures.labels import agreement_matrix
from ember.endotypes.mixtures.values import FloatArray
from ember.errors import EmberError

LEAST_ENTROPY = 0.6
LEAST_CLASS = 30.0
"""Relative entropy and expected class size below which BCH weights are too wild."""
LEAST_PEOPLE = 250
"""Participants below which a model of class by treatment is refused."""
MOST_STEPS = 500
CLOSE = 1e-10


@dataclass(frozen=True)
class DistalMeans:
    """Mean (and spread) of an outcome by class, corrected for the error of classification."""

    method: str
    mean: FloatArray
    standard_deviation: FloatArray
    negative_weights: int
    covariance: FloatArray = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def standard_error(self) -> FloatArray:
        """Standard errors of the means; empty without a bootstrap."""
        return np.sqrt(np.diagonal(self.covariance))


def method_for(posterior: FloatArray, relative_entropy: float) -> str:
    """Return "bch" where classes are clear and large enough for it, "ml" elsewhere."""
    clear = relative_entropy >= LEAST_ENTROPY and float(posterior.sum(axis=0).min()) >= LEAST_CLASS
    return "bch" if clear else "ml"


def check_interaction(people: int) -> None:
    """Refuse a model of class by treatment in too few participants.

    Raises
    ------
    EmberError
        There are fewer than 250.
    """
    if people < LEAST_PEOPLE:
        raise EmberError(
            f"A model of class by treatment needs {LEAST_PEOPLE} participants; there are {people}.",
            where="mixture",
            fix="Report the classes without the interaction, or use a declared scheme.",
        )


def bch_weights(posterior: FloatArray) -> FloatArray:
    """Return weights of shape (n, k): the modal assignment times the inverse of its error matrix.

    Notes
    -----
    Bolck, Croon and Hagenaars (2004), with modal assignment. A weight may be negative.
    """
    modal = (posterior.argmax(axis=1)[:, None] == np.arange(posterior.shape[1])).astype(np.float64)
    return np.asarray(modal @ np.linalg.inv(agreement_matrix(posterior)))


def bch_means(outcome: FloatArray, posterior: FloatArray) -> DistalMeans:
    """Return the means of an outcome by class with BCH weights; a missing outcome (nan) takes no part."""
    there = ~np.isnan(outcome)
    weights = bch_weights(posterior)[there]
    seen = outcome[there]
    size = weights.sum(axis=0)
    mean = weights.T @ seen / size
    variance = (weights * (seen[:, None] - mean) ** 2).sum(axis=0) / size
    return DistalMeans("bch", mean, np.sqrt(np.maximum(variance, 0.0)), int((weights < 0).sum()))


def ml_means(outcome: FloatArray, posterior: FloatArray, *, binary: bool = False) -> DistalMeans:
    """Return the means of an outcome by class by maximum likelihood with known errors of classification.

    Notes
    -----
    Vermunt (2010): the assigned class is an indicator of the true one with the error matrix held fixed, and the
    outcome a second one, normal with a common variance or binary. EM over the true class.
    """
    there = ~np.isnan(outcome)
    error = agreement_matrix(posterior)
    seen, evidence = outcome[there], error[:, posterior.argmax(axis=1)[there]].T
    weights = posterior.mean(axis=0)
    chances = posterior[there]
    mean = chances.T @ seen / chances.sum(axis=0)
    variance = float(seen.var())
    for _ in range(MOST_STEPS):
        joint = weights * evidence * _density(seen, mean, variance, binary=binary)
        chances = joint / joint.sum(axis=1, keepdims=True)
        size = chances.sum(axis=0)
        new = chances.T @ seen / np.maximum(size, 1e-300)
        change = float(np.abs(new - mean).max())
        mean, weights = new, size / size.sum()
        variance = max(float((chances * (seen[:, None] - mean) ** 2).sum() / seen.size), 1e-12)
        if change < CLOSE:
            break
    spread = np.sqrt(mean * (1 - mean)) if binary else np.full(mean.size, np.sqrt(variance))
    return DistalMeans("ml", mean, spread, 0)


def _density(seen: FloatArray, mean: FloatArray, variance: float, *, binary: bool) -> FloatArray:
    if binary:
        chance = np.clip(mean, 1e-9, 1 - 1e-9)
        return np.where(seen[:, None] > 0.5, chance, 1 - chance)
    return np.asarray(np.exp(-((seen[:, None] - mean) ** 2) / (2 * variance)) / np.sqrt(variance))


def ml_membership(covariates: FloatArray, posterior: FloatArray) -> FloatArray:
    """Return multinomial log-odds of class (against the first) on covariates, corrected for classification error.

    Parameters
    ----------
    covariates : ndarray, shape (n, q)
        Without a constant, which is added.

    Returns
    -------
    ndarray, shape (k - 1, q + 1)
        The constant first.
    """
    design = np.column_stack([np.ones(covariates.shape[0]), covariates])
    classes = posterior.shape[1]
    evidence = agreement_matrix(posterior)[:, posterior.argmax(axis=1)].T
    odds = np.zeros((classes - 1, design.shape[1]))
    for _ in range(MOST_STEPS):
        prior = _softmax(design, odds)
        joint = prior * evidence
        chances = joint / joint.sum(axis=1, keepdims=True)
        gradient = ((chances - prior)[:, 1:].T @ design).reshape(-1)
        step = np.linalg.solve(_information(design, prior), gradient)
        odds = odds + step.reshape(odds.shape)
        if float(np.abs(step).max()) < CLOSE:
            break
    return odds


def _softmax(design: FloatArray, odds: FloatArray) -> FloatArray:
    line = np.column_stack([np.zeros(design.shape[0]), design @ odds.T])
    line -= line.max(axis=1, keepdims=True)
    result = np.exp(line)
    return np.asarray(result / result.sum(axis=1, keepdims=True))


def _information(design: FloatArray, prior: FloatArray) -> FloatArray:
    others, width = prior.shape[1] - 1, design.shape[1]
    result = np.zeros((others * width, others * width))
    for one in range(others):
        for two in range(others):
            weight = prior[:, one + 1] * ((one == two) - prior[:, two + 1])
            block = (design * weight[:, None]).T @ design
            result[one * width : (one + 1) * width, two * width : (two + 1) * width] = block
    return result


def with_bootstrap(
    outcome: FloatArray,
    posterior: FloatArray,
    again: Callable[[FloatArray, int], tuple[FloatArray, FloatArray]],
    samples: int,
    method: str,
) -> DistalMeans:
    """Return corrected means whose covariance includes the uncertainty of the classes themselves.

    Parameters
    ----------
    again : callable
        Takes the outcome and the number of a sample, and returns outcome and posteriors of resampled participants
        under a mixture that was fitted to them anew, its classes in anchored order.
    samples : int
        At least 2.
    """
    correct = bch_means if method == "bch" else ml_means
    found = correct(outcome, posterior)
    drawn = np.stack([correct(*again(outcome, number)).mean for number in range(samples)])
    covariance = np.cov(drawn, rowvar=False, ddof=1).reshape(found.mean.size, found.mean.size)
    return DistalMeans(found.method, found.mean, found.standard_deviation, found.negative_weights, covariance)
