"""An analysis file as a plan: typed, with the defaults filled in, and the words that its estimates carry."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from ember.errors import EmberError

LOGISTIC_COVARIANCES = ("classical", "hc0")


@dataclass(frozen=True)
class ModelPlan:
    """One model of an analysis; the fields carry the names of the YAML keys."""

    id: str
    family: str
    covariance: str = "hc3"
    covariates: tuple[str, ...] = ()
    pool: str = "by_site"
    tau2: str = "reml"
    interval: str = "hartung_knapp"
    baseline_slope: str = "by_site"
    residual_variance: str = "by_site"
    risk_difference: bool = False
    curve: bool = False


@dataclass(frozen=True)
class AnalysisPlan:
    """An analysis as it is fitted. `labels` holds the columns that every estimate of it shares."""

    id: str
    models: tuple[ModelPlan, ...]
    sites: tuple[str, ...]
    treatment: dict[str, str] | None
    exposure: dict[str, Any] | None
    outcome: dict[str, Any]
    bands: str | None
    composite: dict[str, Any] | None
    lonely: str
    randomised: bool
    family: str | None
    adjust: str
    unit: str
    labels: dict[str, Any] = field(default_factory=dict)

    @property
    def adjusts_for_baseline(self) -> bool:
        return "baseline" in self.outcome

    @property
    def is_binary(self) -> bool:
        return self.outcome.get("scale") in {"response", "remission", "cut"}

    @property
    def is_centred(self) -> bool:
        return bool(self.exposure) and (self.exposure or {}).get("centre") == "within_site"


def analysis_plan(content: dict[str, Any], sites: list[str], design: str, unit: str) -> AnalysisPlan:
    """Return the plan of a schema-valid analysis.

    Parameters
    ----------
    content : dict
        The analysis file.
    sites : list of str
        Sites that are analysed, in study order.
    design : str
        Design of the study; only a randomised one gives contrasts of treatments.
    unit : str
        Canonical unit of the exposure's analyte, empty without an exposure.

    Raises
    ------
    EmberError
        A model asks for something that its family or the analysis does not have.
    """
    treatment = content.get("treatment")
    exposure = content.get("exposure")
    outcome = content.get("outcome", {})
    multiplicity = content.get("multiplicity", {})
    hashed = json.dumps({"analysis": content, "sites": sites}, sort_keys=True, ensure_ascii=False)
    labels = {
        "analysis": content["analysis"],
        "population": content["estimand"]["population"],
        "visit": outcome.get("visit"),
        "outcome": f"{outcome['construct']} ({outcome['scale']})" if outcome else "endotype state",
        "exposure": exposure["analyte"] if exposure else None,
        "exposure_scale": _exposure_scale(exposure) if exposure else None,
        "contrast": f"{treatment['active']} v {treatment['reference']}" if treatment else None,
        "scheme": content.get("bands", {}).get("scheme"),
        "missing_data_method": "complete_cases",
        "family": multiplicity.get("family"),
        "plan_hash": hashlib.sha256(hashed.encode()).hexdigest()[:16],
    }
    survey = content.get("survey", {})
    plan = AnalysisPlan(
        id=content["analysis"],
        models=tuple(_model(model) for model in content["models"]),
        sites=tuple(sites),
        treatment=treatment,
        exposure=exposure,
        outcome=outcome,
        bands=content.get("bands", {}).get("scheme"),
        composite=content.get("composite"),
        lonely=survey.get("lonely", "fail"),
        randomised=design == "randomised",
        family=multiplicity.get("family"),
        adjust=multiplicity.get("method", "none"),
        unit=unit,
        labels=labels,
    )
    for model in plan.models:
        _check(plan, model)
    return plan


def _check(plan: AnalysisPlan, model: ModelPlan) -> None:
    """Refuse what would otherwise be ignored without a word."""
    logistic, survey = model.family == "logistic", model.family.startswith("survey")
    several = model.pool in {"two_stage", "random_intercept"}
    response = plan.outcome.get("scale") == "response"
    refusals = {
        "`risk_difference` needs a logistic model and a `treatment:`.": model.risk_difference
        and not (logistic and plan.treatment),
        "`curve` needs a `treatment:` and an exposure on the scale log2.": model.curve
        and not (plan.treatment and plan.exposure and plan.exposure["scale"] == "log2"),
        "A logistic model needs an outcome on the scale response, remission or cut.": model.family
        in {"logistic", "survey_logistic"}
        and not plan.is_binary,
        "A proportion needs `bands:` or an outcome on the scale response, remission or cut.": model.family
        == "survey_proportion"
        and not (plan.is_binary or plan.bands),
        f"A logistic model has no covariance '{model.covariance}'; allowed: {', '.join(LOGISTIC_COVARIANCES)}.": (
            logistic and model.covariance not in LOGISTIC_COVARIANCES
        ),
        "A logistic model with a random intercept is not available.": logistic and model.pool == "random_intercept",
        "A survey model has no treatment contrast.": survey and bool(plan.treatment),
        "A survey model does not adjust for a baseline score.": survey and plan.adjusts_for_baseline and not response,
        "A survey model joins sites as one_stage or keeps them apart as by_site.": survey and several,
        "Shares are never pooled over sites, whose assays no bridge joins: by_site.": (
            model.family == "survey_proportion" and model.pool != "by_site"
        ),
    }
    for what, holds in refusals.items():
        if holds:
            raise EmberError(what, where=f"analyses/{plan.id}.yaml  {model.id}")


def _model(entry: dict[str, Any]) -> ModelPlan:
    default = {} if entry["family"] == "ancova" else {"covariance": "classical"}
    return ModelPlan(**{**default, **entry, "covariates": tuple(entry.get("covariates", ()))})


def _exposure_scale(exposure: dict[str, Any]) -> str:
    if exposure["scale"] == "cut":
        return f"{exposure['cut']['operator']} {exposure['cut']['value']:g}"
    return "log2, centred within site" if exposure.get("centre") == "within_site" else "log2"
