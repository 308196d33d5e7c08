"""Firth's penalised logistic regression: finite estimates under separation, less bias with few events."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import linalg, special

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
    total,
)
from ember.models.logistic import check_binary, likelihood_sums
from ember.models.normal_equations import inverse


@dataclass(frozen=True)
class FirthLogisticModel:
    """Logistic regression with Jeffreys' prior as penalty (Firth 1993; Heinze and Schemper 2002).

    Parameters
    ----------
    tolerance : float
        Largest step of a coefficient at convergence, in its standard errors.
    most_steps : int
        Newton steps before giving up.

    Notes
    -----
    Maximises log-likelihood + log|information| / 2. The penalty's score needs every row's leverage, so a step
    takes two passes: the information, then the modified score. Covariance is the inverse information and
    intervals are Wald intervals, which are too symmetric for very sparse data. Predicted risks are pulled
    towards 1/2: standardise with care when events are rare.
    """

    tolerance: float = 1e-9
    most_steps: int = 200

    @property
    def rounds(self) -> str:
        """Passes over the rows."""
        return "two a step, until the coefficients settle"

    def start(self, plan: Plan) -> State:
        """Start from even odds for all."""
        return State(plan, "information", 0, {"coefficients": np.zeros(len(plan.names))})

    def site_pass(self, rows: SiteRows, state: State) -> Moments:
        """Return information and deviance, or the modified score."""
        check_rows(rows, state.plan)
        check_binary(rows)
        if state.stage == "information":
            return likelihood_sums(rows, state.arrays["coefficients"])
        return _modified_score(rows, state.arrays["coefficients"], state.arrays["bread"])

    def merge(self, first: Moments, second: Moments) -> Moments:
        """Join the moments of sites."""
        return merge_by_site(first, second)

    def advance(self, state: State, moments: Moments) -> State | Result:
        """Accept or halve the last step, then step by the modified score, or finish."""
        if state.stage == "information":
            return self._with_information(state, moments)
        bread = state.arrays["bread"]
        step = bread @ total(moments, "score")
        settled = bool(np.max(np.abs(step) / np.sqrt(np.diag(bread))) < self.tolerance)
        if settled or state.step >= self.most_steps:
            return _result(state, settled)
        # No coefficient moves by more than 5 at once, as in logistf: the quadratic model does not hold further out.
        step = step * min(1.0, 5.0 / float(np.max(np.abs(step))))
        coefficients = state.arrays["coefficients"]
        arrays = {"coefficients": coefficients + step, "before": coefficients, "value": state.arrays["value"]}
        return replace(state, stage="information", step=state.step + 1, arrays=arrays, kept={})

    def _with_information(self, state: State, moments: Moments) -> State:
        bread = inverse(total(moments, "information"), state.plan.names)
        value = -0.5 * float(total(moments, "deviance")) - 0.5 * float(np.linalg.slogdet(bread)[1])
        before = float(state.arrays["value"]) if "value" in state.arrays else -np.inf
        coefficients = state.arrays["coefficients"]
        if value < before - 1e-10 * (abs(before) + 1.0) and state.step < self.most_steps:
            halfway = 0.5 * (coefficients + state.arrays["before"])
            return replace(state, step=state.step + 1, arrays={**state.arrays, "coefficients": halfway})
        arrays = {"coefficients": coefficients, "bread": bread, "value": np.array(value)}
        return replace(state, stage="score", arrays=arrays, kept=moments)


def _modified_score(rows: SiteRows, coefficients: FloatArray, bread: FloatArray) -> Moments:
    try:
        half = linalg.cholesky(bread, lower=True)
    except linalg.LinAlgError as problem:
        raise EmberError("The information of the penalised model is singular.", where="design") from problem
    score = np.zeros(coefficients.size)
    for design, outcome, weight in batches(rows):
        risk = special.expit(design @ coefficients)
        projected = design @ half
        leverage = weight * risk * (1.0 - risk) * np.einsum("ij,ij->i", projected, projected)
        score += (weight * (outcome - risk) + leverage * (0.5 - risk)) @ design
    return {rows.site: {"score": score}}


def _result(state: State, settled: bool) -> Result:
    kept = state.kept
    note = "" if settled else f"The penalised coefficients had not settled after {state.step} steps."
    return Result(
        state.plan.names, state.arrays["coefficients"], state.arrays["bread"], float("inf"), int(total(kept, "n")),
        settled, 1.0, -0.5 * float(total(kept, "deviance")), note,
        {
            "events": float(total(kept, "events")), "steps": float(state.step),
            "penalised_log_likelihood": float(state.arrays["value"]),
        },
    )  # fmt: skip
