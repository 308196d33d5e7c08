"""Estimates in words: what a term is, what one unit of it means, and which side favours whom."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ember.reporting.facts import INTERACTION, PROPORTIONS, RATIOS, Facts, Row
from ember.reporting.numbers import (
    decimal_text,
    interval_text,
    percent_interval_text,
    range_text,
)
from ember.reporting.words import lower_is_better, plain, scale_unit


@dataclass(frozen=True)
class Shown:
    """An estimate on the scale on which people read it: odds ratios for log odds, shares as they are."""

    estimate: float | None
    low: float | None
    high: float | None
    pred_low: float | None
    pred_high: float | None
    text: str
    prediction: str


def is_ratio(row: Row) -> bool:
    return row["scale"] in RATIOS


def shown(row: Row) -> Shown:
    """Return the numbers of an estimate as they are shown."""
    names = ("estimate", "conf_low", "conf_high", "pred_low", "pred_high")
    values = [row[name] for name in names]
    if is_ratio(row):
        values = [None if value is None else math.exp(value) for value in values]
    estimate, low, high, pred_low, pred_high = values
    text, prediction = interval_text(estimate, low, high), range_text(pred_low, pred_high)
    if row["scale"] in PROPORTIONS:
        text, prediction = percent_interval_text(estimate, low, high), _percent_range(pred_low, pred_high)
    return Shown(estimate, low, high, pred_low, pred_high, text, prediction)


def _percent_range(low: float | None, high: float | None) -> str:
    return "–" if low is None or high is None else f"{decimal_text(100 * low, 1)} to {decimal_text(100 * high, 1)} %"


def scale_words(row: Row) -> str:
    """Return the unit of the shown estimate."""
    if is_ratio(row):
        return "odds ratio"
    return {"proportion": "share", "risk": "risk", "risk_difference": "difference of risks"}.get(
        row["scale"], scale_unit(row["scale"]).strip() or plain(row["scale"])
    )


def step_words(facts: Facts, row: Row) -> str:
    """Return what one unit of the exposure is: "per doubling of hsCRP"."""
    if row["exposure"] is None:
        return ""
    analyte = facts.names.analyte(row["exposure"])
    scale = row["exposure_scale"] or ""
    return f"per doubling of {analyte}" if scale.startswith("log2") else f"{analyte} {scale} v not"


def term_words(facts: Facts, row: Row) -> str:
    """Return what an estimate is of, in a phrase."""
    analysis = facts.study.analyses.get(row["analysis"], {})
    term = row["term"]
    if term == INTERACTION:
        what = "Ratio of the treatment's odds ratios" if is_ratio(row) else "Change of the treatment effect"
        return f"{what} {step_words(facts, row)}"
    if term == "exposure":
        people = " in the reference arm" if analysis.get("treatment") else ""
        return (
            f"Difference {step_words(facts, row)}{people}"
            if not is_ratio(row)
            else f"Odds ratio {step_words(facts, row)}{people}"
        )
    if term == "treatment":
        at = f" at mean {facts.names.analyte(row['exposure'])}" if row["exposure"] else ""
        return f"Treatment {'odds ratio' if is_ratio(row) else 'effect'}{at}"
    known = {
        "risk_active": "Standardised risk, active arm",
        "risk_reference": "Standardised risk, reference arm",
        "risk_difference": "Difference of standardised risks",
        "composite_sd": "Standard deviation of the composite",
    }
    if term in known:
        return known[term]
    if row["scheme"]:
        return facts.names.state(term)
    if row["scale"] == "proportion":
        return (
            str(term)
            .replace("outcome", facts.names.instrument_short(row["instrument"]) or "outcome")
            .replace(">=", "≥")
            .replace("<=", "≤")
        )
    return _covariate(str(term))


def _covariate(term: str) -> str:
    name, _, level = term.partition("_")
    fixed = {"age": "Age, per year", "bmi": "Body mass index, per kg/m²"}
    if not level:
        return fixed.get(name, plain(term).capitalize())
    return f"{name.capitalize()}: {plain(level)}"


def contrast_words(facts: Facts, analysis: dict[str, Any]) -> str:
    """Return "A compared with B" from the arms of an analysis."""
    arms = analysis.get("treatment")
    if not arms:
        return ""
    return f"{facts.names.treatment(arms['active'])} compared with {facts.names.treatment(arms['reference'])}"


def sides(facts: Facts, row: Row) -> tuple[str, str]:
    """Return what lies left and right of no effect, in words; empty where the design or outcome does not say."""
    analysis = facts.study.analyses.get(row["analysis"], {})
    lower = lower_is_better(analysis, facts.registry)
    if row["term"] in (INTERACTION, "treatment", "risk_difference") and analysis.get("treatment") and lower is not None:
        active = facts.names.treatment(analysis["treatment"]["active"])
        gain, loss = f"favours {active}", "favours the reference"
        if row["term"] == INTERACTION:
            analyte = facts.names.analyte(row["exposure"])
            gain, loss = f"benefit grows with {analyte}", f"benefit shrinks with {analyte}"
        return (gain, loss) if lower else (loss, gain)
    if row["term"] == "exposure" and lower is True:
        return ("fewer symptoms", "more symptoms")
    return ("", "")
