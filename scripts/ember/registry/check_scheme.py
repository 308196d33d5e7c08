"""Cross-check endotype schemes against the study and the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ember.endotypes.scheme import QUANTITIES, check_scheme, threshold_of
from ember.errors import EmberError
from ember.registry.known import unknown
from ember.registry.model import Site, Study
from ember.registry.registry import Registry
from ember.registry.yaml_file import YamlFile

ANALYTE = "an analyte of config/registry/analytes.csv"
STARTS_AT_ZERO = ("randomisation", "treatment_start")
Content = dict[str, Any]


def scheme_findings(study: Study, scheme: Content, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield everything in an endotype scheme that leads nowhere or does not fit together."""
    analytes = {row["analyte"]: row for row in registry.rows("analytes")}
    yield from unknown(scheme["analyte"], analytes, ANALYTE, document, ("analyte",))
    if scheme["analyte"] in analytes:
        canonical = analytes[scheme["analyte"]]["canonical_unit"]
        yield from unknown(scheme["unit"], [canonical], "the canonical unit", document, ("unit",))
        if not any(scheme["analyte"] in analytes_of(site) for site in included(study)):
            what = f"No site of the analysis measures {scheme['analyte']}."
            yield EmberError(what, where=document.place(("analyte",)))
    for analyte in scheme.get("composite", {}).get("analytes", []):
        yield from unknown(analyte, analytes, ANALYTE, document, ("composite", "analytes"))
    yield from _threshold_findings(scheme, registry, document)
    yield from _window_findings(study, scheme, document)
    yield from _symptom_findings(study, scheme, registry, document)
    try:
        check_scheme(scheme)
    except EmberError as error:
        yield EmberError(error.what, where=error.where.replace("endotypes/", _folder(document), 1),
                         allowed=error.allowed, nearest=error.nearest, fix=error.fix)  # fmt: skip


def _folder(document: YamlFile) -> str:
    return document.shown_path.removesuffix(document.path.name)


def _threshold_findings(scheme: Content, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield thresholds that the registry does not know, or of which the scheme says something else."""
    for name, text in scheme["thresholds"].items():
        keys = ("thresholds", name)
        names = [row["threshold"] for row in registry.rows("thresholds")]
        yield from unknown(name, names, "a threshold of config/registry/thresholds.csv", document, keys)
        if name not in names:
            continue
        row, said = registry.row("thresholds", name), threshold_of(name, text)
        if (row["analyte"], row["operator"], float(row["value"])) != (said.quantity, said.operator, said.value):
            yield EmberError(
                f"The registry says that {name} is {row['analyte']} {row['operator']} {row['value']}.",
                where=document.place(keys),
                fix="Name the threshold that is meant, or add one of its own to the study's registry/thresholds.csv.",
            )
        if said.quantity not in (scheme["analyte"], *QUANTITIES):
            yield EmberError(f"{said.quantity} is nothing that the scheme looks at.", where=document.place(keys))


def _window_findings(study: Study, scheme: Content, document: YamlFile) -> Iterator[EmberError]:
    """Yield windows that reach into treatment, and those in which a sample can never be known to lie."""
    window = scheme["samples"]
    if study.time_zero in STARTS_AT_ZERO and window["to"] > 0:
        yield EmberError(
            f"The window of the samples ends on study day {window['to']}, after the study's time zero "
            f"({study.time_zero}).",
            where=document.place(("samples", "to")),
            fix="Only samples before treatment may define a baseline state: end the window on day 0 or before.",
        )
    visits = {visit.id: visit for visit in study.visits}
    if not scheme["visit"]:
        yield EmberError(
            f"No visit of the study meets the window of the samples, study days {window['from']} to {window['to']}.",
            where=document.place(("samples",)),
            fix="Give the study a scheme of its own (`like:`) with another window.",
        )
        return
    yield from unknown(scheme["visit"], visits, "a visit of the study", document, ("visit",))
    visit = visits.get(scheme["visit"])
    undated = [site.id for site in included(study) if not _tells_days(site)]
    if visit is not None and undated and not window["from"] <= visit.first <= visit.last <= window["to"]:
        yield EmberError(
            f"{undated[0]} maps no days of its visits, and {visit.id} (study days {visit.first} to {visit.last}) does "
            f"not lie in the window of the samples ({window['from']} to {window['to']}): none of its samples could "
            "ever count.",
            where=document.place(("samples",)),
            fix="Map the days of the visits, or give the study a scheme of its own (`like:`) with another window.",
        )


def _tells_days(site: Site) -> bool:
    return any(table.visits.date or table.visits.by_date or table.visits.by_day for table in site.tables)


def _symptom_findings(study: Study, scheme: Content, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    if "symptoms" not in scheme:
        return
    profile, keys = scheme["symptoms"]["profile"], ("symptoms", "profile")
    rows = registry.rows("symptom_items")
    profiles = dict.fromkeys(row["profile"] for row in rows)
    yield from unknown(profile, profiles, "a profile of config/registry/symptom_items.csv", document, keys)
    instruments = {row["instrument"] for row in rows if row["profile"] == profile}
    mapped = {
        name
        for site in included(study)
        for table in site.tables
        for name, mapping in table.instruments.items()
        if mapping.items
    }
    if profile in profiles and not instruments & mapped:
        yield EmberError(
            f"No site maps the items of an instrument of the profile {profile}.",
            where=document.place(keys),
            allowed=sorted(instruments),
            fix="A total does not tell the symptoms: map `items:`.",
        )


def included(study: Study) -> list[Site]:
    """Return the sites that are analysed, in study order."""
    return [site for site in study.sites.values() if site.id not in study.excluded_sites]


def analytes_of(site: Site) -> set[str]:
    """Return the analytes that a site maps."""
    mapped = {analyte for table in site.tables for analyte in table.measurements}
    return mapped | {
        analyte for table in site.tables if table.laboratory for analyte in table.laboratory.analyte.codes.values()
    }
