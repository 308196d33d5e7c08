"""The one contract of moment estimators, and the driver that runs it in memory.

A moment estimator never sees rows and the answer at the same time. Each site turns its rows into
*moments* (sums of fixed size); the sums are merged in site order; `advance` turns them into the next
state or into the result. The driver below loops in one process; `ember bundle` and `ember merge` put
files between the same four functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from ember.errors import EmberError
from ember.models.distributions import critical_value, two_sided_p
from ember.models.small_sample import Satterthwaite

FloatArray = NDArray[np.float64]
Moments = Mapping[str, Mapping[str, FloatArray]]
"""Named sums of each site, `{site: {name: sum}}`: a site may send its own entry, and nothing else."""

BATCH_ROWS = 65_536
"""Rows of one partial sum: fixed, so that sums have the same rounding on every run and memory stays bounded."""


@dataclass(frozen=True)
class Plan:
    """What is to be estimated: the coefficient names, in the order of the design's columns."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class SiteRows:
    """The complete rows of one site.

    Parameters
    ----------
    site : str
        Site identifier.
    design : ndarray, shape (n, p)
        Columns in the order of `Plan.names`; the intercept is a column.
    outcome : ndarray, shape (n,)
        Outcome; 0 or 1 for logistic models.
    weight : ndarray, shape (n,), optional
        Analytic (precision) weights, none negative. Survey weights belong to `ember.models.survey`.
    """

    site: str
    design: FloatArray
    outcome: FloatArray
    weight: FloatArray | None = None


@dataclass(frozen=True)
class State:
    """What the hub tells the sites before a pass, and what it remembers between passes.

    `arrays` goes to the sites; `kept` (the moments of an earlier stage) need not.
    """

    plan: Plan
    stage: str
    step: int = 0
    arrays: Mapping[str, FloatArray] = field(default_factory=dict)
    kept: Moments = field(default_factory=dict)


@dataclass(frozen=True)
class Result:
    """A fitted model.

    `scale` is the residual variance (1 where the family fixes it); `df_residual` is infinite where the
    reference distribution is normal; with `small_sample` each contrast has its own degrees of freedom; `note`
    says in a sentence what a reader has to know.
    """

    names: tuple[str, ...]
    coefficients: FloatArray
    covariance: FloatArray
    df_residual: float
    n: int
    converged: bool = True
    scale: float = 1.0
    log_likelihood: float | None = None
    note: str = ""
    extras: Mapping[str, FloatArray | float | str] = field(default_factory=dict)
    small_sample: Satterthwaite | None = None

    def df(self, vector: FloatArray) -> float:
        """Return the degrees of freedom of a linear combination of coefficients."""
        return self.df_residual if self.small_sample is None else self.small_sample.df(vector)


@dataclass(frozen=True)
class Effect:
    """One estimate with its uncertainty; `df` is infinite for a normal reference distribution."""

    estimate: float
    std_error: float
    df: float
    statistic: float
    p_value: float
    conf_low: float
    conf_high: float


RowsT = TypeVar("RowsT", contravariant=True)


class MomentEstimator(Protocol[RowsT]):
    """Four functions; `rounds` says how often every site has to read its rows (a number, or until when)."""

    @property
    def rounds(self) -> str | int:
        """Passes over the rows of every site."""

    def start(self, plan: Plan) -> State:
        """Return what the sites need to know for the first pass."""

    def site_pass(self, rows: RowsT, state: State) -> Moments:
        """Return the sums of one site."""

    def merge(self, first: Moments, second: Moments) -> Moments:
        """Join the sums of two sets of sites; called in site order."""

    def advance(self, state: State, moments: Moments) -> State | Result:
        """Return the next state, or the result."""


def fit(estimator: MomentEstimator[RowsT], plan: Plan, site_rows: Sequence[RowsT]) -> Result:
    """Run a moment estimator over the sites, in memory, in the order given.

    Raises
    ------
    EmberError
        If there is no site, or where the estimator refuses the data.
    """
    if not site_rows:
        raise EmberError("A model was asked for, but no site has rows for it.")
    state: State | Result = estimator.start(plan)
    while isinstance(state, State):
        moments = estimator.site_pass(site_rows[0], state)
        for rows in site_rows[1:]:
            moments = estimator.merge(moments, estimator.site_pass(rows, state))
        state = estimator.advance(state, moments)
    return state


def merge_by_site(first: Moments, second: Moments) -> Moments:
    """Join moments; the sums of a site that occurs on both sides are added."""
    joined = {site: dict(sums) for site, sums in first.items()}
    for site, sums in second.items():
        if site in joined:
            joined[site] = {name: joined[site][name] + value for name, value in sums.items()}
        else:
            joined[site] = dict(sums)
    return joined


def total(moments: Moments, name: str) -> FloatArray:
    """Add one named sum over the sites, in site order."""
    parts = [sums[name] for sums in moments.values()]
    result = np.array(parts[0], dtype=np.float64)
    for part in parts[1:]:
        result = result + part
    return result


def sites_with_rows(moments: Moments) -> Moments:
    """Leave out sites that have no row of positive weight (moments that count `n`): they are no cluster."""
    return {site: sums for site, sums in moments.items() if sums["n"] > 0}


def check_rows(rows: SiteRows, plan: Plan) -> None:
    """Refuse rows whose shape or values no model can use.

    Raises
    ------
    EmberError
        If shapes disagree, a value is missing or infinite, or a weight is negative.
    """
    where = f"site {rows.site}"
    n = rows.outcome.shape[0]
    if rows.design.shape != (n, len(plan.names)):
        raise EmberError(
            f"The design has shape {rows.design.shape}; {n} outcomes and {len(plan.names)} names need "
            f"{(n, len(plan.names))}.",
            where=where,
        )
    if not np.isfinite(rows.design).all():
        name = plan.names[int(np.argmin(np.isfinite(rows.design).all(axis=0)))]
        raise EmberError(f"Column {name} of the design has missing or infinite values.", where=where)
    if not np.isfinite(rows.outcome).all():
        raise EmberError("The outcome has missing or infinite values.", where=where)
    if rows.weight is not None and not (np.isfinite(rows.weight).all() and (rows.weight >= 0).all()):
        raise EmberError("Weights must be finite and not negative.", where=where)


def batches(rows: SiteRows) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    """Yield design, outcome and weight (ones if there is none) in batches of a fixed number of rows."""
    n = rows.outcome.shape[0]
    for begin in range(0, n, BATCH_ROWS):
        part = slice(begin, min(begin + BATCH_ROWS, n))
        weight = np.ones(part.stop - begin) if rows.weight is None else rows.weight[part]
        yield rows.design[part], rows.outcome[part], weight


def contrast(
    result: Result, vector: Sequence[float] | FloatArray, distribution: str = "t", level: float = 0.95
) -> Effect:
    """Estimate a linear combination of coefficients.

    Parameters
    ----------
    result : Result
        A fitted model.
    vector : sequence of float, shape (p,)
        Weights of the coefficients.
    distribution : {"t", "normal"}
        Reference distribution; "t" uses `result.df`.
    level : float
        Confidence level.

    Raises
    ------
    EmberError
        If the vector has another length than the coefficients, or the distribution is unknown.
    """
    weights = np.asarray(vector, dtype=np.float64)
    if weights.shape != result.coefficients.shape:
        raise EmberError(f"A contrast of {weights.size} weights for {len(result.names)} coefficients.")
    if distribution not in ("t", "normal"):
        raise EmberError(f"'{distribution}' is no reference distribution.", allowed=("t", "normal"))
    df = result.df(weights) if distribution == "t" else np.inf
    variance = float(weights @ result.covariance @ weights)
    return effect(float(weights @ result.coefficients), variance, df, level)


def effect(estimate: float, variance: float, df: float, level: float = 0.95) -> Effect:
    """Put an interval and a p value around an estimate of known variance and degrees of freedom.

    Notes
    -----
    Without degrees of freedom (df <= 0) the estimate stands, and interval and p value are NaN.
    """
    std_error = float(np.sqrt(variance)) if variance >= 0 else float("nan")
    statistic = estimate / std_error if std_error > 0 else float("nan")
    half = critical_value(df, level) * std_error
    return Effect(estimate, std_error, df, statistic, two_sided_p(statistic, df), estimate - half, estimate + half)


def single(result: Result, name: str, distribution: str = "t", level: float = 0.95) -> Effect:
    """Estimate one coefficient by its name.

    Raises
    ------
    EmberError
        If the model has no such coefficient.
    """
    if name not in result.names:
        raise EmberError(f"The model has no coefficient '{name}'.", allowed=result.names)
    vector = np.zeros(len(result.names))
    vector[result.names.index(name)] = 1.0
    return contrast(result, vector, distribution, level)
