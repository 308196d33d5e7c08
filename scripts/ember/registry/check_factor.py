"""Cross-check the factors that a site declares: present where a unit needs one, and for one substance each."""

from __future__ import annotations

from collections.abc import Iterator

from ember.errors import EmberError
from ember.registry.declared_factor import ACTIVITY, FIGURES, MOLAR, NAMES, WHY, declared_for
from ember.registry.known import unknown
from ember.registry.model import LaboratoryMap, MeasurementMap, TableMap
from ember.registry.registry import Registry
from ember.registry.yaml_file import Keys, YamlFile


def undeclared_factor(
    analyte: str,
    unit: str,
    mapping: MeasurementMap | LaboratoryMap,
    registry: Registry,
    document: YamlFile,
    keys: Keys,
) -> Iterator[EmberError]:
    """Yield a finding if a unit of an analyte needs a factor that its mapping does not declare."""
    needs = registry.row("units", analyte, registry.ucum(unit, analyte) or unit)["needs"]
    if not needs or FIGURES[needs] in declared_for(mapping, analyte):
        return
    factor = f"{{{FIGURES[needs]}: …, reason: …}}"
    laboratory = isinstance(mapping, LaboratoryMap)
    line = f"{needs}s: {{{analyte}: {factor}}}" if laboratory else f"{needs}: {factor}"
    yield EmberError(
        f"'{unit}' needs a declared {NAMES[needs]} for {analyte}: {WHY[needs]}.",
        where=document.place(keys),
        fix=f"Add `{line}` as the laboratory states it.",
    )


def factor_findings(table: TableMap, registry: Registry, document: YamlFile, base: Keys) -> Iterator[EmberError]:
    """Yield declared factors that no unit of their analyte can need, and one factor meant for several substances."""
    for analyte, mapping in table.measurements.items():
        for needs, told in ((MOLAR, mapping.molar_factor), (ACTIVITY, mapping.iu_factor)):
            if told is not None:
                yield from _needless(analyte, needs, registry, document, (*base, "measurements", analyte, needs))
    if table.laboratory:
        yield from _laboratory_findings(table.laboratory, registry, document, (*base, "laboratory"))


def _laboratory_findings(
    laboratory: LaboratoryMap, registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    analytes = list(dict.fromkeys(laboratory.analyte.codes.values()))
    for needs, factors in ((MOLAR, laboratory.molar_factors), (ACTIVITY, laboratory.iu_factors)):
        for analyte in factors:
            place = (*keys, f"{needs}s", analyte)
            yield from unknown(analyte, analytes, "an analyte of this table", document, place)
            if analyte in analytes:
                yield from _needless(analyte, needs, registry, document, place)
    alike = [name for name in analytes if MOLAR in _needs_of(name, registry) and name not in laboratory.molar_factors]
    if laboratory.molar_factor and len(alike) > 1:
        yield EmberError(
            f"One molar factor cannot hold for {' and '.join(alike)}.",
            where=document.place((*keys, MOLAR)),
            fix="Give each its own under `molar_factors:`.",
        )


def _needless(analyte: str, needs: str, registry: Registry, document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    # An analyte that the registry does not know is a finding of its own.
    if registry.has("analytes", analyte) and needs not in _needs_of(analyte, registry):
        yield EmberError(f"No unit of {analyte} needs a declared {NAMES[needs]}.", where=document.place(keys))


def _needs_of(analyte: str, registry: Registry) -> set[str]:
    return {row["needs"] for row in registry.rows("units") if row["analyte"] == analyte}
