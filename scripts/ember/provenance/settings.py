"""The resolved configuration that a job depends on, as digests: only the keys and registry rows that it uses."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from dataclasses import asdict
from typing import Any

from ember.history.declared import has_history
from ember.registry.mixtures import file_digest, frozen_file
from ember.registry.model import Site, Study, TableMap
from ember.registry.query import query_text
from ember.registry.questionnaires import rows_behind
from ember.registry.registry import Registry, Row

# Steps whose code decides what a version says.
STEPS = (
    "collect_consent",
    "read_source",
    "standardise_site",
    "harmonise_site",
    "compare_sites",
    "derive_history",
    "run_gates",
    "pass_gates",
    "derive_endotypes",
    "estimate_usual_level",
    "judge_type",
    "fit_mixture",
    "build_analysis_set",
    "fit_models",
    "summarise_sites",
    "collect_accounting",
    "protect_results",
    "render_report",
    "write_manifest",
)

# Registry tables about treatments beside their names: what standardise_site and derive_history read.
OF_TREATMENTS = ("treatment_kinds", "dose_units", "trial_outcomes")
OF_HISTORY = ("treatments", "treatment_kinds", "adequate_doses", "trial_outcomes", "staging")

# What study.yaml says of an extract beside how it is read.
OF_THE_EXTRACT = frozenset({"received", "cut_off", "version", "supersedes", "announced"})


def digest(content: Any) -> str:
    """Return the SHA-256 of JSON-like content, independent of the order of keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def study_settings(study: Study) -> dict[str, Any]:
    """Return what every job of a study depends on: identity, privacy, visits and time zero."""
    keys = ("study", "privacy", "time_zero", "visits")
    return {key: study.resolved["study"][key] for key in keys}


def source_settings(study: Study, source: str) -> dict[str, Any]:
    """Return how a source is read and which rows of it belong to which site."""
    declared = study.sources[source]
    return {
        "study": study_settings(study),
        "source": _declared(study, source),
        **({"joined": [_declared(study, join.source) for join in declared.joins]} if declared.joins else {}),
        "sites": {
            site.id: [_reading(table) for table in site.tables if table.source == source]
            for site in study.sites_of(source)
        },
        **({"consent": study.consent_required} if study.consent_required else {}),
    }


def consent_sources(study: Study) -> list[str]:
    """Return the sources that tell about consent, and those whose columns they bring, each once."""
    tables = [table for site in study.sites.values() for table in site.tables]
    telling = [study.sources[table.source] for table in tables if table.consent is not None]
    return list(dict.fromkeys(name for one in telling for name in (one.id, *(join.source for join in one.joins))))


def consent_settings(study: Study) -> dict[str, Any]:
    """Return how the register of consent is made, and what the study asks for."""
    return {
        "study": study_settings(study),
        "required": study.consent_required,
        "sources": {source: _declared(study, source) for source in consent_sources(study)},
        "sites": {
            site.id: [_reading(table) for table in site.tables if table.consent is not None]
            for site in study.sites.values()
        },
    }


def _declared(study: Study, source: str) -> dict[str, Any]:
    declared = study.sources[source]
    entry = study.resolved["study"]["sources"][source]
    return {
        **{key: value for key, value in entry.items() if key not in OF_THE_EXTRACT},
        "sha256": declared.sha256,
        **({"query": query_text(declared.query, study.folder)} if declared.query else {}),
    }


def query_settings(study: Study, source: str) -> dict[str, str | None]:
    """Return on what the answer of a query depends: when it changes, the database is asked again."""
    declared = study.sources[source]
    return {"connection": declared.connection, "query": query_text(declared.query or "", study.folder)}


def _reading(table: TableMap) -> dict[str, Any]:
    return {
        "participant": table.participant,
        "rows": table.rows and vars(table.rows),
        **({"consent": asdict(table.consent), "missing": table.missing} if table.consent else {}),
        **({"corrections": table.corrections} if table.corrections else {}),
    }


def site_settings(study: Study, registry: Registry, site: str) -> dict[str, Any]:
    """Return the mapping of a site, the findings answered for it, and the registry rows it uses."""
    return {
        "study": study_settings(study),
        "site": study.resolved["sites"][site],
        "answers": [vars(answer) for answer in study.answers if answer.finding.split(":")[1] == site],
        "numbers": {source: _marks(study, source) for source in study.sites[site].sources},
        "registry": site_rows(registry, study.sites[site]),
    }


def _marks(study: Study, source: str) -> list[str | None]:
    return [study.sources[source].decimal, study.sources[source].thousands]


def site_rows(registry: Registry, site: Site) -> dict[str, list[Row]]:
    """Return the registry rows that a site's mapping can touch."""
    analytes = {analyte for table in site.tables for analyte in table.measurements}
    analytes |= {a for table in site.tables if table.laboratory for a in table.laboratory.analyte.codes.values()}
    instruments = rows_behind(registry, (name for table in site.tables for name in table.instruments))
    rows = {
        "analytes": [row for row in registry.rows("analytes") if row["analyte"] in analytes],
        "units": [row for row in registry.rows("units") if row["analyte"] in analytes],
        "assays": [row for row in registry.rows("assays") if row["analyte"] in analytes],
        "unit_evidence": registry.rows("unit_evidence"),
        "unit_populations": [row for row in registry.rows("unit_populations") if row["analyte"] in analytes],
        "unit_companions": [row for row in registry.rows("unit_companions") if row["analyte"] in analytes],
        "bridges": [row for row in registry.rows("bridges") if row["analyte"] in analytes],
        "instruments": [row for row in registry.rows("instruments") if row["instrument"] in instruments],
        "instrument_items": [row for row in registry.rows("instrument_items") if row["instrument"] in instruments],
    }
    rows |= _score_rows(registry, site, instruments)
    units = {row["from_unit"] for row in rows["units"]}
    rows["unit_aliases"] = [row for row in registry.rows("unit_aliases") if row["unit"] in units]
    if any(table.treatments or "arm" in table.columns for table in site.tables):
        rows["treatments"] = registry.rows("treatments")
    if any(table.treatments for table in site.tables):
        rows |= {name: registry.rows(name) for name in ("treatment_names", *OF_TREATMENTS)}
    lists = {column.codelist for table in site.tables for column in table.columns.values() if column.codelist}
    if lists:
        rows["codelist_names"] = [row for row in registry.rows("codelist_names") if row["codelist"] in lists]
    return rows


def _score_rows(registry: Registry, site: Site, instruments: Collection[str]) -> dict[str, list[Row]]:
    """Return the rows of value sets, score tables and declared crosswalks of a site, only of tables that it uses."""
    maps = [mapping for table in site.tables for mapping in table.instruments.values()]
    links = {link.crosswalk for mapping in maps for link in mapping.linked}
    sets = {mapping.value_set for mapping in maps}
    found = {
        "raw_scores": [row for row in registry.rows("raw_scores") if row["instrument"] in instruments],
        "value_sets": [row for row in registry.rows("value_sets") if row["value_set"] in sets],
        "crosswalks": [row for row in registry.rows("crosswalks") if row["crosswalk"] in links],
        "crosswalk_points": [row for row in registry.rows("crosswalk_points") if row["crosswalk"] in links],
    }
    return {table: rows for table, rows in found.items() if rows}


def history_settings(study: Study, registry: Registry, site: str) -> dict[str, Any]:
    """Return what the treatment history of a site depends on: its mapping, the study's rule, and the registry."""
    return {
        "site": site_settings(study, registry, site),
        "dtd": study.dtd,
        "registry": {table: registry.rows(table) for table in OF_HISTORY},
    }


def used_rows(study: Study, registry: Registry) -> dict[str, list[Row]]:
    """Return the registry rows that a whole study uses, each once, in the order of their tables."""
    used: dict[str, set[str]] = {}
    for site in study.sites.values():
        for table, rows in site_rows(registry, site).items():
            used.setdefault(table, set()).update(json.dumps(row, sort_keys=True) for row in rows)
    merged = {
        table: [row for row in registry.rows(table) if json.dumps(row, sort_keys=True) in rows]
        for table, rows in used.items()
    }
    return {
        **merged,
        **({table: registry.rows(table) for table in OF_HISTORY} if has_history(study) else {}),
        **_scheme_rows(study, registry),
        "disclosure": [registry.row("disclosure", study.disclosure)],
        "cross_field_rules": registry.rows("cross_field_rules"),
        "constructs": registry.rows("constructs"),
    }


def _scheme_rows(study: Study, registry: Registry) -> dict[str, list[Row]]:
    """Return the references of composites and the published variability that schemes name; nothing where none does."""
    references = {scheme.get("composite", {}).get("reference") for scheme in study.schemes.values()}
    named = {scheme.get("usual_level", {}).get("within_person") for scheme in study.schemes.values()}
    found = {
        "composite_references": [
            row for row in registry.rows("composite_references") if row["reference"] in references
        ],
        "within_person": [row for row in registry.rows("within_person") if row["within_person"] in named],
    }
    return {table: rows for table, rows in found.items() if rows}


def analyte_rows(registry: Registry, analytes: Iterable[str]) -> dict[str, list[Row]]:
    """Return the rows of analytes, their units and their assays."""
    wanted = set(analytes)
    return {
        table: [row for row in registry.rows(table) if row["analyte"] in wanted]
        for table in ("analytes", "units", "assays")
    }


def scheme_settings(study: Study, registry: Registry, scheme: str) -> dict[str, Any]:
    """Return an endotype scheme, the sites it covers and the registry rows behind it."""
    content = study.schemes[scheme]
    analytes = {content["analyte"], *content.get("composite", {}).get("analytes", ())}
    return {
        "study": study_settings(study),
        "scheme": content,
        "sites": included_sites(study),
        "registry": {
            **analyte_rows(registry, analytes),
            **_reference_rows(registry, content),
            **_symptom_rows(registry, content),
        },
        **_selection(study, content),
    }


def verdict_settings(study: Study, registry: Registry, verdict: str) -> dict[str, Any]:
    """Return on what a verdict about types depends: its plan, the seed, the sites and the registry's analytes."""
    plan = study.verdicts[verdict]
    return {
        "study": study_settings(study),
        "seed": study.seed,
        "verdict": plan,
        "sites": included_sites(study),
        "registry": analyte_rows(registry, plan["markers"]),
    }


def mixture_settings(study: Study, registry: Registry, mixture: str) -> dict[str, Any]:
    """Return on what a mixture depends: its file, a frozen one, the seed, the sites and the registry's analytes."""
    content = study.mixtures[mixture]
    frozen = frozen_file(study.folder, content)
    return {
        "study": study_settings(study),
        "seed": study.seed,
        "mixture": content,
        "frozen": file_digest(frozen) if frozen else None,
        "sites": included_sites(study),
        "registry": analyte_rows(registry, content.get("analytes", ())),
    }


def usual_settings(study: Study, registry: Registry, scheme: str) -> dict[str, Any]:
    """Return on what the usual levels of a scheme depend: the scheme, and the published variability that it names."""
    named = study.schemes[scheme].get("usual_level", {}).get("within_person")
    rows = [row for row in registry.rows("within_person") if row["within_person"] == named]
    return {**scheme_settings(study, registry, scheme), "within_person": rows}


def _reference_rows(registry: Registry, scheme: dict[str, Any]) -> dict[str, list[Row]]:
    """Return the frozen reference of a scheme's composite, and the bridges that may lead to its platform."""
    name = scheme.get("composite", {}).get("reference")
    if name is None:
        return {}
    rows = [row for row in registry.rows("composite_references") if row["reference"] == name]
    return {"composite_references": rows, "bridges": registry.rows("bridges")}


def _symptom_rows(registry: Registry, scheme: dict[str, Any]) -> dict[str, list[Row]]:
    """Return the items of a scheme's symptom profile and their ranges."""
    if "symptoms" not in scheme:
        return {}
    items = [row for row in registry.rows("symptom_items") if row["profile"] == scheme["symptoms"]["profile"]]
    named = {(row["instrument"], row["item"]) for row in items}
    ranges = [row for row in registry.rows("instrument_items") if (row["instrument"], row["item"]) in named]
    return {"symptom_items": items, "instrument_items": ranges}


def _selection(study: Study, scheme: dict[str, Any]) -> dict[str, Any]:
    """Return by which results sites chose their participants, where a composite asks."""
    chosen = {site.id: site.selected_on for site in study.sites.values() if site.selected_on}
    return {"selected_on": chosen} if chosen and "composite" in scheme else {}


def comparison_settings(study: Study, registry: Registry) -> dict[str, Any]:
    """Return what the comparison of sites depends on: the sites, their registry rows and the study's answers."""
    return {
        "sites": included_sites(study),
        "answers": answer_settings(study),
        "registry": {
            table: rows
            for table, rows in used_rows(study, registry).items()
            if table in ("analytes", "units", "unit_evidence")
        },
    }


def analysis_settings(study: Study, registry: Registry, analysis: str) -> dict[str, Any]:
    """Return an analysis, the design of the study, its sites, and the registry rows of its analytes and instruments."""
    content = study.analyses[analysis]
    mapped = [name for site in study.sites.values() for table in site.tables for name in table.instruments]
    instruments = rows_behind(registry, mapped)
    analytes = {content["exposure"]["analyte"]} if "exposure" in content else set()
    analytes |= set(content.get("composite", {}).get("analytes", ()))
    return {
        "study": study_settings(study),
        "design": study.design,
        "seed": study.seed,
        "analysis": content,
        "sites": included_sites(study),
        "excluded": study.excluded_sites,
        **({"acute": study.schemes[content["acute_samples"]["scheme"]]} if "acute_way" in content else {}),
        "registry": {
            **analyte_rows(registry, analytes),
            "instruments": [row for row in registry.rows("instruments") if row["instrument"] in instruments],
        },
    }


def gate_settings(study: Study, registry: Registry) -> dict[str, Any]:
    """Return what the gates are generated from: the sites, the registry rows they use, what the analyses need."""
    return {
        "sites": {site: site_settings(study, registry, site) for site in included_sites(study)},
        "treatments": registry.rows("treatments"),
        "schemes": study.schemes,
        "analyses": study.analyses,
        "sources": {source: source_settings(study, source) for source in study.sources},
        "changes": [vars(change) for change in study.gate_changes],
        "cross_field_rules": registry.rows("cross_field_rules"),
    }


def answer_settings(study: Study) -> list[dict[str, str]]:
    """Return the study's answers to findings."""
    return [vars(answer) for answer in study.answers]


def report_settings(study: Study, registry: Registry) -> dict[str, Any]:
    """Return everything that the disclosure and the report depend on."""
    asked = [source.id for source in study.sources.values() if source.query]
    queries = {"queries": {source: query_settings(study, source) for source in asked}} if asked else {}
    return {"resolved": study.resolved, "registry": used_rows(study, registry), **queries}


def included_sites(study: Study) -> list[str]:
    """Return the sites that are analysed, in study order."""
    return [site for site in study.sites if site not in study.excluded_sites]
