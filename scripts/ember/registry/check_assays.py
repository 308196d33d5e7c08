"""Cross-check what stands on assays: limits by period and batch, bridges, and platforms whose results are pooled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

from ember.errors import EmberError
from ember.registry.check_factor import undeclared_factor
from ember.registry.known import unknown
from ember.registry.model import BridgeUse, DeclaredLimit, LaboratoryMap, MeasurementMap, Site, Study, TableMap
from ember.registry.registry import Registry
from ember.registry.yaml_file import Keys, YamlFile

Content = dict[str, Any]
RAW = ("one_stage", "random_intercept")
"""Ways of pooling that lay the results of several sites on one scale."""


def assay_findings(table: TableMap, registry: Registry, document: YamlFile, base: Keys) -> Iterator[EmberError]:
    """Yield limits and bridges of a table that lead nowhere or contradict each other."""
    for analyte, mapping in table.measurements.items():
        keys: Keys = (*base, "measurements", analyte)
        limits = (*keys, "limits")
        yield from _limit_findings(analyte, mapping, mapping.limits, table, registry, document, limits)
        if mapping.bridge:
            yield from _bridge_findings(analyte, mapping.bridge, mapping.assay, registry, document, (*keys, "bridge"))
    laboratory = table.laboratory
    if laboratory is None:
        return
    analytes = list(dict.fromkeys(laboratory.analyte.codes.values()))
    for key, told in (("limits", laboratory.limits), ("bridge", laboratory.bridge)):
        for analyte in told:
            place = (*base, "laboratory", key, analyte)
            yield from unknown(analyte, analytes, "an analyte of this table", document, place)
    for analyte, entries in laboratory.limits.items():
        place = (*base, "laboratory", "limits", analyte)
        yield from _limit_findings(analyte, laboratory, entries, table, registry, document, place)
    for analyte, use in laboratory.bridge.items():
        place = (*base, "laboratory", "bridge", analyte)
        yield from _bridge_findings(analyte, use, laboratory.assays.get(analyte), registry, document, place)


def platform_findings(study: Study, analysis: Content, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield analytes whose raw results an analysis pools over platforms that are not exchangeable.

    Notes
    -----
    CRP is standardised against one reference material, cytokines are not: between platforms their levels differ by
    factors even in one unit. An analyte counts as bound to its platform if the registry has a multiplex assay of it.
    """
    bound = {row["analyte"] for row in registry.rows("assays") if row["assay_class"] == "multiplex"}
    for analyte, keys in _pooled(analysis):
        if analyte not in bound:
            continue
        platforms = {name: found for name in study.sites if (found := platforms_of(study, name, analyte, registry))}
        different = dict.fromkeys(one for found in platforms.values() for one in found)
        silent = [name for name, found in platforms.items() if None in found]
        if len(platforms) > 1 and silent:
            yield EmberError(
                f"The analysis pools raw results of {analyte}, and {', '.join(silent)} does not say by which assay.",
                where=document.place(keys),
                fix="Name the `assay:` in the site file: levels of two platforms are not exchangeable.",
            )
        elif len(different) > 1:
            yield EmberError(
                f"The analysis pools raw results of {analyte} from {', '.join(sorted(map(str, different)))}.",
                where=document.place(keys),
                fix="Compare within sites (`centre: within_site`, `standardise: within_site`, `pool: two_stage` or "
                "`by_site`), or declare a `bridge:`.",
            )


def _limit_findings(
    analyte: str,
    mapping: MeasurementMap | LaboratoryMap,
    limits: Sequence[DeclaredLimit],
    table: TableMap,
    registry: Registry,
    document: YamlFile,
    keys: Keys,
) -> Iterator[EmberError]:
    for index, limit in enumerate(limits):
        place = (*keys, index)
        yield from _own_findings(limit, mapping, table, document, place)
        if not registry.has("analytes", analyte):
            continue  # a finding of its own
        if registry.ucum(limit.unit, analyte) is None:
            what = f"a unit of {analyte} that a row of config/registry/units.csv converts"
            yield from unknown(limit.unit, registry.units_of(analyte), what, document, (*place, "unit"))
        else:
            yield from undeclared_factor(analyte, limit.unit, mapping, registry, document, (*place, "unit"))
    for (_, one), (index, other) in combinations(enumerate(limits), 2):
        if _overlap(one, other) and (one.low, one.high, one.unit) != (other.low, other.high, other.unit):
            yield EmberError(
                "Two limits hold for the same month and batch.",
                where=document.place((*keys, index)),
                fix="Let `to:` end in the month before the next `from:`, or name different `batches:`.",
            )


def _own_findings(
    limit: DeclaredLimit, mapping: MeasurementMap | LaboratoryMap, table: TableMap, document: YamlFile, place: Keys
) -> Iterator[EmberError]:
    dated = table.visits.date or table.visits.by_date
    if (limit.first or limit.last) and not dated:
        yield EmberError(
            "Nothing in this table tells the month of a sample.",
            where=document.place(place),
            fix="Name the date of the visit under `visits:`, or tell the limits apart by `batches:`.",
        )
    if limit.batches and mapping.batch is None:
        yield EmberError("The limit is for batches, and no `batch:` is mapped.", where=document.place(place))
    if limit.first and limit.last and limit.first > limit.last:
        yield EmberError("`from:` lies after `to:`.", where=document.place(place))
    if limit.low is not None and limit.high is not None and limit.low >= limit.high:
        yield EmberError("`low:` does not lie below `high:`.", where=document.place(place))


def _overlap(one: DeclaredLimit, other: DeclaredLimit) -> bool:
    (first, last), (start, end) = (((entry.first or ""), (entry.last or "9999-99")) for entry in (one, other))
    in_batches = not one.batches or not other.batches or bool(set(one.batches) & set(other.batches))
    return first <= end and start <= last and in_batches


def _bridge_findings(
    analyte: str, use: BridgeUse, assay: str | None, registry: Registry, document: YamlFile, keys: Keys
) -> Iterator[EmberError]:
    rows = {row["bridge_id"]: row for row in registry.rows("bridges") if row["analyte"] == analyte}
    what = f"a bridge of {analyte} in config/registry/bridges.csv"
    yield from unknown(use.id, rows, what, document, (*keys, "id"))
    if use.id in rows and rows[use.id]["from_assay"] != assay:
        told = f"the site file names {assay}" if assay else "the site file names no assay"
        yield EmberError(
            f"The bridge leads away from {rows[use.id]['from_assay']}; {told}.",
            where=document.place((*keys, "id")),
            allowed=[name for name, row in rows.items() if row["from_assay"] == assay],
        )


def _pooled(analysis: Content) -> Iterator[tuple[str, Keys]]:
    """Yield the analytes whose results an analysis lays on one scale over sites, and where it says so."""
    exposure, composite = analysis.get("exposure", {}), analysis.get("composite", {})
    pools = {model.get("pool", "by_site") for model in analysis["models"]}
    raw = exposure.get("scale") == "cut" or (exposure.get("centre") != "within_site" and pools & set(RAW))
    if exposure and raw and pools != {"by_site"}:
        yield exposure["analyte"], ("exposure", "analyte")
    if composite.get("standardise") == "analysis_set":
        for analyte in composite["analytes"]:
            yield analyte, ("composite", "standardise")


def platforms_of(study: Study, name: str, analyte: str, registry: Registry) -> list[str | None]:
    """Return the platforms on whose scale the results of an included site are; None where no assay is named."""
    site: Site = study.sites[name]
    assays: list[str | None] = []
    for table in site.tables if name not in study.excluded_sites else ():
        if analyte in table.measurements:
            mapping = table.measurements[analyte]
            assays.append(_scale(mapping.assay, mapping.bridge, registry))
        if table.laboratory and analyte in table.laboratory.analyte.codes.values():
            use = table.laboratory.bridge.get(analyte)
            assays.append(_scale(table.laboratory.assays.get(analyte), use, registry))
    known = {row["assay_id"]: row["platform"] for row in registry.rows("assays")}
    return [known.get(assay) if assay else None for assay in assays]


def _scale(assay: str | None, use: BridgeUse | None, registry: Registry) -> str | None:
    if use is not None and registry.has("bridges", use.id):
        return registry.row("bridges", use.id)["to_assay"]
    return assay
