"""A site file as a set of statements, so that two can be compared item by item."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Item = tuple[str, str, str, str]
Unit = tuple[str, str, str]


def tables_of(site: Mapping[str, Any], sources: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each table of a site with its file and sheet, which do not depend on how a source is called."""
    tables = site.get("tables") or {site.get("from"): site}
    for name, table in tables.items():
        source = sources[table.get("from", name)]
        yield f"{source['path']}|{source.get('sheet', '')}", table


def mapping_items(site: Mapping[str, Any], sources: Mapping[str, Any]) -> set[Item]:
    """Return (file, kind, what, value) of each statement that an extract can tell.

    Specimen, assay and molar factor are in no extract; units are compared apart.
    """
    return {(file, *item) for file, table in tables_of(site, sources) for item in _table_items(table)}


def units_of(site: Mapping[str, Any], sources: Mapping[str, Any]) -> dict[tuple[str, str], str]:
    """Return the unit stated for each variable and analyte of each file; a unit column as `column <name>`."""
    found = {}
    for file, table in tables_of(site, sources):
        for key in ("columns", "measurements"):
            for name, entry in table.get(key, {}).items():
                if "unit" in entry:
                    found[file, name] = _unit(entry["unit"])
        if "laboratory" in table and "unit" in table["laboratory"]:
            found[file, "laboratory"] = _unit(table["laboratory"]["unit"])
    return found


def _unit(unit: Any) -> str:
    return f"column {unit['column']}" if isinstance(unit, dict) else str(unit)


def _table_items(table: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    yield "participant", "", table.get("participant", "")
    for name, code in _dated(table.get("time_zero")):
        yield "time_zero", name, code
    yield from _visits(table.get("visits", {}))
    yield from (("missing", "", code) for code in table.get("missing", ()))
    if "rows" in table:
        yield "rows", table["rows"]["column"], table["rows"]["equals"]
    for name, entry in table.get("columns", {}).items():
        yield "column", name, entry["column"]
        yield from (("code", f"{name} {code}", meaning) for code, meaning in entry.get("codes", {}).items())
    for name, entry in table.get("measurements", {}).items():
        yield from _measurement(name, entry)
    if "laboratory" in table:
        yield from _laboratory(table["laboratory"])
    for name, entry in table.get("instruments", {}).items():
        yield from (("instrument", f"{name} {key}", entry[key]) for key in ("items", "total") if key in entry)


def _visits(visits: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    for code, visit in visits.get("wide", {}).items():
        yield "visit code", str(code), visit
    if "wide" in visits:
        yield "visit pattern", "", visits.get("pattern", "{column}_{visit}")
    for code, visit in visits.get("long", {}).get("codes", {}).items():
        yield "visit code", str(code), visit
    if "long" in visits:
        yield "visit column", "", visits["long"]["column"]
    for name, code in _dated(visits.get("date")):
        yield "visit date", name, code


def _dated(entry: Mapping[str, str] | None) -> Iterator[tuple[str, str]]:
    if entry:
        yield "column", entry["column"]
        yield "format", entry["date"]


def _measurement(name: str, entry: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    yield "measurement", name, entry["column"]
    if "batch" in entry:
        yield "batch", name, entry["batch"]
    if "visits" in entry:
        yield "measured at", name, " ".join(sorted(entry["visits"]))
    if "below" in entry:
        yield "flag", name, entry["below"].get("column", "")
        yield from (("flag code", name, code) for code in entry["below"].get("codes", ()))


def _laboratory(entry: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    yield "laboratory", "analyte", entry["analyte"]["column"]
    yield "laboratory", "value", entry["value"]
    if "batch" in entry:
        yield "batch", "laboratory", entry["batch"]
    yield from (("code", f"analyte {code}", meaning) for code, meaning in entry["analyte"]["codes"].items())
