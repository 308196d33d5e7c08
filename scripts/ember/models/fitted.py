"""A fitted model of an analysis with what its estimates need: effects by term, counts, notes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from ember.errors import EmberError
from ember.models.contract import Effect, FloatArray, Result, effect
from ember.models.design_matrix import INTERACTION, Design
from ember.models.eligibility import design_obstacle
from ember.models.estimate_rows import Row, site_effect
from ember.models.plan import AnalysisPlan, ModelPlan
from ember.models.site_fits import events, fit_linear, fit_logistic, model_design, standardised_risks
from ember.models.standardise import risk_difference

RISKS = ("risk_reference", "risk_active", "risk_difference")
EXACT = 1e-14
"""Share of the outcome's variance below which a residual variance is rounding."""


@dataclass(frozen=True)
class Fitted:
    """A fitted model with its design and, for logistic models, its standardised risks.

    `site` is None where several sites are in one model.
    """

    site: str | None
    design: Design
    result: Result
    risks: Result | None

    def effect(self, term: str) -> Effect:
        """Return the effect of a term; risks come from g-computation and are not tested against zero."""
        if self.risks is None or term not in RISKS:
            return site_effect(self.result, term)
        if term == "risk_difference":
            return risk_difference(self.risks)
        at = RISKS.index(term)
        found = effect(float(self.risks.coefficients[at]), float(self.risks.covariance[at, at]), self.risks.df_residual)
        return untested(found)

    def effect_at(self, value: float, centre: float) -> Effect:
        """Return the treatment effect at an exposure value on the model's scale (the slope's line, with its error)."""
        weights: FloatArray = np.zeros(len(self.result.names))
        weights[self.result.names.index("treatment")] = 1.0
        weights[self.result.names.index(INTERACTION)] = value - centre
        variance = float(weights @ self.result.covariance @ weights)
        return effect(float(weights @ self.result.coefficients), variance, self.result.df(weights))

    def details(self, binary: bool) -> Row:
        """Return the counts and notes of the fit."""
        dropped = f"Constant and left out: {', '.join(self.design.dropped)}." if self.design.dropped else ""
        return {
            "n": self.design.n,
            "n_participants": self.design.n,
            "n_events": events(self.design) if binary else None,
            "n_sites": len(self.design.rows),
            "note": " ".join(part for part in (self.result.note, dropped) if part),
        }


def untested(found: Effect) -> Effect:
    """Return an effect without a test: that a risk is zero is no hypothesis."""
    return replace(found, statistic=float("nan"), p_value=float("nan"))


def try_fit(frame: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan, sites: list[str]) -> Fitted | str:
    """Fit a model to the rows of one or several sites, or return in words why there is no estimate.

    Notes
    -----
    The kernels' own sentences are replaced where they count rows: a note may not carry a small count.
    """
    design = model_design(frame, plan, model, sites)
    reason = design_obstacle(design)
    if reason is not None:
        return reason
    try:
        result = fit_logistic(design, model) if model.family == "logistic" else fit_linear(design, model)
    except EmberError as error:
        if error.where == "design":
            return "the design is too sparse for the covariance (a category with hardly anyone)"
        place = f"analyses/{plan.id}.yaml  {model.id}, {', '.join(sites)}"
        raise EmberError(str(error), where=place) from None
    if not result.converged:
        return "the fit did not converge"
    outcome = np.concatenate([block.outcome for block in design.rows])
    if model.family != "logistic" and result.scale <= EXACT * float(outcome.var()):
        return "the outcome is fitted exactly"
    risks = standardised_risks(design, result) if model.risk_difference else None
    return Fitted(sites[0] if len(sites) == 1 else None, design, result, risks)
