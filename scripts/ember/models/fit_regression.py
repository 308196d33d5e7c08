"""Regression models of an analysis: one fit a site, pooled in two stages, or all sites in one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from ember.errors import EmberError
from ember.models.contract import Effect
from ember.models.design_matrix import INTERACTION
from ember.models.eligibility import usable_sites
from ember.models.estimate_rows import Row, estimate_row, missing_row, pooled_details
from ember.models.fitted import RISKS, Fitted, try_fit, untested
from ember.models.meta_analysis import Pooled, pool
from ember.models.plan import AnalysisPlan, ModelPlan
from ember.models.site_fits import FIRTH, events, model_spec

JOINT = ("one_stage", "random_intercept")


@dataclass(frozen=True)
class Regression:
    """The fits of one model (one a site, or one for all), and the reason for each site without one."""

    fits: tuple[Fitted, ...]
    left_out: Mapping[str, str]


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
        No one is in the set, one model would mix raw scores of several instruments, or data no model can use.

    Notes
    -----
    A site that cannot be fitted, or whose fit does not converge, has rows without numbers and with the reason, and
    the estimates that other sites make without it name it.
    """
    if frame.is_empty():
        raise EmberError("No participant is left for the model.", where=f"analyses/{plan.id}.yaml  {model.id}")
    instruments = _instruments(frame)
    if model.pool in JOINT:
        _check_instruments(plan, model, instruments)
        found = _fit_joint(frame, plan, model)
        return [_joint_row(plan, model, found, term, instruments) for term in terms(plan, model)], list(found.fits)
    found = _fit_sites(frame, plan, model)
    rows = [
        _site_row(plan, model, found, site, term, instruments) for term in terms(plan, model) for site in plan.sites
    ]
    if model.pool == "two_stage":
        rows += [_pooled_row(plan, model, found, term, instruments) for term in terms(plan, model)]
    return rows, list(found.fits)


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
    """Pool the effects of sites as the model declares; one site keeps its own degrees of freedom."""
    pooled = pool(
        [value.estimate for value in effects],
        [value.std_error for value in effects],
        tau2=model.tau2,
        interval=model.interval,
    )
    return replace(pooled, effect=effects[0]) if len(effects) == 1 else pooled


def words(plan: AnalysisPlan, model: ModelPlan, term: str) -> dict[str, Any]:
    """Return the estimand, the scale, and where the contrast is taken, in the words of the output schema."""
    at = _exposure_zero(plan) if term == "treatment" and plan.exposure else None
    centred = "mean" if plan.is_centred else "reference"
    estimand = {
        INTERACTION: "effect_modification",
        "treatment": f"treatment_effect_at_{centred}_exposure" if plan.exposure else "treatment_effect",
        "exposure": "prognostic_association" if plan.treatment or plan.adjusts_for_baseline else "association",
        **{risk: risk for risk in RISKS},
    }.get(term, "covariate")
    if not plan.randomised and term in (INTERACTION, "treatment", *RISKS):
        estimand += "_associational"
    scale = "log_odds_ratio" if "logistic" in model.family else plan.outcome["scale"]
    if term in RISKS:
        scale = "risk" if term != "risk_difference" else "risk_difference"
    return {"estimand": estimand, "scale": scale, "at": at}


def _exposure_zero(plan: AnalysisPlan) -> str:
    """Return what the exposure is at the model's zero, where the coefficient of treatment is the contrast."""
    exposure = plan.exposure or {}
    if exposure["scale"] == "cut":
        return f"exposure not {exposure['cut']['operator']} {exposure['cut']['value']:g} {plan.unit}".strip()
    return "mean log2 exposure of the site" if plan.is_centred else f"exposure of 1 {plan.unit}".strip()


def _fit_joint(frame: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan) -> Regression:
    able, left_out = usable_sites(frame, model_spec(plan, model, several=False), plan.sites)
    fitted = try_fit(frame, plan, model, able) if able else "no site can take part"
    if isinstance(fitted, str):
        return Regression((), {**left_out, "all sites": fitted})
    return Regression((replace(fitted, site=None),), left_out)


def _fit_sites(frame: pl.DataFrame, plan: AnalysisPlan, model: ModelPlan) -> Regression:
    able, left_out = usable_sites(frame, model_spec(plan, model, several=False), plan.sites)
    tried = {site: try_fit(frame, plan, model, [site]) for site in able}
    left_out |= {site: fitted for site, fitted in tried.items() if isinstance(fitted, str)}
    in_order = {site: left_out[site] for site in plan.sites if site in left_out}
    return Regression(tuple(fitted for fitted in tried.values() if isinstance(fitted, Fitted)), in_order)


def _check_instruments(plan: AnalysisPlan, model: ModelPlan, instruments: Mapping[str, str]) -> None:
    different = sorted(set(instruments.values()))
    if len(different) > 1 and plan.outcome["scale"] == "points":
        raise EmberError(
            f"{model.id} would put raw scores of {', '.join(different)} into one model.",
            where=f"analyses/{plan.id}.yaml",
            fix="Use `scale: reference_sd`, or `pool: two_stage` within each instrument.",
        )


def _instruments(frame: pl.DataFrame) -> dict[str, str]:
    pairs = frame.select("site_id", "instrument").unique(maintain_order=True).drop_nulls().iter_rows()
    return dict(pairs)


def _site_row(
    plan: AnalysisPlan, model: ModelPlan, found: Regression, site: str, term: str, instruments: Mapping[str, str]
) -> Row:
    place = {**words(plan, model, term), "level": "site", "site": site, "instrument": instruments.get(site)}
    if site in found.left_out:
        reason = f"Not fitted: {found.left_out[site]}."
        return missing_row(plan, model, term, reason, **place)
    fitted = next(fitted for fitted in found.fits if fitted.site == site)
    return estimate_row(plan, model, term, fitted.effect(term), **fitted.details(plan.is_binary), **place)


def _joint_row(
    plan: AnalysisPlan, model: ModelPlan, found: Regression, term: str, instruments: Mapping[str, str]
) -> Row:
    place = {**words(plan, model, term), "level": "one_stage", "site": None}
    if not found.fits:
        return missing_row(plan, model, term, _left_out_note(found), **place)
    fitted = found.fits[0]
    details = fitted.details(plan.is_binary)
    alone = "One site: nothing is joined." if details["n_sites"] == 1 else ""
    details["note"] = _joined(alone, details["note"], _left_out_note(found))
    sites = [block.site for block in fitted.design.rows]
    instrument = _common_instrument(instruments, sites)
    return estimate_row(plan, model, term, fitted.effect(term), **details, **place, instrument=instrument)


def _pooled_row(
    plan: AnalysisPlan, model: ModelPlan, found: Regression, term: str, instruments: Mapping[str, str]
) -> Row:
    place = words(plan, model, term)
    effects = {fitted.site: fitted.effect(term) for fitted in found.fits}
    without = {str(site): "its error is not defined" for site, value in effects.items() if not _has_error(value)}
    found = replace(
        found, fits=tuple(f for f in found.fits if f.site not in without), left_out={**found.left_out, **without}
    )
    if not found.fits:
        return missing_row(plan, model, term, _left_out_note(found), **place, level="two_stage")
    pooled = pool_effects([effects[fitted.site] for fitted in found.fits], model)
    value = untested(pooled.effect) if term in ("risk_reference", "risk_active") else pooled.effect
    total = sum(fitted.design.n for fitted in found.fits)
    penalised = ", ".join(str(fitted.site) for fitted in found.fits if FIRTH in fitted.result.note)
    firth = f"Firth's penalised likelihood at: {penalised}." if penalised else ""
    details = pooled_details(pooled)
    details["note"] = _joined(details["note"], firth, _left_out_note(found))
    return estimate_row(
        plan,
        model,
        term,
        value,
        n=total,
        n_participants=total,
        n_events=sum(events(fitted.design) for fitted in found.fits) if plan.is_binary else None,
        instrument=_common_instrument(instruments, [str(fitted.site) for fitted in found.fits]),
        **place,
        **details,
    )


def _has_error(value: Effect) -> bool:
    return bool(np.isfinite(value.estimate) and np.isfinite(value.std_error) and value.std_error > 0)


def _left_out_note(found: Regression) -> str:
    if not found.left_out:
        return ""
    return f"Left out: {'; '.join(f'{site} ({reason})' for site, reason in found.left_out.items())}."


def _joined(*sentences: str) -> str:
    return " ".join(sentence for sentence in sentences if sentence)


def _common_instrument(instruments: Mapping[str, str], sites: Sequence[str]) -> str | None:
    used = {instruments[site] for site in sites if site in instruments}
    return used.pop() if len(used) == 1 else None
