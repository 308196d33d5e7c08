"""Probability and moments of normal vectors known only to lie below a limit in one, two or three directions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

FloatArray = NDArray[np.float64]

LOG_2_PI = float(np.log(2.0 * np.pi))
TINY = 1e-280
"""Below this a probability is beyond what doubles can divide by: the vector then stands at its limits."""
SMALL = 1e-12
"""Below this the absolute accuracy of the integrals (about 1e-15) is too coarse for their ratios."""
STEEP = 0.925
"""Beyond this correlation the arc of integration is steep, and Owen's T function is used instead."""
NODES, NODE_WEIGHTS = np.polynomial.legendre.leggauss(20)
LINE_NODES, LINE_WEIGHTS = np.polynomial.legendre.leggauss(64)
FAR = 9.0


@dataclass(frozen=True)
class Truncated:
    """Vectors Y with Y <= h: log probability (b, n), mean (b, d, n) and second moment (b, d, d, n)."""

    log_probability: FloatArray
    mean: FloatArray
    second: FloatArray


def bivariate_below(first: FloatArray, second: FloatArray, correlation: FloatArray) -> FloatArray:
    """Return P(X <= first, Y <= second) of standard normals.

    Parameters
    ----------
    first, second : ndarray, shape (b, n)
    correlation : ndarray, shape (b, 1)

    Notes
    -----
    Plackett's integral over the arc sine of the correlation by 20 Gauss-Legendre nodes (Drezner and Wesolowsky 1990),
    which is exact to about 1e-15 up to 0.925; Owen's T function beyond.
    """
    angle = np.arcsin(correlation)
    total = np.zeros(np.broadcast_shapes(first.shape, second.shape))
    squares, product = (first**2 + second**2) / 2, first * second
    for node, weight in zip(NODES, NODE_WEIGHTS, strict=True):
        sine = np.sin(angle * (node + 1) / 2)
        total += weight * np.exp((product * sine - squares) / (1 - sine**2))
    result = special.ndtr(first) * special.ndtr(second) + angle / (4 * np.pi) * total
    steep = np.abs(correlation[:, 0]) > STEEP
    if steep.any():
        result[steep] = _by_owen(first[steep], second[steep], correlation[steep])
    return np.clip(result, 0.0, 1.0)


def _by_owen(first: FloatArray, second: FloatArray, correlation: FloatArray) -> FloatArray:
    # A zero has no side; the smallest step to the right changes nothing else.
    first, second = np.where(first == 0, 1e-300, first), np.where(second == 0, 1e-300, second)
    root = np.sqrt(np.maximum((1 - correlation) * (1 + correlation), 1e-300))
    across = special.owens_t(first, (second / first - correlation) / root)
    along = special.owens_t(second, (first / second - correlation) / root)
    other_sides = np.where(first * second < 0, 0.5, 0.0)
    result = (special.ndtr(first) + special.ndtr(second)) / 2 - across - along - other_sides
    return np.asarray(result)


def trivariate_below(limit: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return P(Y <= limit) of three normals with mean 0.

    Parameters
    ----------
    limit : ndarray, shape (b, 3, n)
    covariance : ndarray, shape (b, 3, 3)

    Notes
    -----
    The first direction is integrated over by 64 Gauss-Legendre nodes, the other two by `bivariate_below`.
    """
    deviation = np.sqrt(covariance[:, 0, 0])[:, None]
    top = np.clip(limit[:, 0] / deviation, -FAR, FAR)
    slope = covariance[:, 1:, 0] / deviation
    left = covariance[:, 1:, 1:] - slope[:, :, None] * slope[:, None, :]
    spread = np.sqrt(np.maximum(np.diagonal(left, axis1=1, axis2=2), 1e-300))
    correlation = np.clip(left[:, 0, 1] / (spread[:, 0] * spread[:, 1]), -1, 1)[:, None]
    half = (top + FAR) / 2
    at = (half[..., None] * (LINE_NODES + 1) - FAR).reshape(top.shape[0], -1)
    wide = np.repeat(limit[:, 1:], LINE_NODES.size, axis=2)
    one = (wide[:, 0] - slope[:, :1] * at) / spread[:, :1]
    two = (wide[:, 1] - slope[:, 1:] * at) / spread[:, 1:]
    inner = np.exp(-(at**2) / 2) * bivariate_below(one, two, correlation)
    total = inner.reshape(*top.shape, -1) @ LINE_WEIGHTS
    return np.asarray(np.clip(half * total / np.sqrt(2 * np.pi), 0.0, 1.0))


def below(limit: FloatArray, covariance: FloatArray) -> FloatArray:
    """Return P(Y <= limit) of up to three normals with mean 0: limit (b, d, n), covariance (b, d, d)."""
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))
    if limit.shape[1] == 0:
        return np.ones((limit.shape[0], limit.shape[2]))
    if limit.shape[1] == 1:
        return np.asarray(special.ndtr(limit[:, 0] / deviation))
    if limit.shape[1] == 2:
        correlation = np.clip(covariance[:, 0, 1] / (deviation[:, 0] * deviation[:, 1]), -1, 1)[:, None]
        return bivariate_below(limit[:, 0] / deviation[:, :1], limit[:, 1] / deviation[:, 1:], correlation)
    return trivariate_below(limit, covariance)


def truncated(limit: FloatArray, covariance: FloatArray) -> Truncated:
    """Return log probability and moments of normals with mean 0 that lie below their limits.

    Parameters
    ----------
    limit : ndarray, shape (b, d, n), d of 1, 2 or 3
    covariance : ndarray, shape (b, d, d)

    Notes
    -----
    E Y = -V q and E YY' = V + V H V with q and H the first and second derivatives of the probability with respect to
    the limits, over the probability (Tallis 1961). Where the probability is below 1e-12 its derivatives cannot be
    divided by it: such a vector stands at its limits, with the log probability of its least likely direction. A
    class in which that happens has next to no part in the participant.
    """
    if limit.shape[1] == 1:
        return _one(limit, covariance)
    probability = below(limit, covariance)
    usable = probability > SMALL
    safe = np.where(usable, probability, 1.0)
    rate = _first_derivatives(limit, covariance) / safe[:, None]
    curvature = _second_derivatives(limit, covariance, rate * safe[:, None]) / safe[:, None, None]
    mean = -np.einsum("bij,bjn->bin", covariance, rate)
    second = covariance[..., None] + np.einsum("bij,bjkn,bkl->biln", covariance, curvature, covariance, optimize=True)
    deviation = np.sqrt(np.diagonal(covariance, axis1=1, axis2=2))[..., None]
    least = special.log_ndtr(limit / deviation).min(axis=1)
    log_probability = np.where(usable, np.log(safe), np.minimum(least, np.log(SMALL)))
    mean = np.where(usable[:, None], mean, limit)
    second = np.where(usable[:, None, None], second, limit[:, :, None] * limit[:, None, :])
    return Truncated(log_probability, mean, second)


def _one(limit: FloatArray, covariance: FloatArray) -> Truncated:
    deviation = np.sqrt(covariance[:, 0, 0])[:, None]
    at = limit[:, 0] / deviation
    log_probability = special.log_ndtr(at)
    ratio = np.exp(-(at**2) / 2 - LOG_2_PI / 2 - log_probability)
    mean = -deviation * ratio
    second = deviation**2 * (1 - at * ratio)
    return Truncated(log_probability, mean[:, None], second[:, None, None])


def _first_derivatives(limit: FloatArray, covariance: FloatArray) -> FloatArray:
    result = np.empty(limit.shape)
    size = limit.shape[1]
    for one in range(size):
        others = [other for other in range(size) if other != one]
        variance = covariance[:, one, one]
        slope = covariance[:, others, one] / variance[:, None]
        left = covariance[:, others][:, :, others] - slope[:, :, None] * covariance[:, None, one, others]
        rest = below(limit[:, others] - slope[:, :, None] * limit[:, None, one], left)
        result[:, one] = _density(limit[:, one], variance) * rest
    return result


def _density(value: FloatArray, variance: FloatArray) -> FloatArray:
    return np.asarray(np.exp(-(value**2) / (2 * variance[:, None])) / np.sqrt(2 * np.pi * variance)[:, None])


def _second_derivatives(limit: FloatArray, covariance: FloatArray, first: FloatArray) -> FloatArray:
    size = limit.shape[1]
    result = np.zeros((limit.shape[0], size, size, limit.shape[2]))
    for one in range(size):
        for two in range(one + 1, size):
            mixed = _mixed(limit, covariance, one, two)
            result[:, one, two] = result[:, two, one] = mixed
    for one in range(size):
        variance = covariance[:, one, one, None]
        along = -limit[:, one] / variance * first[:, one]
        for two in range(size):
            if two != one:
                along = along - covariance[:, two, one, None] / variance * result[:, one, two]
        result[:, one, one] = along
    return result


def _mixed(limit: FloatArray, covariance: FloatArray, one: int, two: int) -> FloatArray:
    pair = covariance[:, [one, two]][:, :, [one, two]]
    determinant = np.maximum(pair[:, 0, 0] * pair[:, 1, 1] - pair[:, 0, 1] ** 2, 1e-300)
    inverse = np.linalg.inv(pair)
    at = limit[:, [one, two]]
    square = np.einsum("bin,bij,bjn->bn", at, inverse, at, optimize=True)
    density = np.exp(-square / 2) / (2 * np.pi * np.sqrt(determinant))[:, None]
    others = [other for other in range(limit.shape[1]) if other not in (one, two)]
    if not others:
        return np.asarray(density)
    slope = covariance[:, others][:, :, [one, two]] @ inverse
    left = covariance[:, others][:, :, others] - slope @ covariance[:, [one, two]][:, :, others]
    return np.asarray(density * below(limit[:, others] - slope @ at, left))
