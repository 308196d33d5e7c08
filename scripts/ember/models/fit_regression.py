"""Regression models of an analysis: one fit a site, pooled in two stages, or all sites in one model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ember.errors import EmberError
from ember.models.contract import Effect, FloatArray, Result, effect
from ember.models.design_matrix import INTERACTION, Design
from ember.models.estimate_rows import Row, estimate_row, pooled_details, site_effect
from ember.models.meta_analysis import Pooled, pool
from ember.models.plan import AnalysisPlan, ModelPlan
from ember.models.site_fits import events, fit_linear, fit_logistic, model_design, standardised_risks
from ember.models.standardise import risk_difference

RISKS = ("risk_reference", "risk_active", "risk_difference")


@dataclass(frozen=True)
class Fitted:
    """A fitted model with its design and, for logistic models, its standardised risks."""

    site: str | None
    design: Design
    result: Result
    risks: Result | None

    def effect(self, term: str) -> Effect:
        """Return the effect of a term; risks come from g-computation."""
        if self.risks is None or term not in RISKS:
            return site_effect(self.result, term)
        if term == "risk_difference":
            return risk_difference(self.risks)
        at = RISKS.index(term)
        return effect(float(self.risks.coefficients[at]), float(self.risks.covariance[at, at]), self.risks.df_residual)

    def details(self, binary: bool) -> Row:
        """Return the counts and notes of the fit."""
        dropped = f"Constant and left out: {', '.join(self.design.dropped)}." if self.design.dropped else ""
        return {
            "n": self.design.n,
            "n_participants": self.design.n,
            "n_events": events(self.design) if binary else None,
            "n_sites": len(self.design.rows),
            "converged": self.result.converged,
            "note": " ".join(part for part in (self.result.note, dropped) if part),
        }


def fit_regression(frame: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan) -> tuple[list[Row], list[Fitted]]:
    """Fit one model of an analysis.

    Parameters
    ----------
    frame : DataFrame
        Contract `analysis_set`, only the rows in the set.

    Returns
    -------
    rows : list of dict
        Estimates of the terms of interest, by site and pooled.
    fits : list of Fitted
        The fits behind them, for curves.

    Raises
    ------
    EmberError
        A one-stage model of raw scores over several instruments, or data that no model can use.
    """
    instruments = _instruments(frame)
    if model.pool in {"one_stage", "random_intercept"}:
        if plan.outcome["scale"] == "points" and len(set(instruments.values())) > 1:
            raise EmberError(
                f"{model.id} would put raw scores of {', '.join(sorted(set(instruments.values())))} into one model.",
                where=f"analyses/{plan.id}.yaml",
                fix="Use `scale: reference_sd`, or `pool: two_stage` within each instrument.",
            )
        fits = [_fit(frame, plan, model, plan.sites, None)]
        return [_row(plan, model, fits[0], term, instruments, level="one_stage") for term in terms(plan, model)], fits
    fits = [
        _fit(frame.filter(pl.col("site_id") == site), plan, model, [site], site)
        for site in plan.sites
        if (frame["site_id"] == site).any()
    ]
    if not fits:
        raise EmberError("No participant is left for the model.", where=f"analyses/{plan.id}.yaml")
    rows = [
        _row(plan, model, fitted, term, instruments, level="site") for term in terms(plan, model) for fitted in fits
    ]
    if model.pool == "two_stage":
        rows += [_pooled_row(plan, model, fits, term, instruments) for term in terms(plan, model)]
    return rows, fits


def terms(plan: AnalysisPlan, model: ModelPlan) -> list[str]:
    """Return the terms that are reported, the headline first."""
    found = []
    if plan.treatment and plan.exposure:
        found.append(INTERACTION)
    if model.risk_difference:
        found.extend(reversed(RISKS))
    if plan.treatment:
        found.append("treatment")
    if plan.exposure:
        found.append("exposure")
    return found


def pool_effects(effects: Sequence[Effect], model: ModelPlan) -> Pooled:
    """Pool effects of sites as the model declares."""
    return pool(
        [value.estimate for value in effects],
        [value.std_error for value in effects],
        tau2=model.tau2,
        interval=model.interval,
    )


def effect_at(fitted: Fitted, value: float, centre: float) -> Effect:
    """Return the treatment effect at an exposure value on the model's scale (the slope's line, with its error)."""
    weights: FloatArray = np.zeros(len(fitted.result.names))
    weights[fitted.result.names.index("treatment")] = 1.0
    weights[fitted.result.names.index(INTERACTION)] = value - centre
    variance = float(weights @ fitted.result.covariance @ weights)
    return effect(float(weights @ fitted.result.coefficients), variance, fitted.result.df(weights))


def _fit(frame: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan, sites: Sequence[str], site: str | None) -> Fitted:
    design = model_design(frame, plan, model, sites)
    try:
        result = fit_logistic(design, model) if model.family == "logistic" else fit_linear(design, model)
        risks = standardised_risks(design, result) if model.risk_difference else None
    except EmberError as error:
        raise EmberError(str(error), where=f"analyses/{plan.id}.yaml  {model.id}, {site or 'all sites'}") from None
    return Fitted(site, design, result, risks)


def _instruments(frame: pl.DataFrame) -> dict[str, str]:
    pairs = frame.select("site_id", "instrument").unique(maintain_order=True).drop_nulls().iter_rows()
    return dict(pairs)


def _row(
    plan: AnalysisPlan, model: ModelPlan, fitted: Fitted, term: str, instruments: dict[str, str], level: str
) -> Row:
    used = set(instruments.values()) if fitted.site is None else {instruments.get(fitted.site, "")}
    return estimate_row(
        plan,
        model,
        term,
        fitted.effect(term),
        **fitted.details(plan.is_binary),
        **words(plan, model, term),
        level=level,
        site=fitted.site,
        instrument=used.pop() if len(used) == 1 else None,
    )


def _pooled_row(
    plan: AnalysisPlan, model: ModelPlan, fits: Sequence[Fitted], term: str, instruments: dict[str, str]
) -> Row:
    pooled = pool_effects([fitted.effect(term) for fitted in fits], model)
    total = sum(fitted.design.n for fitted in fits)
    used = set(instruments.values())
    return estimate_row(
        plan,
        model,
        term,
        pooled.effect,
        n=total,
        n_participants=total,
        n_events=sum(events(fitted.design) for fitted in fits) if plan.is_binary else None,
        instrument=used.pop() if len(used) == 1 else None,
        **words(plan, model, term),
        **pooled_details(pooled),
    )


def words(plan: AnalysisPlan, model: ModelPlan, term: str) -> dict[str, Any]:
    """Return the estimand and the scale of a term, in the words of the output schema."""
    estimand = {
        INTERACTION: "effect_modification" if plan.randomised else "effect_modification_associational",
        "treatment": "treatment_effect_at_mean_exposure" if plan.exposure else "treatment_effect",
        "exposure": "prognostic_association" if plan.treatment or plan.adjusts_for_baseline else "association",
    }.get(term, term)
    if term in RISKS:
        return {"estimand": estimand, "scale": "risk" if term != "risk_difference" else "risk_difference"}
    scale = "log_odds_ratio" if "logistic" in model.family else plan.outcome["scale"]
    return {"estimand": estimand, "scale": scale}
