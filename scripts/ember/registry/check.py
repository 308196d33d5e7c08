"""Cross-check a study against the registry and itself: all findings, before the first job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ember.errors import EmberError
from ember.registry.check_plan import analysis_findings, report_findings, scheme_findings
from ember.registry.check_site import site_findings
from ember.registry.known import unknown
from ember.registry.model import Source, Study
from ember.registry.registry import KEYS, Registry
from ember.registry.yaml_file import YamlFile


def cross_check(study: Study, registry: Registry, documents: dict[str, Any]) -> list[EmberError]:
    """Return every reference in the study that leads nowhere.

    Parameters
    ----------
    documents : dict
        The YAML files by kind (study, sites, schemes, analyses, report), for places in messages.
    """
    findings = list(_study_findings(study, registry, documents["study"]))
    for source in study.sources.values():
        findings.extend(_source_findings(study, source, documents["study"]))
    for site in study.sites.values():
        findings.extend(site_findings(study, site, registry, documents["sites"][site.id]))
    for name, scheme in study.schemes.items():
        findings.extend(scheme_findings(study, scheme, registry, documents["schemes"][name]))
    for name, analysis in study.analyses.items():
        findings.extend(analysis_findings(study, analysis, registry, documents["analyses"][name]))
    findings.extend(report_findings(study, documents["report"]))
    return findings


def _study_findings(study: Study, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    profiles = [row["profile"] for row in registry.rows("disclosure")]
    yield from unknown(study.disclosure, profiles, "a disclosure profile", document, ("disclosure",))
    hiding = [row["profile"] for row in registry.rows("disclosure") if row["threshold"] != "0"]
    if study.privacy == "restricted" and study.disclosure in set(profiles) - set(hiding):
        yield EmberError(
            f"The profile '{study.disclosure}' hides no count, and the data are restricted.",
            where=document.place(("disclosure",)),
            allowed=hiding,
        )
    for site in study.excluded_sites:
        yield from unknown(site, study.sites, "a site of the study", document, ("exclude_sites",))
    if set(study.sites) <= set(study.excluded_sites):
        yield EmberError("Every site is excluded.", where=document.place(("exclude_sites",)))
    for visit in study.visits:
        if not visit.first <= visit.day <= visit.last:
            yield EmberError("The planned day lies outside the window.", where=document.place(("visits", visit.id)))
    yield from _answer_findings(study, document)
    for index, entry in enumerate(study.resolved["study"].get("overrides", [])):
        keys = ("overrides", index, "table")
        yield from unknown(entry["table"], KEYS, "a table of config/registry", document, keys)


def _answer_findings(study: Study, document: YamlFile) -> Iterator[EmberError]:
    answered: set[str] = set()
    for index, answer in enumerate(study.answers):
        keys = ("findings", index, "finding")
        yield from unknown(answer.finding.split(":")[1], study.sites, "a site of the study", document, keys)
        if answer.finding in answered:
            yield EmberError(f"'{answer.finding}' is answered twice.", where=document.place(keys))
        answered.add(answer.finding)


def _source_findings(study: Study, source: Source, document: YamlFile) -> Iterator[EmberError]:
    keys = ("sources", source.id)
    if source.format == "excel" and source.sheet is None:
        yield EmberError("An Excel source needs its `sheet:`.", where=document.place(keys))
    if not source.path.is_file() and source.url is None:
        variants = study.resolved["study"]["sources"][source.id].get("variants", {})
        others = [name for name in variants if name != source.variant]
        another = f" Another variant is {' or '.join(others)}." if others else ""
        yield EmberError(
            "The file does not exist.", where=document.place(keys), fix=f"Looked for {source.shown_path}.{another}"
        )
    if source.dictionary and not source.dictionary.is_file():
        yield EmberError("The data dictionary does not exist.", where=document.place((*keys, "dictionary")))
    if not study.sites_of(source.id):
        yield EmberError("No site reads this source.", where=document.place(keys))
