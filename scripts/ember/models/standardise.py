"""Standardised risks: what would happen to these people under each arm (g-computation), and their contrasts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from ember.errors import EmberError
from ember.models.contract import (
    BATCH_ROWS,
    Effect,
    FloatArray,
    Moments,
    Plan,
    Result,
    State,
    contrast,
    effect,
    merge_by_site,
    total,
)

VARIANCES = ("superpopulation", "fixed")


@dataclass(frozen=True)
class CounterfactualRows:
    """The people of one site as if all were in each arm.

    Parameters
    ----------
    site : str
        Site identifier.
    designs : tuple of ndarray, each of shape (n, p)
        One design per arm, in the order of the estimator's arms: the arm's columns and its products with
        covariates set to that arm, everything else as observed.
    weight : ndarray, shape (n,), optional
        Weights of the people standardised to.
    """

    site: str
    designs: tuple[FloatArray, ...]
    weight: FloatArray | None = None


@dataclass(frozen=True)
class StandardisedRisks:
    """Mean predicted risk under each arm, from a fitted logistic model.

    Parameters
    ----------
    model : Result
        Logistic (or Firth) fit; its covariance, classical or sandwich, is carried through.
    arms : tuple of str
        Names of the arms.
    variance : {"superpopulation", "fixed"}
        fixed: the delta method, for exactly these people; superpopulation adds the variance of the risks
        between people (the influence function's covariate term), for the population they were drawn from.

    Notes
    -----
    Unlike odds ratios, these contrasts mean the same whatever the covariates, so sites can be compared and
    pooled. Var(superpopulation) = G V G' + Cov(risks) / n: the two parts are uncorrelated when the model is
    right (the score has mean zero given covariates). It fails where an arm has no one like those it is
    predicted for (no overlap): predictions are then extrapolations. Reference: Bartlett 2018, Stat Med.
    """

    model: Result
    arms: tuple[str, ...] = ("control", "treated")
    variance: str = "superpopulation"

    def __post_init__(self) -> None:
        if self.variance not in VARIANCES:
            raise EmberError(f"'{self.variance}' is no variance of standardised risks.", allowed=VARIANCES)

    @property
    def rounds(self) -> int:
        """One pass after the model."""
        return 1

    def start(self, plan: Plan) -> State:
        """Tell the sites the model's coefficients.

        Raises
        ------
        EmberError
            If the model did not converge or its coefficients are not those of the plan.
        """
        if not self.model.converged:
            raise EmberError(f"Risks cannot be standardised: the model did not converge. {self.model.note}".strip())
        if plan.names != self.model.names:
            raise EmberError("The plan and the fitted model name other coefficients.", allowed=self.model.names)
        return State(plan, "risks", 0, {"coefficients": self.model.coefficients})

    def site_pass(self, rows: CounterfactualRows, state: State) -> Moments:
        """Return sums of risks, their products and their gradients."""
        self._check(rows, state.plan)
        coefficients, arms = state.arrays["coefficients"], len(self.arms)
        n = rows.designs[0].shape[0]
        weight = np.ones(n) if rows.weight is None else rows.weight
        sums: dict[str, FloatArray] = {
            "risk": np.zeros(arms), "gradient": np.zeros((arms, coefficients.size)), "weight": weight.sum(),
            "square_risk": np.zeros(arms), "square_product": np.zeros((arms, arms)),
            "square_weight": weight @ weight, "n": np.array(float((weight > 0).sum())),
        }  # fmt: skip
        for begin in range(0, n, BATCH_ROWS):
            part = slice(begin, begin + BATCH_ROWS)
            risks = np.column_stack([special.expit(design[part] @ coefficients) for design in rows.designs])
            w = weight[part]
            sums["risk"] += w @ risks
            slopes = w[:, None] * risks * (1.0 - risks)
            sums["gradient"] += np.array([slopes[:, a] @ rows.designs[a][part] for a in range(arms)])
            sums["square_risk"] += (w * w) @ risks
            sums["square_product"] += (risks * (w * w)[:, None]).T @ risks
        return {rows.site: sums}

    def merge(self, first: Moments, second: Moments) -> Moments:
        """Join the moments of sites."""
        return merge_by_site(first, second)

    def advance(self, state: State, moments: Moments) -> Result:
        """Return the risk of each arm and their covariance."""
        weight = float(total(moments, "weight"))
        if weight <= 0:
            raise EmberError("There is no one to standardise the risks to.")
        risks = total(moments, "risk") / weight
        gradient = total(moments, "gradient") / weight
        covariance = gradient @ self.model.covariance @ gradient.T
        if self.variance == "superpopulation":
            linear = total(moments, "square_risk")
            between = (
                total(moments, "square_product")
                - np.outer(linear, risks)
                - np.outer(risks, linear)
                + float(total(moments, "square_weight")) * np.outer(risks, risks)
            )
            covariance = covariance + between / weight**2
        n = int(total(moments, "n"))
        return Result(
            tuple(f"risk_{arm}" for arm in self.arms), risks, covariance, self.model.df_residual, n,
            note=self.model.note, extras={"variance": self.variance},
        )  # fmt: skip

    def _check(self, rows: CounterfactualRows, plan: Plan) -> None:
        where = f"site {rows.site}"
        if len(rows.designs) != len(self.arms):
            raise EmberError(f"{len(rows.designs)} designs for {len(self.arms)} arms.", where=where)
        shape = (rows.designs[0].shape[0], len(plan.names))
        if any(design.shape != shape or not np.isfinite(design).all() for design in rows.designs):
            raise EmberError(f"Each arm's design must be complete and of shape {shape}.", where=where)
        if rows.weight is not None and not (np.isfinite(rows.weight).all() and (rows.weight >= 0).all()):
            raise EmberError("Weights must be finite and not negative.", where=where)


def risk_difference(risks: Result, treated: int = 1, control: int = 0, level: float = 0.95) -> Effect:
    """Return the difference of two arms' standardised risks."""
    vector = np.zeros(len(risks.names))
    vector[treated], vector[control] = 1.0, -1.0
    return contrast(risks, vector, "t", level)


def log_risk_ratio(risks: Result, treated: int = 1, control: int = 0, level: float = 0.95) -> Effect:
    """Return the log of the ratio of two arms' standardised risks: exponentiate estimate and limits.

    Raises
    ------
    EmberError
        If a risk is zero.
    """
    pair = [treated, control]
    values = risks.coefficients[pair]
    if (values <= 0).any():
        raise EmberError("A risk ratio needs risks above zero.", fix="Report the risk difference.")
    gradient = np.array([1.0, -1.0]) / values
    variance = float(gradient @ risks.covariance[np.ix_(pair, pair)] @ gradient)
    return effect(float(np.log(values[0] / values[1])), variance, risks.df_residual, level)
