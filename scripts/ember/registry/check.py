"""Cross-check a study against the registry and itself: all findings, before the first job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ember.errors import EmberError, nearest_name
from ember.registry.model import InstrumentMap, LaboratoryMap, MeasurementMap, Site, Study, TableMap
from ember.registry.registry import Registry
from ember.registry.yaml_file import Keys, YamlFile
from ember.tables.contract import contract


def cross_check(study: Study, registry: Registry, documents: dict[str, Any]) -> list[EmberError]:
    """Return every reference in the study that leads nowhere.

    Parameters
    ----------
    documents : dict
        The YAML files by kind (study, sites, schemes, analyses, report), for places in messages.
    """
    findings = list(_study_findings(study, registry, documents["study"]))
    for site in study.sites.values():
        findings.extend(_site_findings(study, site, registry, documents["sites"][site.id]))
    for name, scheme in study.schemes.items():
        findings.extend(_scheme_findings(study, scheme, registry, documents["schemes"][name]))
    for name, analysis in study.analyses.items():
        findings.extend(_analysis_findings(study, analysis, registry, documents["analyses"][name]))
    findings.extend(_report_findings(study, documents["report"]))
    return findings


def _known(given: str, allowed: Iterable[str], what: str, document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    names = list(allowed)
    if given not in names:
        yield EmberError(
            f"'{given}' is not {what}.", where=document.place(keys), allowed=names, nearest=nearest_name(given, names)
        )


def _study_findings(study: Study, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    profiles = [row["profile"] for row in registry.rows("disclosure")]
    yield from _known(study.disclosure, profiles, "a disclosure profile", document, ("disclosure",))
    for site in study.excluded_sites:
        yield from _known(site, study.sites, "a site of the study", document, ("exclude_sites",))
    for visit in study.visits:
        if not visit.first <= visit.day <= visit.last:
            yield EmberError("The planned day lies outside the window.", where=document.place(("visits", visit.id)))
    for source in study.sources.values():
        keys = ("sources", source.id)
        if source.format == "excel" and source.sheet is None:
            yield EmberError("An Excel source needs its `sheet:`.", where=document.place(keys))
        if not source.path.exists() and source.url is None:
            yield EmberError(
                "The file does not exist.", where=document.place(keys), fix=f"Looked for {source.shown_path}."
            )
        if source.dictionary and not source.dictionary.exists():
            yield EmberError("The data dictionary does not exist.", where=document.place((*keys, "dictionary")))
        if not study.sites_of(source.id):
            yield EmberError("No site reads this source.", where=document.place(keys))


def _site_findings(study: Study, site: Site, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    nested = "tables" in document.content
    for table in site.tables:
        base: Keys = ("tables", table.source) if nested else ()
        source_key: Keys = base if nested else ("from",)
        yield from _known(table.source, study.sources, "a source of the study", document, source_key)
        yield from _table_findings(study, table, registry, document, base)
    if not any(table.measurements or table.laboratory for table in site.tables):
        yield EmberError(
            "The site has no biomarker.",
            where=document.place(()),
            fix="Map at least one under `measurements:` or `laboratory:`, or list the site under `exclude_sites:`.",
        )
    if not site.tables[0].columns:
        yield EmberError("The first table is the roster of participants and maps no columns.", where=document.place(()))


def _table_findings(
    study: Study, table: TableMap, registry: Registry, document: YamlFile, base: Keys
) -> Iterator[EmberError]:
    if not table.participant:
        yield EmberError("The key 'participant' is missing.", where=document.place(base))
    visits = [visit.id for visit in study.visits]
    kinds = [bool(table.visits.wide), table.visits.long is not None, table.visits.single is not None]
    holds_visits = table.measurements or table.laboratory or table.instruments or table.treatments
    if sum(kinds) > 1 or (holds_visits and not any(kinds)):
        yield EmberError(
            "Exactly one of wide, long and single must stand under visits.", where=document.place((*base, "visits"))
        )
    codes = table.visits.wide or (table.visits.long.codes if table.visits.long else {})
    used = [*codes.values(), *([table.visits.single] if table.visits.single else [])]
    per_visit: list[MeasurementMap | InstrumentMap] = [*table.measurements.values(), *table.instruments.values()]
    for mapping in per_visit:
        used.extend(mapping.visits)
    for visit in dict.fromkeys(used):
        yield from _known(visit, visits, "a visit of the study", document, (*base, "visits"))
    columns = contract("participants").mapped
    for name, column_map in table.columns.items():
        keys = (*base, "columns", name)
        yield from _known(name, columns, "a column of participants", document, keys)
        if name in columns:
            yield from _column_findings(columns[name], column_map, registry, document, keys)
    for analyte, measurement in table.measurements.items():
        yield from _measurement_findings(
            analyte, measurement, measurement.assay, registry, document, (*base, "measurements", analyte)
        )
    if table.laboratory:
        for analyte in table.laboratory.analyte.codes.values():
            assay = table.laboratory.assays.get(analyte)
            yield from _measurement_findings(
                analyte, table.laboratory, assay, registry, document, (*base, "laboratory")
            )
    instruments = [row["instrument"] for row in registry.rows("instruments")]
    for name in table.instruments:
        yield from _known(
            name,
            instruments,
            "an instrument of config/registry/instruments.csv",
            document,
            (*base, "instruments", name),
        )


def _column_findings(
    column: Any, mapping: Any, registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    if column.unit and mapping.unit != column.unit:
        yield EmberError(
            f"'{column.name}' needs its unit.", where=document.place((*keys, "unit")), allowed=[column.unit]
        )
    allowed = column.allowed or (
        [row[column.registry[:-1]] for row in registry.rows(column.registry)] if column.registry else ()
    )
    for meaning in mapping.codes.values():
        if allowed:
            yield from _known(meaning, allowed, f"a code of '{column.name}'", document, (*keys, "codes"))


def _measurement_findings(
    analyte: str,
    mapping: MeasurementMap | LaboratoryMap,
    assay: str | None,
    registry: Registry,
    document: YamlFile,
    keys: Keys,
) -> Iterator[EmberError]:
    analytes = [row["analyte"] for row in registry.rows("analytes")]
    yield from _known(analyte, analytes, "an analyte of config/registry/analytes.csv", document, keys)
    if analyte not in analytes:
        return
    if mapping.unit is not None:
        unit = registry.ucum(mapping.unit, analyte)
        if unit is None:
            allowed = registry.units_of(analyte)
            yield EmberError(
                f"'{mapping.unit}' is not a unit of {analyte} that a row of config/registry/units.csv converts.",
                where=document.place((*keys, "unit")),
                allowed=allowed,
                nearest=nearest_name(mapping.unit, allowed),
            )
        elif registry.row("units", analyte, unit)["needs"] == "molar_factor" and mapping.molar_factor is None:
            yield EmberError(
                f"'{mapping.unit}' needs a declared molar factor: more than one is in use for {analyte}.",
                where=document.place((*keys, "unit")),
                fix="Add `molar_factor: {nmol_per_mg: …, reason: …}` as the laboratory states it.",
            )
    if assay is not None:
        assays = [row["assay_id"] for row in registry.rows("assays")]
        yield from _known(assay, assays, "an assay of config/registry/assays.csv", document, (*keys, "assay"))
        if registry.has("assays", assay) and registry.row("assays", assay)["analyte"] != analyte:
            yield EmberError(f"The assay '{assay}' does not measure {analyte}.", where=document.place((*keys, "assay")))


def _scheme_findings(
    study: Study, scheme: dict[str, Any], registry: Registry, document: YamlFile
) -> Iterator[EmberError]:
    analytes = {row["analyte"]: row for row in registry.rows("analytes")}
    yield from _known(scheme["analyte"], analytes, "an analyte of config/registry/analytes.csv", document, ("analyte",))
    yield from _known(
        scheme["visit"], [visit.id for visit in study.visits], "a visit of the study", document, ("visit",)
    )
    if scheme["analyte"] in analytes:
        yield from _known(
            scheme["unit"], [analytes[scheme["analyte"]]["canonical_unit"]], "the canonical unit", document, ("unit",)
        )
    for analyte in scheme.get("composite", {}).get("analytes", []):
        yield from _known(
            analyte, analytes, "an analyte of config/registry/analytes.csv", document, ("composite", "analytes")
        )
    if any("composite" in state for state in scheme["states"]) and "composite" not in scheme:
        yield EmberError("A state uses the composite, which is not declared.", where=document.place(("states",)))


def _analysis_findings(
    study: Study, analysis: dict[str, Any], registry: Registry, document: YamlFile
) -> Iterator[EmberError]:
    visits = [visit.id for visit in study.visits]
    outcome, exposure = analysis["outcome"], analysis.get("exposure", {})
    for keys, visit in (
        (("outcome", "visit"), outcome["visit"]),
        (("outcome", "baseline"), outcome.get("baseline")),
        (("exposure", "visit"), exposure.get("visit")),
    ):
        if visit is not None:
            yield from _known(visit, visits, "a visit of the study", document, keys)
    if exposure:
        analytes = [row["analyte"] for row in registry.rows("analytes")]
        yield from _known(
            exposure["analyte"],
            analytes,
            "an analyte of config/registry/analytes.csv",
            document,
            ("exposure", "analyte"),
        )
        if (exposure["scale"] == "cut") != ("cut" in exposure):
            yield EmberError(
                "`cut:` belongs to `scale: cut`, and only there.", where=document.place(("exposure", "scale"))
            )
    for arm in analysis.get("treatment", {}).values():
        treatments = [row["treatment"] for row in registry.rows("treatments")]
        yield from _known(arm, treatments, "a treatment of config/registry/treatments.csv", document, ("treatment",))
    if "bands" in analysis:
        yield from _known(
            analysis["bands"]["scheme"], study.schemes, "an endotype scheme of the study", document, ("bands", "scheme")
        )
    columns = list(contract("participants").mapped)
    for index, model in enumerate(analysis["models"]):
        for column in model.get("covariates", []):
            yield from _known(column, columns, "a column of participants", document, ("models", index, "covariates"))
        if model["family"].startswith("survey") and "survey" not in analysis:
            yield EmberError(
                "A survey model needs the key `survey:`.", where=document.place(("models", index, "family"))
            )
        if model["family"] in {"ancova", "logistic"} and not exposure:
            yield EmberError("The model needs an `exposure:`.", where=document.place(("models", index)))
    for index, condition in enumerate(analysis.get("population", [])):
        yield from _known(
            condition["column"], columns, "a column of participants", document, ("population", index, "column")
        )


def _report_findings(study: Study, document: YamlFile) -> Iterator[EmberError]:
    headline = study.report["headline"]
    yield from _known(
        headline["analysis"], study.analyses, "an analysis of the study", document, ("headline", "analysis")
    )
    if headline["analysis"] in study.analyses:
        models = [model["id"] for model in study.analyses[headline["analysis"]]["models"]]
        yield from _known(headline["model"], models, "a model of that analysis", document, ("headline", "model"))
    if "inflamed_share" in study.report:
        yield from _known(
            study.report["inflamed_share"],
            study.schemes,
            "an endotype scheme of the study",
            document,
            ("inflamed_share",),
        )
