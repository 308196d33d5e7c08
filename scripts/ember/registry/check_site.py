"""Cross-check one site file: its sources, visits, columns, units, assays and instruments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from ember.errors import EmberError
from ember.registry.check_assays import assay_findings
from ember.registry.check_factor import factor_findings, undeclared_factor
from ember.registry.check_instruments import instrument_findings, site_instrument_findings
from ember.registry.check_layout import layout_findings, sharing_findings
from ember.registry.check_loinc import loinc_findings
from ember.registry.check_treatments import treatment_findings
from ember.registry.header_unit import UnitSpellings, contradicts
from ember.registry.known import unknown
from ember.registry.model import ColumnMap, LaboratoryMap, MeasurementMap, Site, Study, TableMap
from ember.registry.registry import Registry
from ember.registry.unit_spelling import folded
from ember.registry.yaml_file import Keys, YamlFile
from ember.tables.contract import Column, contract

OUTSIDE_TABLES = {"site", "label", "like", "selected_on", "tables"}
SIGNS = ("<", ">", "=", "")
"""Signs beside a result; "<=" is none of them, because it does not say whether the limit itself was seen."""


def site_findings(study: Study, site: Site, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield everything in a site file that leads nowhere."""
    nested = "tables" in document.content
    for key in sorted(set(document.content) - OUTSIDE_TABLES if nested else ()):
        yield EmberError(
            f"With `tables:`, '{key}' must stand under the table it belongs to.", where=document.place((key,))
        )
    yield from sharing_findings(site, document)
    seen: dict[str, str] = {}
    spellings = UnitSpellings.of(registry)
    for table in site.tables:
        base: Keys = ("tables", table.name) if nested else ()
        place: Keys = base if nested and "from" not in document.content["tables"][table.name] else (*base, "from")
        yield from unknown(table.source, study.sources, "a source of the study", document, place)
        yield from _table_findings(study, table, registry, document, base)
        yield from layout_findings(study, site, table, document, base)
        yield from treatment_findings(site, table, registry, document, base)
        yield from _header_findings(table, spellings, registry, document, base)
        yield from loinc_findings(table, registry, document, base)
        yield from factor_findings(table, registry, document, base)
        yield from assay_findings(table, registry, document, base)
        for name in table.columns:
            if name in seen:
                where = document.place((*base, "columns", name))
                yield EmberError(f"'{name}' is already mapped in the table {seen[name]}.", where=where)
            seen.setdefault(name, table.name)
    yield from site_instrument_findings(site, registry, document, nested)
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
        yield from _unit_code_findings([analyte], measurement, registry, document, keys)
    if table.laboratory:
        yield from _laboratory_findings(table.laboratory, registry, document, (*base, "laboratory"))
    for name, instrument in table.instruments.items():
        yield from instrument_findings(name, instrument, registry, document, (*base, "instruments", name))


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
    if mapping.codelist is not None:
        yield from _codelist_findings(column, mapping.codelist, allowed, registry, document, (*keys, "codelist"))
    if not allowed:
        allowed = _codes(registry, column.name)
    for code, meaning in mapping.codes.items():
        if allowed:
            yield from unknown(meaning, allowed, f"a code of '{column.name}'", document, (*keys, "codes", code))


def _codelist_findings(
    column: Column, codelist: str, allowed: list[str], registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    rows = registry.rows("codelist_names")
    known = list(dict.fromkeys(row["codelist"] for row in rows))
    yield from unknown(codelist, known, "a list of config/registry/codelist_names.csv", document, keys)
    if column.type == "float64":
        yield EmberError(f"'{column.name}' is a number, which has no codelist.", where=document.place(keys))
        return
    codes = list(dict.fromkeys(row["code"] for row in rows if row["codelist"] == codelist))
    if allowed and codes and not set(codes) & set(allowed):
        yield EmberError(
            f"No code of the list '{codelist}' is one of '{column.name}': {', '.join(codes)}.",
            where=document.place(keys),
            allowed=allowed,
            fix="Take another list, or translate the texts under `codes:`.",
        )


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
    if laboratory.operator:
        for code, sign in laboratory.operator.codes.items():
            where = (*keys, "operator", "codes", code)
            yield from unknown(sign.strip(), SIGNS, "a sign that is read", document, where)
    if laboratory.specimen_column:
        specimens = _codes(registry, "specimen")
        for code, specimen in laboratory.specimen_column.codes.items():
            yield from unknown(specimen, specimens, "a specimen", document, (*keys, "specimen", "codes", code))
    yield from _unit_code_findings(analytes, laboratory, registry, document, keys)


def _unit_code_findings(
    analytes: Sequence[str],
    mapping: MeasurementMap | LaboratoryMap,
    registry: Registry,
    document: YamlFile,
    keys: Keys,
) -> Iterator[EmberError]:
    """Yield translated units that no analyte of the table can have."""
    allowed = list(dict.fromkeys(unit for analyte in analytes for unit in registry.units_of(analyte)))
    for code, unit in mapping.unit_codes.items():
        if allowed and not any(registry.ucum(unit, analyte) for analyte in analytes):
            what = f"a unit of {' or '.join(analytes)} that a row of config/registry/units.csv converts"
            yield from unknown(unit, allowed, what, document, (*keys, "unit", "codes", code))


def _header_findings(
    table: TableMap, spellings: UnitSpellings, registry: Registry, document: YamlFile, base: Keys
) -> Iterator[EmberError]:
    """Yield result columns whose own name states another unit than the site file."""
    told = [
        (name, mapping.column, mapping.unit, ("measurements", name)) for name, mapping in table.measurements.items()
    ]
    if table.laboratory:
        laboratory = table.laboratory
        names = dict.fromkeys(laboratory.analyte.codes.values())
        told.extend((name, laboratory.value, laboratory.unit, ("laboratory", "")) for name in names)
    for analyte, column, unit, keys in told:
        if unit is None or column in table.derived:
            continue
        whole = _formats(table.visits.pattern, column="x", visit="y")
        written = [table.visits.column_for(column, suffix) for suffix in table.visits.wide if whole]
        stated = {spellings.stated_by(name) for name in (column, *written)} - {None}
        for header in sorted(name for name in stated if name and contradicts(name, unit, analyte, registry)):
            yield EmberError(
                f"The name of {column} states {header}; the site file declares {unit} for {analyte}.",
                where=document.place((*base, *(key for key in keys if key), "unit")),
                fix="Declare the unit of the file. If the name is wrong, give the column its right name by `derived:`.",
            )


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
        plain = folded(unit)
        elsewhere = registry.spellings.get(plain, plain) in {row["from_unit"] for row in registry.rows("units")}
        yield EmberError(
            f"'{unit}' is not a unit of {analyte} that a row of config/registry/units.csv converts.",
            where=document.place(keys),
            allowed=allowed,
            nearest=None if elsewhere else _nearest_unit(unit, allowed),
            fix=f"It is a unit of other analytes: does the column hold {analyte}?" if elsewhere else "",
        )
        return
    yield from undeclared_factor(analyte, unit, mapping, registry, document, keys)


def _nearest_unit(given: str, allowed: list[str]) -> str | None:
    """Return the unit that was probably meant; unlike in names, U/L and ug/L are nowhere near each other."""
    same = [unit for unit in allowed if unit.lower() == given.lower()]
    return next(iter(same or get_close_matches(given, allowed, n=1, cutoff=0.7)), None)


def _below_findings(measurement: MeasurementMap, document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    below = measurement.below
    if below is None:
        return
    if (below.column is None) != (not below.codes):
        yield EmberError("`column:` and `codes:` belong together.", where=document.place(keys))
    if below.column is None and below.heap is None and below.limit is None:
        yield EmberError("Says nothing: name a flag column with codes, a heap or a limit.", where=document.place(keys))
