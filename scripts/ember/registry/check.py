"""Cross-check a study against the registry and itself: all findings, before the first job."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ember.errors import EmberError
from ember.registry.check_composites import (
    comparison_findings,
    composite_findings,
    first_page_findings,
    selection_findings,
)
from ember.registry.check_decisions import decision_findings
from ember.registry.check_join import join_findings, joined_by
from ember.registry.check_mixture import mixture_findings
from ember.registry.check_plan import analysis_findings, report_findings
from ember.registry.check_scheme import scheme_findings
from ember.registry.check_site import site_findings
from ember.registry.check_source import path_findings, source_key_findings
from ember.registry.check_treatments import dtd_findings
from ember.registry.check_usual_level import usual_level_findings
from ember.registry.check_verdict import verdict_findings
from ember.registry.known import unknown
from ember.registry.model import Source, Study
from ember.registry.registry import KEYS, Registry
from ember.registry.yaml_file import YamlFile


def cross_check(study: Study, registry: Registry, documents: dict[str, Any]) -> list[EmberError]:
    """Return every reference in the study that leads nowhere.

    Parameters
    ----------
    documents : dict
        The YAML files by kind (study, sites, schemes, analyses, report, verdicts), for places in messages.

    Notes
    -----
    A file that breaks its schema is not among the documents. What may refer to it is then not checked: nobody can
    say whether the reference leads anywhere.
    """
    findings: list[EmberError] = []
    for site in study.sites.values():
        findings.extend(site_findings(study, site, registry, documents["sites"][site.id]))
        findings.extend(selection_findings(site, registry, documents["sites"][site.id]))
    whole = _complete(study, "sites", study.sites)
    for source in study.sources.values():
        if whole or study.sites_of(source.id):
            findings.extend(_source_findings(study, source, documents))
    if not whole:
        return findings
    findings[:0] = _study_findings(study, registry, documents["study"])
    findings.extend(decision_findings(study, documents["sites"]))
    for name, scheme in study.schemes.items():
        findings.extend(scheme_findings(study, scheme, registry, documents["schemes"][name]))
        findings.extend(composite_findings(study, scheme, registry, documents["schemes"][name]))
        findings.extend(usual_level_findings(scheme, registry, documents["schemes"][name]))
    for name, plan in study.verdicts.items():
        findings.extend(verdict_findings(study, plan, registry, documents["verdicts"][name]))
    for name, mixture in study.mixtures.items():
        findings.extend(mixture_findings(study, mixture, registry, documents["mixtures"][name]))
    if not _complete(study, "endotypes", study.schemes):
        return findings
    for name, analysis in study.analyses.items():
        if "way_of" in analysis:
            continue  # it says what the analysis says of which it is a way
        findings.extend(analysis_findings(study, analysis, registry, documents["analyses"][name]))
        findings.extend(comparison_findings(study, analysis, documents["analyses"][name]))
    if _complete(study, "analyses", study.analyses) and "headline" in study.report:
        findings.extend(report_findings(study, documents["report"]))
        findings.extend(first_page_findings(study, documents["report"]))
    return findings


def _complete(study: Study, kind: str, found: Collection[str]) -> bool:
    return set(study.resolved["study"].get(kind, ())) <= set(found)


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
    yield from _consent_findings(study, document)
    yield from _visit_findings(study, document)
    yield from dtd_findings(study, registry, document)
    for index, entry in enumerate(study.resolved["study"].get("overrides", [])):
        keys = ("overrides", index, "table")
        yield from unknown(entry["table"], KEYS, "a table of config/registry", document, keys)


def _consent_findings(study: Study, document: YamlFile) -> Iterator[EmberError]:
    """Yield the sites that do not tell what the study needs to know; what nobody tells would take everybody out."""
    for site in study.sites.values():
        told = {purpose for table in site.tables if table.consent for purpose in table.consent.purposes}
        absent = [purpose for purpose in study.consent_required if purpose not in told]
        if absent and site.id not in study.excluded_sites:
            yield EmberError(
                f"The site {site.id} does not tell about consent to {' and '.join(absent)}.",
                where=document.place(("consent", "required")),
                fix=f"Map it under `consent:` of a table in sites/{site.id}.yaml, or exclude the site.",
            )
        if told and not study.consent_required:
            yield EmberError(
                f"The site {site.id} tells about consent, and the study does not say which purposes it needs.",
                where=document.place(()),
                fix="Write `consent: {required: [...]}` in study.yaml.",
            )


def _visit_findings(study: Study, document: YamlFile) -> Iterator[EmberError]:
    known = [visit.id for visit in study.visits]
    for index, visit in enumerate(study.locked_visits):
        yield from unknown(visit, known, "a visit of the study", document, ("locked_visits", index))
    for name, source in study.resolved["study"]["sources"].items():
        for index, entry in enumerate(source.get("announced", ())):
            keys = ("sources", name, "announced", index, "visit")
            yield from unknown(entry["visit"], known, "a visit of the study", document, keys)


def _answer_findings(study: Study, document: YamlFile) -> Iterator[EmberError]:
    answered: set[str] = set()
    for index, answer in enumerate(study.answers):
        keys = ("findings", index, "finding")
        yield from unknown(answer.finding.split(":")[1], study.sites, "a site of the study", document, keys)
        if answer.finding in answered:
            yield EmberError(f"'{answer.finding}' is answered twice.", where=document.place(keys))
        answered.add(answer.finding)


def _source_findings(study: Study, source: Source, documents: dict[str, Any]) -> Iterator[EmberError]:
    keys, document = ("sources", source.id), documents["study"]
    yield from source_key_findings(study, source, document)
    outside = list(path_findings(study, source, documents))
    yield from outside
    if outside:
        return  # nobody asks whether a file outside of the data folder is there
    if not source.path.is_file() and source.url is None and not source.brought:
        variants = study.resolved["study"]["sources"][source.id].get("variants", {})
        others = [name for name in variants if name != source.variant]
        another = f" Another variant is {' or '.join(others)}." if others else ""
        yield EmberError(
            "The file does not exist.", where=document.place(keys), fix=f"Looked for {source.shown_path}.{another}"
        )
    if source.dictionary and not source.dictionary.is_file():
        yield EmberError("The data dictionary does not exist.", where=document.place((*keys, "dictionary")))
    yield from join_findings(study, source, document)
    if not study.sites_of(source.id) and not joined_by(study, source.id):
        yield EmberError("No site reads this source.", where=document.place(keys))
