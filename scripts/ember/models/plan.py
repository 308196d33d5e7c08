"""An analysis file as a plan: typed, with the defaults filled in, and the words that its estimates carry."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any


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
    weight_divisor: float
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
        return self.outcome["scale"] in {"response", "remission", "cut"}


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
    """
    treatment = content.get("treatment")
    exposure = content.get("exposure")
    outcome = content["outcome"]
    multiplicity = content.get("multiplicity", {})
    hashed = json.dumps({"analysis": content, "sites": sites}, sort_keys=True, ensure_ascii=False)
    labels = {
        "analysis": content["analysis"],
        "population": content["estimand"]["population"],
        "visit": outcome["visit"],
        "outcome": f"{outcome['construct']} ({outcome['scale']})" if "bands" not in content else "endotype state",
        "exposure": exposure["analyte"] if exposure else None,
        "exposure_scale": _exposure_scale(exposure) if exposure else None,
        "contrast": f"{treatment['active']} v {treatment['reference']}" if treatment else None,
        "scheme": content.get("bands", {}).get("scheme"),
        "missing_data_method": "complete_cases",
        "family": multiplicity.get("family"),
        "plan_hash": hashlib.sha256(hashed.encode()).hexdigest()[:16],
    }
    survey = content.get("survey", {})
    return AnalysisPlan(
        id=content["analysis"],
        models=tuple(_model(model) for model in content["models"]),
        sites=tuple(sites),
        treatment=treatment,
        exposure=exposure,
        outcome=outcome,
        bands=content.get("bands", {}).get("scheme"),
        composite=content.get("composite"),
        weight_divisor=float(survey.get("weight_divisor", 1.0)),
        lonely=survey.get("lonely", "fail"),
        randomised=design == "randomised",
        family=multiplicity.get("family"),
        adjust=multiplicity.get("method", "none"),
        unit=unit,
        labels=labels,
    )


def _model(entry: dict[str, Any]) -> ModelPlan:
    default = {} if entry["family"] == "ancova" else {"covariance": "classical"}
    return ModelPlan(**{**default, **entry, "covariates": tuple(entry.get("covariates", ()))})


def _exposure_scale(exposure: dict[str, Any]) -> str:
    if exposure["scale"] == "cut":
        return f"{exposure['cut']['operator']} {exposure['cut']['value']:g}"
    return "log2, centred within site" if exposure.get("centre") == "within_site" else "log2"
