"""Logistic regression by moments: iteratively reweighted least squares, one pass over the rows a step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from ember.errors import EmberError
from ember.models.contract import (
    FloatArray,
    Moments,
    Plan,
    Result,
    SiteRows,
    State,
    batches,
    check_rows,
    merge_by_site,
    sites_with_rows,
    total,
)
from ember.models.normal_equations import aliased_columns, inverse

COVARIANCES = ("classical", "hc0", "cr1")
STILL_MOVING = 1e-4
"""Root mean square of the next step of the linear predictor: at a true maximum it is below 1e-7."""


@dataclass(frozen=True)
class LogisticModel:
    """Maximum likelihood for a binary outcome.

    Parameters
    ----------
    covariance : {"classical", "hc0", "cr1"}
        Inverse information; sandwich over rows; or sandwich over sites times G/(G-1), with df G - 1.
    tolerance : float
        Relative change of the deviance at convergence.
    most_steps : int
        Passes before giving up.

    Notes
    -----
    Separation is detected, not guessed from standard errors: the deviance has settled and the linear
    predictor still moves (or the deviance reaches zero). Then `converged` is False, coefficients and errors
    are meaningless, and Firth's penalty (`ember.models.firth`) is the remedy. Sensible with about 10 events
    per coefficient. Odds ratios are not collapsible: compare sites through standardised risks.
    """

    covariance: str = "classical"
    tolerance: float = 1e-10
    most_steps: int = 50

    def __post_init__(self) -> None:
        if self.covariance not in COVARIANCES:
            raise EmberError(f"'{self.covariance}' is no covariance of a logistic model.", allowed=COVARIANCES)

    @property
    def rounds(self) -> str:
        """Passes over the rows."""
        return "one a step, until the deviance settles"

    def start(self, plan: Plan) -> State:
        """Start from even odds for all."""
        return State(plan, "iterate", 0, {"coefficients": np.zeros(len(plan.names))})

    def site_pass(self, rows: SiteRows, state: State) -> Moments:
        """Return information, score and deviance, or the sandwich's middle in the last pass."""
        check_rows(rows, state.plan)
        check_binary(rows)
        if state.stage == "meat":
            return _meat_sums(rows, state.arrays["coefficients"])
        return likelihood_sums(rows, state.arrays["coefficients"])

    def merge(self, first: Moments, second: Moments) -> Moments:
        """Join the moments of sites."""
        return merge_by_site(first, second)

    def advance(self, state: State, moments: Moments) -> State | Result:
        """Take a Newton step, halve one that went too far, or finish."""
        if state.stage == "meat":
            return _sandwich_result(state, moments)
        if state.step == 0:
            inverse(total(moments, "information"), state.plan.names)
        deviance, n = float(total(moments, "deviance")), float(total(moments, "n"))
        before = float(state.arrays["deviance"]) if state.step else np.inf
        reference = state.kept or moments
        if deviance > before + 1e-8 * (abs(before) + 0.1) and state.step < self.most_steps:
            halfway = 0.5 * (state.arrays["coefficients"] + state.arrays["before"])
            return replace(state, step=state.step + 1, arrays={**state.arrays, "coefficients": halfway})
        step = _newton_step(moments)
        if step is None or deviance < 1e-8 * n:
            return self._finish(state, moments, "separated")
        if abs(deviance - before) < self.tolerance * (abs(deviance) + 0.1):
            moving = float(np.sqrt(np.maximum(4.0 * step @ total(reference, "information") @ step / n, 0.0)))
            return self._finish(state, moments, "separated" if moving > STILL_MOVING else "converged")
        if state.step >= self.most_steps:
            return self._finish(state, moments, "unsettled")
        coefficients = state.arrays["coefficients"]
        arrays = {"coefficients": coefficients + step, "before": coefficients, "deviance": np.array(deviance)}
        return replace(state, step=state.step + 1, arrays=arrays, kept=reference)

    def _finish(self, state: State, moments: Moments, verdict: str) -> State | Result:
        coefficients, names = state.arrays["coefficients"], state.plan.names
        notes = {
            "converged": "",
            "separated": "Separation: a covariate predicts the outcome perfectly for some rows; "
            "no finite estimate exists. Use Firth's penalised likelihood.",
            "unsettled": f"The deviance had not settled after {state.step} steps.",
        }
        information, n = total(moments, "information"), int(total(moments, "n"))
        usable = not aliased_columns(information)
        covariance = inverse(information, names) if usable else np.full(information.shape, np.nan)
        log_likelihood = -0.5 * float(total(moments, "deviance"))
        result = Result(
            names, coefficients, covariance, float("inf"), n, verdict == "converged", 1.0, log_likelihood,
            notes[verdict], {"events": float(total(moments, "events")), "steps": float(state.step)},
        )  # fmt: skip
        if verdict == "converged" and self.covariance == "cr1":
            return _cluster_result(result, moments)
        if verdict == "converged" and self.covariance == "hc0":
            return replace(state, stage="meat", kept=moments, arrays={"coefficients": coefficients})
        return result


def check_binary(rows: SiteRows) -> None:
    """Refuse outcomes other than 0 and 1."""
    if not ((rows.outcome == 0) | (rows.outcome == 1)).all():
        raise EmberError("The outcome of a logistic model must be 0 or 1.", where=f"site {rows.site}")


def likelihood_sums(rows: SiteRows, coefficients: FloatArray) -> Moments:
    """Sum information, score, deviance, rows of positive weight and events of one site."""
    p = coefficients.size
    sums: dict[str, FloatArray] = {
        "information": np.zeros((p, p)), "score": np.zeros(p), "deviance": np.zeros(()), "n": np.zeros(()),
        "events": np.zeros(()),
    }  # fmt: skip
    for design, outcome, weight in batches(rows):
        predictor = design @ coefficients
        risk = special.expit(predictor)
        sums["information"] += (design * (weight * risk * (1.0 - risk))[:, None]).T @ design
        sums["score"] += (weight * (outcome - risk)) @ design
        sums["deviance"] += 2.0 * (weight @ np.logaddexp(0.0, np.where(outcome > 0, -predictor, predictor)))
        sums["n"] += (weight > 0).sum()
        sums["events"] += ((weight > 0) & (outcome > 0)).sum()
    return {rows.site: sums}


def _newton_step(moments: Moments) -> FloatArray | None:
    information = total(moments, "information")
    if aliased_columns(information):
        return None
    names = [""] * information.shape[0]
    return inverse(information, names) @ total(moments, "score")


def _meat_sums(rows: SiteRows, coefficients: FloatArray) -> Moments:
    meat = np.zeros((coefficients.size, coefficients.size))
    for design, outcome, weight in batches(rows):
        residual = weight * (outcome - special.expit(design @ coefficients))
        meat += (design * (residual**2)[:, None]).T @ design
    return {rows.site: {"meat": meat}}


def _sandwich_result(state: State, moments: Moments) -> Result:
    bread = inverse(total(state.kept, "information"), state.plan.names)
    covariance = bread @ total(moments, "meat") @ bread
    return Result(
        state.plan.names, state.arrays["coefficients"], covariance, float("inf"), int(total(state.kept, "n")),
        log_likelihood=-0.5 * float(total(state.kept, "deviance")),
        extras={"events": float(total(state.kept, "events")), "steps": float(state.step)},
    )  # fmt: skip


def _cluster_result(result: Result, moments: Moments) -> Result:
    parts = list(sites_with_rows(moments).values())
    clusters = len(parts)
    if clusters < 2:
        raise EmberError("The cluster covariance cr1 with sites as clusters needs at least two sites.")
    scores = np.array([part["score"] for part in parts])
    bread = result.covariance
    covariance = bread @ (scores.T @ scores) @ bread * (clusters / (clusters - 1))
    note = f"{clusters} sites as clusters: cluster-robust errors are too small with few clusters."
    return replace(
        result, covariance=covariance, df_residual=float(clusters - 1), note=note if clusters < 40 else "",
        extras={**result.extras, "clusters": float(clusters)},
    )  # fmt: skip
