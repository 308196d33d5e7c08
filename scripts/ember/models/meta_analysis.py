"""Pooling the estimates of sites in two stages: equal effects or random effects, with a prediction interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ember.errors import EmberError
from ember.models.contract import Effect, FloatArray, effect
from ember.models.distributions import chi_square_p, chi_square_quantile, critical_value
from ember.models.scalar_search import falling_root, minimise_on_grid

TAU2_METHODS = ("reml", "dersimonian_laird", "paule_mandel", "equal_effects")
INTERVALS = ("hartung_knapp", "normal")


@dataclass(frozen=True)
class Pooled:
    """A pooled estimate.

    `i2_tau2` (percent) is the share of tau2 in the total of tau2 and the typical within-site variance, as
    metafor gives it; `i2_q` is the older (Q - df) / Q. NaN stands for what one site cannot tell.
    """

    effect: Effect
    k: int
    method: str
    interval: str
    tau2: float
    tau2_std_error: float
    tau2_low: float
    tau2_high: float
    i2_tau2: float
    i2_q: float
    q: float
    q_df: int
    q_p_value: float
    prediction_low: float
    prediction_high: float
    prediction_df: float
    weights: FloatArray
    note: str = ""


def pool(
    estimates: Sequence[float] | FloatArray,
    std_errors: Sequence[float] | FloatArray,
    *,
    tau2: str = "reml",
    interval: str = "hartung_knapp",
    floor: bool = False,
    level: float = 0.95,
) -> Pooled:
    """Pool independent estimates.

    Parameters
    ----------
    estimates, std_errors : sequence of float, length k
        One estimate per site, on a scale where it is about normal (log odds ratio, difference, ...).
    tau2 : {"reml", "dersimonian_laird", "paule_mandel", "equal_effects"}
        Estimator of the variance between sites; never below zero.
    interval : {"hartung_knapp", "normal"}
        hartung_knapp: residual-scaled variance and t(k - 1); normal: the classical Wald interval.
    floor : bool
        Ad hoc correction: keep the residual scale at 1 or more, so that Hartung-Knapp is never narrower than
        the classical standard error (metafor's test "adhoc").
    level : float
        Confidence level of every interval.

    Raises
    ------
    EmberError
        If an estimate is not finite, a standard error is not positive, or an option is unknown.

    Notes
    -----
    REML (Viechtbauer 2005) with Hartung-Knapp (IntHout et al. 2014) is the default because normal intervals
    are too short for few sites. With two sites t(1) makes the interval very wide, which is what two sites
    know. The prediction interval has the same reference distribution as the confidence interval (metafor's
    default). tau2's own interval is by Q-profile (Viechtbauer 2007).
    """
    y, v = _checked(estimates, std_errors, tau2, interval)
    if y.size == 1:
        return _one_site(float(y[0]), float(v[0]), tau2, interval, level)
    between = _between_variance(y, v, tau2)
    weights = 1.0 / (v + between)
    mean = float(weights @ y / weights.sum())
    df = float(y.size - 1) if interval == "hartung_knapp" else float("inf")
    variance = 1.0 / float(weights.sum())
    if interval == "hartung_knapp":
        scale = float(weights @ (y - mean) ** 2) / (y.size - 1)
        variance *= max(scale, 1.0) if floor else scale
    return _assemble(y, v, between, weights, effect(mean, variance, df, level), tau2, interval, level)


def _assemble(
    y: FloatArray, v: FloatArray, between: float, weights: FloatArray, pooled: Effect, tau2: str, interval: str,
    level: float,
) -> Pooled:  # fmt: skip
    k = y.size
    q = _generalised_q(y, v, 0.0)
    random = tau2 != "equal_effects"
    half = critical_value(pooled.df, level) * float(np.sqrt(pooled.std_error**2 + between))
    low, high = _q_profile(y, v, level) if random else (float("nan"), float("nan"))
    i2_q = max(0.0, 100.0 * (q - (k - 1)) / q) if q > 0 else 0.0
    i2_tau2 = 100.0 * between / (between + _typical_variance(v)) if random else i2_q
    return Pooled(
        pooled, k, tau2, interval, between, _tau2_std_error(v, between, tau2), low, high, i2_tau2, i2_q, q, k - 1,
        chi_square_p(q, k - 1), pooled.estimate - half, pooled.estimate + half, pooled.df,
        100.0 * weights / weights.sum(),
        "Two sites: the variance between sites is hardly known." if k == 2 and random else "",
    )  # fmt: skip


def _checked(
    estimates: Sequence[float] | FloatArray, std_errors: Sequence[float] | FloatArray, tau2: str, interval: str
) -> tuple[FloatArray, FloatArray]:
    if tau2 not in TAU2_METHODS:
        raise EmberError(f"'{tau2}' is no estimator of the variance between sites.", allowed=TAU2_METHODS)
    if interval not in INTERVALS:
        raise EmberError(f"'{interval}' is no interval of a pooled estimate.", allowed=INTERVALS)
    y, s = np.asarray(estimates, dtype=np.float64), np.asarray(std_errors, dtype=np.float64)
    if y.ndim != 1 or y.shape != s.shape or y.size == 0:
        raise EmberError("Pooling needs one estimate and one standard error per site, for at least one site.")
    if not (np.isfinite(y).all() and np.isfinite(s).all() and (s > 0).all()):
        raise EmberError(
            "Pooling needs finite estimates and positive standard errors.",
            fix="Leave out the sites whose model did not converge, and say so.",
        )
    return y, s**2


def _one_site(y: float, v: float, tau2: str, interval: str, level: float) -> Pooled:
    nan = float("nan")
    return Pooled(
        effect(y, v, float("inf"), level), 1, tau2, interval, nan, nan, nan, nan, nan, nan, nan, 0, nan, nan, nan, nan,
        np.array([100.0]), "One site: its own estimate, nothing is pooled.",
    )  # fmt: skip


def _between_variance(y: FloatArray, v: FloatArray, method: str) -> float:
    if method == "equal_effects":
        return 0.0
    if method == "dersimonian_laird":
        return _dersimonian_laird(y, v)
    if method == "paule_mandel":
        return falling_root(lambda t: _generalised_q(y, v, t), y.size - 1, _upper_guess(y, v))
    return _reml(y, v)


def _generalised_q(y: FloatArray, v: FloatArray, between: float) -> float:
    weights = 1.0 / (v + between)
    mean = weights @ y / weights.sum()
    return float(weights @ (y - mean) ** 2)


def _dersimonian_laird(y: FloatArray, v: FloatArray) -> float:
    weights = 1.0 / v
    spare = weights.sum() - (weights**2).sum() / weights.sum()
    return max(0.0, (_generalised_q(y, v, 0.0) - (y.size - 1)) / float(spare))


def _reml(y: FloatArray, v: FloatArray) -> float:
    """Return the REML estimate: Fisher scoring, with a bounded search where it does not reach the maximum."""
    grid = np.concatenate([[0.0], np.geomspace(1e-6, 1.0, 49) * 10.0 * _upper_guess(y, v)])
    scored = _fisher_scoring(y, v)
    best = float(min(_reml_criterion(y, v, float(point)) for point in grid))
    if scored is not None and _reml_criterion(y, v, scored) <= best + 1e-10 * (1.0 + abs(best)):
        return scored
    return minimise_on_grid(lambda t: _reml_criterion(y, v, t), grid)[0]


def _fisher_scoring(y: FloatArray, v: FloatArray, most_steps: int = 200) -> float | None:
    between = _dersimonian_laird(y, v)
    for _ in range(most_steps):
        weights = 1.0 / (v + between)
        share = weights / weights.sum()
        residual = weights * (y - share @ y)
        trace = weights.sum() - float(weights @ weights) / weights.sum()
        step = (float(residual @ residual) - float(trace)) / _information(weights)
        updated = max(0.0, between + step)
        if abs(updated - between) <= 1e-13 * (updated + float(v.min())):
            return updated
        between = updated
    return None


def _information(weights: FloatArray) -> float:
    """Return trace(PP), twice the Fisher information of tau2 under REML."""
    total = float(weights.sum())
    square, cube = float((weights**2).sum()), float((weights**3).sum())
    return square - 2.0 * cube / total + (square / total) ** 2


def _reml_criterion(y: FloatArray, v: FloatArray, between: float) -> float:
    """Return minus twice the restricted log-likelihood, up to a constant."""
    weights = 1.0 / (v + between)
    return float(-np.log(weights).sum() + np.log(weights.sum())) + _generalised_q(y, v, between)


def _tau2_std_error(v: FloatArray, between: float, method: str) -> float:
    return float(np.sqrt(2.0 / _information(1.0 / (v + between)))) if method == "reml" else float("nan")


def _typical_variance(v: FloatArray) -> float:
    """Return the typical within-site variance of Higgins and Thompson (2002)."""
    weights = 1.0 / v
    return float((v.size - 1) * weights.sum() / (weights.sum() ** 2 - (weights**2).sum()))


def _q_profile(y: FloatArray, v: FloatArray, level: float) -> tuple[float, float]:
    tail, df = (1.0 - level) / 2.0, y.size - 1

    def root(target: float) -> float:
        return falling_root(lambda t: _generalised_q(y, v, t), target, _upper_guess(y, v))

    return root(chi_square_quantile(tail, df)), root(chi_square_quantile(1.0 - tail, df))


def _upper_guess(y: FloatArray, v: FloatArray) -> float:
    return float(y.var(ddof=1)) + float(v.max())
