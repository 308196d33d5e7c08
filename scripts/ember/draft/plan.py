"""An endotype scheme and an analysis to begin with: examples that the study lead edits."""

from __future__ import annotations

from collections.abc import Sequence

from ember.draft.site import SiteDraft
from ember.draft.visits import PlannedVisit, placeholder_windows
from ember.draft.yaml_text import flow

SCHEME_ID = "hscrp_first"
BEFORE_TREATMENT = ("randomisation", "treatment_start")
SCHEME = """\
# An example to edit: the shipped scheme hscrp_bands on samples of the first visit of this study.
scheme: {scheme}
version: 1
label: hsCRP bands
analyte: hscrp
unit: mg/L
thresholds:
  hscrp_at_least_1: hscrp >= 1
  hscrp_high: hscrp > 3
  hscrp_acute: hscrp > 10
rules:                               # from the highest down; the first that holds
  - {{rule: above_3, when: hscrp_high, state: inflamed}}
  - {{rule: from_1_to_3, when: hscrp_at_least_1, state: intermediate}}
  - {{rule: below_1, state: not_inflamed}}
acute: hscrp_acute
samples: {{from: {first}, to: {last}, apart: 14}}   # study days; only samples before treatment
inflamed: [inflamed_single, inflamed_persistent]
persistent_above_10: out
sources:
  - "Bands of 1 and 3 mg/L and repeating a sample above 10 mg/L: AHA/CDC 2003 (cardiovascular, borrowed)."
  - "Above 3 mg/L as low-grade inflammation in depression: Osimo et al. 2019."
"""

ANALYSIS = """\
# An example to edit: an association, not an effect. Write the estimand before any outcome is looked at.
analysis: first
title: Inflammation and severity, a first analysis to edit
role: descriptive
estimand:
  population: all participants of the sites
  endpoint: depressive severity at {last}
  summary: difference in severity per doubling of the biomarker at {first}
exposure: {{analyte: {analyte}, visit: {first}, scale: log2, centre: within_site, below_limit: fill_lod_sqrt2}}
outcome: {outcome}
models:
  - {{id: two_stage, family: ancova, covariance: hc3, covariates: {covariates}, pool: two_stage, tau2: reml, interval: hartung_knapp}}
"""  # noqa: E501


def analytes_of(site: SiteDraft) -> list[str]:
    """Return the analytes that a site's draft maps."""
    found: dict[str, None] = {}
    for table in site.tables:
        found |= dict.fromkeys(table.mapping.get("measurements", {}))
        found |= dict.fromkeys(table.mapping.get("laboratory", {}).get("analyte", {}).get("codes", {}).values())
    return list(found)


def scheme_text(sites: Sequence[SiteDraft], visits: Sequence[PlannedVisit], time_zero: str) -> str:
    """Return an endotype scheme of hsCRP, or "" where no site measures it."""
    if not any("hscrp" in analytes_of(site) for site in sites):
        return ""
    windows = {visit.id: (first, last) for visit, first, last in placeholder_windows(visits)}
    first, last = windows.get(_ids(visits)[0], (-28, 0))
    return SCHEME.format(scheme=SCHEME_ID, first=first, last=min(last, 0) if time_zero in BEFORE_TREATMENT else last)


def analysis_text(sites: Sequence[SiteDraft], visits: Sequence[PlannedVisit]) -> str:
    """Return one analysis of the biomarkers and visits that the draft has."""
    found = [analyte for site in sites for analyte in analytes_of(site)]
    analyte = "hscrp" if "hscrp" in found or not found else found[0]
    ids = _ids(visits)
    outcome = {"construct": "severity", "visit": ids[-1]}
    if len(ids) > 1:
        outcome["baseline"] = ids[0]
    mapped = [set().union(*(table.mapping.get("columns", {}) for table in site.tables)) for site in sites]
    covariates = [name for name in ("age", "sex") if all(name in names for names in mapped)]
    return ANALYSIS.format(
        first=ids[0],
        last=ids[-1],
        analyte=analyte,
        outcome=flow({**outcome, "scale": "reference_sd"}),
        covariates=flow(covariates),
    )


def _ids(visits: Sequence[PlannedVisit]) -> list[str]:
    dated = [visit.id for visit in visits if visit.day is not None and visit.id != "screening"]
    return dated or ["baseline"]


def report_text(scheme: bool) -> str:
    """Return report.yaml."""
    lines = ["headline: {analysis: first, model: two_stage}"]
    return "\n".join([*lines, *([f"inflamed_share: {SCHEME_ID}"] if scheme else [])]) + "\n"
