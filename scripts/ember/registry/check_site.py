"""Cross-check one site file: its sources, visits, columns, units, assays and instruments."""

from __future__ import annotations

from collections.abc import Iterator

from ember.errors import EmberError, nearest_name
from ember.registry.known import unknown
from ember.registry.model import ColumnMap, InstrumentMap, LaboratoryMap, MeasurementMap, Site, Study, TableMap
from ember.registry.registry import Registry
from ember.registry.yaml_file import Keys, YamlFile
from ember.tables.contract import Column, contract

OUTSIDE_TABLES = {"site", "label", "like", "tables"}


def site_findings(study: Study, site: Site, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield everything in a site file that leads nowhere."""
    nested = "tables" in document.content
    for key in sorted(set(document.content) - OUTSIDE_TABLES if nested else ()):
        yield EmberError(
            f"With `tables:`, '{key}' must stand under the table it belongs to.", where=document.place((key,))
        )
    seen: dict[str, str] = {}
    for table in site.tables:
        base: Keys = ("tables", table.name) if nested else ()
        place: Keys = base if nested and "from" not in document.content["tables"][table.name] else (*base, "from")
        yield from unknown(table.source, study.sources, "a source of the study", document, place)
        yield from _table_findings(study, table, registry, document, base)
        for name in table.columns:
            if name in seen:
                where = document.place((*base, "columns", name))
                yield EmberError(f"'{name}' is already mapped in the table {seen[name]}.", where=where)
            seen.setdefault(name, table.name)
    measured = any(table.measurements or table.laboratory for table in site.tables)
    if not measured and site.id not in study.excluded_sites:
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
    yield from _visit_findings(study, table, document, base)
    columns = contract("participants").mapped
    for name, mapping in table.columns.items():
        keys = (*base, "columns", name)
        yield from unknown(name, columns, "a column of participants", document, keys)
        if name in columns:
            yield from _column_findings(columns[name], mapping, registry, document, keys)
    for analyte, measurement in table.measurements.items():
        keys = (*base, "measurements", analyte)
        yield from _measurement_findings(analyte, measurement, measurement.assay, registry, document, keys)
        yield from _below_findings(measurement, document, (*keys, "below"))
    if table.laboratory:
        yield from _laboratory_findings(table.laboratory, registry, document, (*base, "laboratory"))
    for name, instrument in table.instruments.items():
        yield from _instrument_findings(name, instrument, registry, document, (*base, "instruments", name))


def _visit_findings(study: Study, table: TableMap, document: YamlFile, base: Keys) -> Iterator[EmberError]:
    keys = (*base, "visits")
    told = (table.visits.long, table.visits.single, table.visits.by_date, table.visits.by_day)
    kinds = [bool(table.visits.wide), *(kind is not None for kind in told)]
    holds_visits = table.measurements or table.laboratory or table.instruments or table.treatments
    if sum(kinds) > 1 or (holds_visits and not any(kinds)):
        yield EmberError(
            "Exactly one of wide, long, single, by_date and by_day must stand under visits.", where=document.place(keys)
        )
    codes = table.visits.wide or (table.visits.long.codes if table.visits.long else {})
    here = [*codes.values(), *([table.visits.single] if table.visits.single else [])]
    if table.visits.by_date or table.visits.by_day:
        here = [planned.id for planned in study.visits]
    for visit in dict.fromkeys(here):
        yield from unknown(visit, [planned.id for planned in study.visits], "a visit of the study", document, keys)
    groups = (("measurements", table.measurements), ("instruments", table.instruments))
    for group, mappings in groups:
        for name, mapping in mappings.items():
            for visit in mapping.visits:
                yield from unknown(visit, here, "a visit of this table", document, (*base, group, name, "visits"))
    if not _formats(table.visits.pattern, column="x", visit="y"):
        yield EmberError(
            "The pattern may hold {column} and {visit}, and must hold both.", where=document.place((*keys, "pattern"))
        )


def _formats(pattern: str, **parts: object) -> bool:
    try:
        pattern.format(**parts)
    except (KeyError, IndexError, ValueError, AttributeError):
        return False
    return all(f"{{{name}" in pattern for name in parts)


def _column_findings(
    column: Column, mapping: ColumnMap, registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    if column.unit and mapping.unit != column.unit:
        yield EmberError(
            f"'{column.name}' needs its unit.", where=document.place((*keys, "unit")), allowed=[column.unit]
        )
    allowed = list(column.allowed)
    if column.registry:
        allowed = [row[column.registry.removesuffix("s")] for row in registry.rows(column.registry)]
    elif not allowed:
        allowed = _codes(registry, column.name)
    for code, meaning in mapping.codes.items():
        if allowed:
            yield from unknown(meaning, allowed, f"a code of '{column.name}'", document, (*keys, "codes", code))


def _codes(registry: Registry, codelist: str) -> list[str]:
    return [row["code"] for row in registry.rows("codelists") if row["codelist"] == codelist]


def _laboratory_findings(
    laboratory: LaboratoryMap, registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    analytes = list(dict.fromkeys(laboratory.analyte.codes.values()))
    for analyte in analytes:
        yield from _measurement_findings(analyte, laboratory, laboratory.assays.get(analyte), registry, document, keys)
    for analyte in laboratory.assays:
        yield from unknown(analyte, analytes, "an analyte of this table", document, (*keys, "assays", analyte))


def _measurement_findings(
    analyte: str,
    mapping: MeasurementMap | LaboratoryMap,
    assay: str | None,
    registry: Registry,
    document: YamlFile,
    keys: Keys,
) -> Iterator[EmberError]:
    analytes = [row["analyte"] for row in registry.rows("analytes")]
    yield from unknown(analyte, analytes, "an analyte of config/registry/analytes.csv", document, keys)
    if analyte not in analytes:
        return
    if mapping.unit is not None:
        yield from _unit_findings(analyte, mapping.unit, mapping, registry, document, (*keys, "unit"))
    if mapping.specimen is not None:
        specimens = _codes(registry, "specimen")
        yield from unknown(mapping.specimen, specimens, "a specimen", document, (*keys, "specimen"))
    if assay is not None:
        assays = [row["assay_id"] for row in registry.rows("assays") if row["analyte"] == analyte]
        yield from unknown(assay, assays, f"an assay of {analyte}", document, (*keys, "assay"))


def _unit_findings(
    analyte: str,
    unit: str,
    mapping: MeasurementMap | LaboratoryMap,
    registry: Registry,
    document: YamlFile,
    keys: Keys,
) -> Iterator[EmberError]:
    spelled = registry.ucum(unit, analyte)
    if spelled is None:
        allowed = registry.units_of(analyte)
        yield EmberError(
            f"'{unit}' is not a unit of {analyte} that a row of config/registry/units.csv converts.",
            where=document.place(keys),
            allowed=allowed,
            nearest=nearest_name(unit, allowed),
        )
    elif registry.row("units", analyte, spelled)["needs"] == "molar_factor" and mapping.molar_factor is None:
        yield EmberError(
            f"'{unit}' needs a declared molar factor: more than one is in use for {analyte}.",
            where=document.place(keys),
            fix="Add `molar_factor: {nmol_per_mg: …, reason: …}` as the laboratory states it.",
        )


def _below_findings(measurement: MeasurementMap, document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    below = measurement.below
    if below is None:
        return
    if (below.column is None) != (not below.codes):
        yield EmberError("`column:` and `codes:` belong together.", where=document.place(keys))
    if below.column is None and below.heap is None and below.limit is None:
        yield EmberError("Says nothing: name a flag column with codes, a heap or a limit.", where=document.place(keys))


def _instrument_findings(
    name: str, mapping: InstrumentMap, registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    instruments = {row["instrument"]: row for row in registry.rows("instruments")}
    yield from unknown(name, instruments, "an instrument of config/registry/instruments.csv", document, keys)
    if mapping.items is None:
        return
    if not _formats(mapping.items, item=1):
        yield EmberError("The pattern cannot be filled with an item's number.", where=document.place((*keys, "items")))
    if name in instruments and instruments[name]["scoring"] == "given":
        yield EmberError(
            f"{name} is not scored from items here; only its total is read.", where=document.place((*keys, "items"))
        )
