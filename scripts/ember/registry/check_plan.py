"""Cross-check analyses and the report against the study and the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ember.errors import EmberError
from ember.history.declared import COLUMNS as HISTORY
from ember.history.declared import has_history
from ember.registry.check_acute import acute_findings
from ember.registry.check_assays import platform_findings
from ember.registry.check_scheme import ANALYTE, analytes_of, included
from ember.registry.check_symptoms import within_findings
from ember.registry.known import unknown
from ember.registry.model import Study
from ember.registry.questionnaires import scores_of
from ember.registry.registry import Registry
from ember.registry.yaml_file import Keys, YamlFile
from ember.tables.contract import contract

POOLED = ("two_stage", "one_stage", "random_intercept")
DESIGN_COLUMNS = ("survey_weight", "survey_stratum", "survey_psu")

Content = dict[str, Any]


def analysis_findings(study: Study, analysis: Content, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield everything in an analysis that leads nowhere or does not fit together."""
    for part in ("exposure", "outcome"):
        if part in analysis:
            yield from _scale_findings(study, part, analysis[part], document)
    if "exposure" in analysis:
        analyte = analysis["exposure"]["analyte"]
        analytes = [row["analyte"] for row in registry.rows("analytes")]
        yield from unknown(analyte, analytes, ANALYTE, document, ("exposure", "analyte"))
        if analyte in analytes:
            yield from _measured(study, analyte, document, ("exposure", "analyte"))
    yield from platform_findings(study, analysis, registry, document)
    yield from _instrument_findings(study, analysis.get("outcome", {}), registry, document)
    yield from _treatment_findings(study, analysis.get("treatment", {}), registry, document)
    if "bands" in analysis:
        scheme = analysis["bands"]["scheme"]
        yield from unknown(scheme, study.schemes, "an endotype scheme of the study", document, ("bands", "scheme"))
    yield from acute_findings(study, analysis, document)
    yield from within_findings(study, analysis, registry, document)
    columns = [*contract("participants").mapped, *(HISTORY if has_history(study) else ())]
    for index, condition in enumerate(analysis.get("population", [])):
        keys = ("population", index, "column")
        yield from unknown(condition["column"], columns, "a column of participants", document, keys)
    yield from _model_findings(study, analysis, columns, document)


def _scale_findings(study: Study, part: str, content: Content, document: YamlFile) -> Iterator[EmberError]:
    visits = [visit.id for visit in study.visits]
    for key in ("visit", "baseline"):
        if key in content:
            yield from unknown(content[key], visits, "a visit of the study", document, (part, key))
    if (content["scale"] == "cut") != ("cut" in content):
        yield EmberError("`cut:` belongs to `scale: cut`, and only there.", where=document.place((part, "scale")))
    if content["scale"] == "response" and "baseline" not in content:
        yield EmberError("Response is a fall from `baseline:`, which is not named.", where=document.place((part,)))


def _measured(study: Study, analyte: str, document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    if not any(analyte in analytes_of(site) for site in included(study)):
        yield EmberError(f"No site of the analysis measures {analyte}.", where=document.place(keys))


def _instrument_findings(
    study: Study, outcome: Content, registry: Registry, document: YamlFile
) -> Iterator[EmberError]:
    if not outcome:
        return
    constructs = {row["instrument"]: row["construct"] for row in registry.rows("instruments")}
    used = {name for site in included(study) for name in scores_of(site, registry)}
    fitting = sorted(name for name in used if constructs.get(name) == outcome["construct"])
    if "instrument" in outcome:
        what = f"an instrument of {outcome['construct']} that a site of the analysis maps"
        yield from unknown(outcome["instrument"], fitting, what, document, ("outcome", "instrument"))
    elif not fitting:
        yield EmberError(
            f"No site maps an instrument of {outcome['construct']}.", where=document.place(("outcome", "construct"))
        )
    else:
        yield from _version_findings(fitting, registry, document)


def _version_findings(fitting: list[str], registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield versions of one instrument that a model would pool, as the analysis itself would refuse them."""
    pooled = [model["id"] for model in document.content["models"] if model.get("pool") in POOLED]
    groups: dict[str, list[str]] = {}
    for name in fitting:
        groups.setdefault(registry.row("instruments", name)["version_group"] or name, []).append(name)
    for versions in groups.values():
        if pooled and len(versions) > 1:
            yield EmberError(
                f"The model '{pooled[0]}' would pool versions of one instrument: {', '.join(versions)}.",
                where=document.place(("outcome",)),
                allowed=versions,
                fix="Say which under `instrument:`, or keep sites apart (`pool: by_site`).",
            )


def _treatment_findings(
    study: Study, treatment: Content, registry: Registry, document: YamlFile
) -> Iterator[EmberError]:
    names = [row["treatment"] for row in registry.rows("treatments")]
    arms = [table.columns["arm"] for site in included(study) for table in site.tables if "arm" in table.columns]
    given = {meaning for arm in arms for meaning in arm.codes.values()}
    for role, arm in treatment.items():
        yield from unknown(arm, names, "a treatment of config/registry/treatments.csv", document, ("treatment", role))
        if arm in names and arm not in given:
            yield EmberError(f"No site of the analysis has the arm {arm}.", where=document.place(("treatment", role)))


def _model_findings(study: Study, analysis: Content, columns: list[str], document: YamlFile) -> Iterator[EmberError]:
    ids: set[str] = set()
    for index, model in enumerate(analysis["models"]):
        keys: Keys = ("models", index)
        if model["id"] in ids:
            yield EmberError(f"Two models are named '{model['id']}'.", where=document.place((*keys, "id")))
        ids.add(model["id"])
        for column in model.get("covariates", []):
            yield from unknown(column, columns, "a column of participants", document, (*keys, "covariates"))
        family = model["family"]
        if family.startswith("survey"):
            yield from _survey_findings(study, analysis, document, (*keys, "family"))
        if family != "survey_proportion" and "exposure" not in analysis:
            yield EmberError("The model needs an `exposure:`.", where=document.place(keys))
        if "bands" in analysis and family != "survey_proportion":
            yield EmberError(
                "`bands:` goes with the family survey_proportion.", where=document.place((*keys, "family"))
            )


def _survey_findings(study: Study, analysis: Content, document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    if "survey" not in analysis:
        yield EmberError("A survey model needs the key `survey:`.", where=document.place(keys))
    for site in included(study):
        mapped = {name for table in site.tables for name in table.columns}
        absent = [name for name in DESIGN_COLUMNS if name not in mapped]
        if absent:
            what = f"A survey model needs {', '.join(absent)}, which the site {site.id} does not map."
            yield EmberError(what, where=document.place(keys))


def report_findings(study: Study, document: YamlFile) -> Iterator[EmberError]:
    """Yield everything in report.yaml that leads nowhere."""
    headline = study.report["headline"]
    keys: Keys = ("headline", "analysis")
    yield from unknown(headline["analysis"], study.analyses, "an analysis of the study", document, keys)
    if headline["analysis"] in study.analyses:
        models = {model["id"]: model for model in study.analyses[headline["analysis"]]["models"]}
        yield from unknown(headline["model"], models, "a model of that analysis", document, ("headline", "model"))
        apart = models.get(headline["model"], {}).get("pool") == "by_site"
        if apart and "site" not in headline:
            yield EmberError("The model keeps sites apart: name the `site:`.", where=document.place(("headline",)))
    if "site" in headline:
        names = [site.id for site in included(study)]
        yield from unknown(headline["site"], names, "a site of the analysis", document, ("headline", "site"))
    if "inflamed_share" in study.report:
        scheme = study.report["inflamed_share"]
        yield from unknown(scheme, study.schemes, "an endotype scheme of the study", document, ("inflamed_share",))
