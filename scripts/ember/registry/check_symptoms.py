"""Refuse an analysis whose outcome shares items with the symptoms by which its participants were labelled."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ember.endotypes.scheme import scheme_rules
from ember.errors import EmberError
from ember.registry.check_scheme import included
from ember.registry.known import unknown
from ember.registry.model import Study
from ember.registry.questionnaires import scores_of
from ember.registry.registry import Registry
from ember.registry.yaml_file import Keys, YamlFile

Content = dict[str, Any]


def within_findings(study: Study, analysis: Content, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield what is wrong with the states to which an analysis is restricted."""
    declared = analysis.get("within")
    if declared is None:
        return
    keys = ("within", "scheme")
    yield from unknown(declared["scheme"], study.schemes, "an endotype scheme of the study", document, keys)
    if declared["scheme"] not in study.schemes:
        return
    try:
        classes = scheme_rules(study.schemes[declared["scheme"]]).classes
    except EmberError:
        return  # the scheme's own finding
    for index, state in enumerate(declared["states"]):
        what = f"a state of the scheme {declared['scheme']}"
        yield from unknown(state, classes, what, document, ("within", "states", index))
    if "bands" in analysis and analysis["bands"]["scheme"] != declared["scheme"]:
        yield EmberError("`within:` and `bands:` name two schemes.", where=document.place(keys))
    cross_fitted = bool(declared.get("cross_fitted"))
    yield from leak_findings(study, declared["scheme"], analysis, registry, document, keys, cross_fitted=cross_fitted)


def leak_findings(
    study: Study,
    scheme: str,
    analysis: Content,
    registry: Registry,
    document: YamlFile,
    keys: Keys,
    *,
    cross_fitted: bool,
) -> Iterator[EmberError]:
    """Yield a finding where the outcome of an analysis holds items by which a scheme labels the participants.

    Parameters
    ----------
    scheme : str
        Scheme by whose states the analysis groups or chooses participants.
    cross_fitted : bool
        The analysis says that the states of each participant are derived without their own outcome.
    """
    shared = shared_instruments(study, study.schemes[scheme], analysis, registry)
    if not shared:
        return
    names = " and ".join(shared)
    if cross_fitted:
        yield EmberError(
            f"Cross-fitting of {scheme} is not available yet, and its symptoms are items of the outcome ({names}).",
            where=document.place(keys),
            fix="Use a scheme without symptoms, or an outcome that shares no item with them.",
        )
        return
    yield EmberError(
        f"The scheme {scheme} labels participants by symptoms that are items of the outcome ({names}).",
        where=document.place(keys),
        fix="What was used to make groups differs between them by construction: use a scheme without symptoms, or an "
        "outcome that shares no item with them.",
    )


def shared_instruments(study: Study, scheme: Content, analysis: Content, registry: Registry) -> list[str]:
    """Return the questionnaires of which both the outcome and the scheme's symptoms use items.

    Notes
    -----
    Versions of one questionnaire share their items, whatever their numbers; a subscale shares those of its parent.
    """
    outcome = analysis.get("outcome")
    if "symptoms" not in scheme or outcome is None:
        return []
    rows = {row["instrument"]: row for row in registry.rows("instruments")}
    sites = included(study)
    mapped = {
        name for site in sites for table in site.tables for name, mapping in table.instruments.items() if mapping.items
    }
    profile = scheme["symptoms"]["profile"]
    of_symptoms = {row["instrument"] for row in registry.rows("symptom_items") if row["profile"] == profile} & mapped
    if "instrument" in outcome:
        of_outcome = [outcome["instrument"]]
    else:
        scored = {name for site in sites for name in scores_of(site, registry)}
        of_outcome = sorted(name for name in scored if rows[name]["construct"] == outcome["construct"])
    families = {_family(rows, name) for name in of_symptoms}
    return [name for name in of_outcome if name in rows and _family(rows, name) in families]


def _family(rows: dict[str, dict[str, str]], name: str) -> str:
    whole = rows[name]["parent"] or name
    return rows[whole]["version_group"] or whole
