"""Words of the report: names of things, and sentences whose verbs the design carries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ember.endotypes.comparable import NOT_COMPARED
from ember.registry.model import Study
from ember.registry.registry import Registry

CAUTION = (
    "Inflammation here is a stratification signal, not a diagnosis, not a treatment rule. The framework asks for "
    "biomarker-enriched trials before any clinical use, and for equity and feasibility."
)
PROTECTED = (
    "“{mark}” stands for a protected count: from 1 to {last}, or held back "
    "because such a count could be worked out from "
    "it. “*” is a protected count among parts of which at least one is larger; "
    "“protected” is a whole. What is computed "
    "from a protected count is left out (–)."
)
STATES = {
    "not_inflamed": "Not inflamed",
    "intermediate": "Intermediate",
    "inflamed_single": "Inflamed, one sample",
    "inflamed_persistent": "Inflamed, repeated",
    "inflamed_supported": "Inflamed, supported by cytokines",
    "inflamed_unsupported": "Inflamed, not supported by cytokines",
    NOT_COMPARED: "Raised, support by cytokines not compared",
    "immuno_metabolic": "Immuno-metabolic",
    "inflamed_not_metabolic": "Inflamed, not metabolic",
    "acute_suspect": "Possible acute inflammation",
    "persistent_above_10": "Persistently above the acute cut",
    "discordant": "Discordant samples",
    "indeterminate": "Indeterminate",
}
SCALES = {
    "reference_sd": "SD",
    "points": "points",
    "proportion": "",
    "risk": "",
    "risk_difference": "",
    "log_odds_ratio": "log odds ratio",
    "log_odds": "log odds",
}
DESIGNS = {"randomised": "randomised", "cohort": "cohort", "cross_sectional": "cross-sectional"}


@dataclass(frozen=True)
class Names:
    """Ids in words, from the study and the registry."""

    study: Study
    registry: Registry

    def site(self, site: str | None) -> str:
        if site is None or site == "all":
            return "All cycles" if self.study.time_zero == "survey" else "All sites"
        known = self.study.sites.get(site)
        return known.label if known is not None else site

    def analyte(self, analyte: str) -> str:
        """Return the short name by which a clinician knows an analyte."""
        short = SHORT_ANALYTES.get(analyte)
        if short is not None:
            return short
        return self._label("analytes", analyte)

    def treatment(self, treatment: str) -> str:
        label = self._label("treatments", treatment)
        return label[:1].lower() + label[1:]

    def instrument(self, instrument: str | None) -> str:
        return "" if instrument is None else self._label("instruments", instrument)

    def instrument_short(self, instrument: str | None) -> str:
        """Return "PHQ-9" for the ids that people say as letters and a number, else the label."""
        known = {"phq9": "PHQ-9", "hamd17": "HAMD-17", "madrs": "MADRS", "qids_sr16": "QIDS-SR16"}
        return known.get(instrument or "", self.instrument(instrument))

    @property
    def sites_word(self) -> str:
        """Return what the study calls its sites: a survey has cycles."""
        return "survey cycles" if self.study.time_zero == "survey" else "sites"

    @property
    def site_word(self) -> str:
        return "Survey cycle" if self.study.time_zero == "survey" else "Site"

    def state(self, state: str) -> str:
        return STATES.get(state, plain(state))

    def assay(self, assay: str | None) -> str:
        return "not stated" if not assay else self._label("assays", assay)

    def _label(self, table: str, key: str) -> str:
        return self.registry.row(table, key)["label"] if self.registry.has(table, key) else plain(key)


SHORT_ANALYTES = {
    "hscrp": "hsCRP", "il6": "IL-6", "tnf": "TNF-α", "il1b": "IL-1β", "il8": "IL-8", "il10": "IL-10", "ifng": "IFN-γ",
    "il1ra": "IL-1RA", "crp_standard": "CRP",
}  # fmt: skip


def plain(identifier: str | None) -> str:
    """Return an id as words: `week_12` is "week 12"."""
    return "" if not identifier else identifier.replace("_", " ")


def unit_text(unit: str) -> str:
    """Return a UCUM unit as people write it."""
    return unit.replace("10*9", "10⁹")


def inside(text: str) -> str:
    """Return a title as it stands within a sentence: a capital stays where an abbreviation begins."""
    return text[:1].lower() + text[1:] if text[1:2].islower() or text[1:2] == " " else text


def sentence(text: str) -> str:
    """Return text with a capital first letter and a full stop."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text[-1] in ".!?" else ".")


def joined(items: list[str], last: str = "and") -> str:
    """Return "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def is_causal(study: Study) -> bool:
    """Return whether treatment was randomised, so that the words may say that it changes something."""
    return study.design == "randomised"


def scale_unit(scale: str) -> str:
    """Return the unit behind an estimate, with its leading space."""
    unit = SCALES.get(scale, plain(scale))
    return f" {unit}" if unit else ""


def lower_is_better(analysis: dict[str, Any], registry: Registry) -> bool | None:
    """Return whether a lower value of the outcome is better; None where the instruments do not say."""
    outcome = analysis.get("outcome") or {}
    if outcome.get("scale") in ("response", "remission"):
        return False
    if outcome.get("scale") == "cut":
        return None
    rows = [row for row in registry.rows("instruments") if row["construct"] == outcome.get("construct")]
    if outcome.get("instrument"):
        rows = [row for row in rows if row["instrument"] == outcome["instrument"]]
    directions = {row["direction"] for row in rows}
    return None if len(directions) != 1 else directions == {"higher_worse"}


def not_meant(study: Study, analyte: str) -> str:
    """Return what the headline does not mean, by design."""
    if study.design == "cross_sectional":
        return (
            "Blood and questionnaire come from one visit of each person: this is cross-sectional, an association, not "
            f"response to treatment. It does not say that {analyte} causes depression, nor that depression raises it, "
            "nor how anyone would respond to a treatment."
        )
    if study.design == "randomised":
        return (
            f"It does not mean that {analyte} tells which treatment a person should have, nor that lowering it would "
            f"change the outcome: treatment was randomised, {analyte} was not."
        )
    return (
        "Treatment was not randomised: this is an association, and people given one treatment may differ from people "
        f"given another in ways that were not measured. It does not mean that {analyte} tells which treatment a person "
        "should have."
    )
