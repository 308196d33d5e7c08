"""An endotype scheme and an analysis to begin with: examples that the study lead edits."""

from __future__ import annotations

from collections.abc import Sequence

from ember.draft.site import SiteDraft
from ember.draft.visits import PlannedVisit
from ember.draft.yaml_text import flow

SCHEME = """\
# An example to edit: the scheme of the demo study, on the first visit of this one.
scheme: hscrp_bands
version: 1
label: hsCRP bands
analyte: hscrp
unit: mg/L
visit: {visit}
acute: {{operator: ">", value: 10, state: acute_suspect}}
states:
  - {{rule: below_1, state: not_inflamed, below: {{operator: "<", value: 1}}}}
  - {{rule: from_1_to_3, state: intermediate, above: {{operator: ">=", value: 1}}, below: {{operator: "<=", value: 3}}}}
  - {{rule: above_3, state: inflamed_single, above: {{operator: ">", value: 3}}}}
inflamed: [inflamed_single]
source: "Bands of 1 and 3 mg/L and the acute threshold of 10 mg/L: AHA/CDC 2003 (cardiovascular, borrowed); above 3 mg/L as low-grade inflammation in depression: Osimo et al. 2019."
"""  # noqa: E501

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


def scheme_text(sites: Sequence[SiteDraft], visits: Sequence[PlannedVisit]) -> str:
    """Return an endotype scheme of hsCRP, or "" where no site measures it."""
    measured = any("hscrp" in analytes_of(site) for site in sites)
    return SCHEME.format(visit=_ids(visits)[0]) if measured else ""


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
    return "\n".join([*lines, *(["inflamed_share: hscrp_bands"] if scheme else [])]) + "\n"
