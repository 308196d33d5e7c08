"""Build typed sources and sites from schema-valid YAML content."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ember.errors import EmberError, nearest_name
from ember.registry.build_treatments import build_treatments
from ember.registry.files import FileRow
from ember.registry.model import (
    ActivityFactor,
    Below,
    BridgeUse,
    CodedColumn,
    ColumnMap,
    ConfirmedCode,
    ConsentMap,
    DateColumn,
    DayColumn,
    DeclaredLimit,
    DerivedColumn,
    Duplicates,
    InstrumentMap,
    Join,
    LaboratoryMap,
    LinkMap,
    MeasurementMap,
    MolarFactor,
    RowFilter,
    Site,
    Source,
    TableMap,
    VisitMap,
)
from ember.registry.query import check_select, query_text
from ember.registry.stores import address_faults, object_name, scheme_of
from ember.registry.yaml_file import Keys, YamlFile


def source_findings(name: str, entry: dict[str, Any], document: YamlFile) -> Iterator[EmberError]:
    """Return why a source cannot be built: no variant chosen, or no path or format."""
    variants, variant = entry.get("variants", {}), entry.get("variant")
    place = document.place(("sources", name))
    if variants and variant not in variants:
        yield EmberError(
            "The source has variants: say which under `variant:`.",
            where=place,
            allowed=variants,
            nearest=nearest_name(variant, variants) if variant else None,
        )
    elif variant and not variants:
        yield EmberError("The source names a variant and has no `variants:`.", where=place)
    else:
        yield from _origin_findings({**entry, **variants.get(variant, {})}, document, ("sources", name))


def _origin_findings(chosen: dict[str, Any], document: YamlFile, keys: Keys) -> Iterator[EmberError]:
    """Return what is wrong with where a source comes from: a file, an object or a query."""
    asked = chosen.get("format") == "sql"
    needed = ("connection", "query") if asked else ("path", "format")
    foreign = ("path", "compression", "member") if asked else ("connection", "query")
    absent = [key for key in needed if key not in chosen]
    if absent:
        yield EmberError(f"The source needs {' and '.join(absent)}.", where=document.place(keys))
    for key in foreign:
        if key in chosen:
            of = "a file" if asked else "a source with `format: sql`"
            yield EmberError(f"`{key}:` is a key of {of}.", where=document.place((*keys, key)))
    for what, fix in address_faults(chosen.get("path", "")):
        yield EmberError(what, where=document.place((*keys, "path")), fix=fix)
    if asked and not absent:
        where = document.place((*keys, "query"))
        try:
            check_select(query_text(chosen["query"], document.path.parent), where)
        except EmberError as error:
            error.where = where
            yield error


def build_source(
    name: str, entry: dict[str, Any], data_folder: Path, shown_folder: str, files: dict[str, FileRow], fetched: Path
) -> Source:
    """Return a source that has no findings, with the chosen variant and its declared hash.

    A file that is not in the data folder but has an address in the table of files
    is expected under `fetched`, where the workflow puts it. An object of a store and the answer of a query are
    expected among the restricted results; the answer is a Parquet file from then on.
    """
    variant = entry.get("variant")
    chosen = {**entry, **entry.get("variants", {}).get(variant, {})}
    asked = chosen["format"] == "sql"
    file = f"{name}.parquet" if asked else chosen["path"]
    listed = files.get(file)
    path, shown = data_folder / file, f"{shown_folder}/{file}"
    if asked or scheme_of(file):
        brought = Path("results", fetched.name, "restricted", "fetched", name, object_name(file) or file)
        path, shown = fetched.parents[1] / brought, brought.as_posix()
    elif listed and listed.url and not path.exists():
        path, shown = fetched / file, f"resources/{fetched.name}/{file}"
    return Source(
        id=name,
        file=file,
        path=path,
        shown_path=shown,
        format="parquet" if asked else chosen["format"],
        encoding=chosen.get("encoding", "utf-8"),
        delimiter=chosen.get("delimiter", ","),
        decimal=chosen.get("decimal", "."),
        sheet=chosen.get("sheet"),
        header_row=chosen.get("header_row", 1),
        dictionary=data_folder / chosen["dictionary"] if "dictionary" in chosen else None,
        variant=variant,
        sha256=listed.sha256 if listed else None,
        url=listed.url if listed else None,
        recorded=listed.recorded if listed else False,
        compression=chosen.get("compression"),
        member=chosen.get("member"),
        thousands=chosen.get("thousands"),
        header_rows=chosen.get("header_rows", 1),
        names=tuple(chosen.get("names", ())),
        missing_codes=chosen.get("missing_codes", {}),
        connection=chosen.get("connection"),
        query=chosen.get("query"),
        joins=tuple(Join(**_tuples(entry)) for entry in chosen.get("join", ())),
        received=chosen.get("received"),
        cut_off=chosen.get("cut_off"),
        version=chosen.get("version"),
        supersedes=data_folder / chosen["supersedes"] if "supersedes" in chosen else None,
    )


def build_site(content: dict[str, Any]) -> Site:
    """Return the site; a file with one source has its mapping at the top, one with several under `tables`."""
    if "tables" in content:
        tables = tuple(build_table(entry.get("from", name), entry, name) for name, entry in content["tables"].items())
    else:
        mapping = {key: value for key, value in content.items() if key not in {"site", "label", "selected_on"}}
        tables = (build_table(content.get("from", ""), mapping),)
    label = content.get("label", content["site"].capitalize())
    return Site(content["site"], label, tables, tuple(content.get("selected_on", ())))


def build_table(source: str, entry: dict[str, Any], name: str = "") -> TableMap:
    """Return the mapping of one table, which without a name of its own is called like its source."""
    return TableMap(
        name=name or source,
        source=source,
        participant=entry.get("participant", ""),
        rows=RowFilter(**entry["rows"]) if "rows" in entry else None,
        time_zero=_date(entry, "time_zero"),
        visits=_visits(entry.get("visits", {})),
        missing=tuple(entry.get("missing", ())),
        columns={name: ColumnMap(**_tuples(column)) for name, column in entry.get("columns", {}).items()},
        measurements={name: _measurement(column) for name, column in entry.get("measurements", {}).items()},
        laboratory=_laboratory(entry["laboratory"]) if "laboratory" in entry else None,
        instruments={name: _instrument(column) for name, column in entry.get("instruments", {}).items()},
        treatments=build_treatments(entry["treatments"]) if "treatments" in entry else None,
        derived={name: DerivedColumn(**column) for name, column in entry.get("derived", {}).items()},
        corrections=entry.get("corrections"),
        per_participant=entry.get("per_participant", "many"),
        duplicates=Duplicates(**entry["duplicates"]) if "duplicates" in entry else None,
        death=_date(entry, "death"),
        consent=_consent(entry["consent"]) if "consent" in entry else None,
    )


def _date(entry: dict[str, Any], key: str) -> DateColumn | None:
    return DateColumn(**entry[key]) if key in entry else None


def _consent(entry: dict[str, Any]) -> ConsentMap:
    chosen = entry.get("on_withdrawal", "erase")
    each = CodedColumn(**chosen) if isinstance(chosen, dict) else None
    return ConsentMap(
        purposes={purpose: CodedColumn(**column) for purpose, column in entry["purposes"].items()},
        withdrawn=_date(entry, "withdrawn"),
        on_withdrawal="erase" if each else chosen,
        on_withdrawal_column=each,
    )


def _visits(entry: dict[str, Any]) -> VisitMap:
    return VisitMap(
        wide=entry.get("wide", {}),
        pattern=entry.get("pattern", "{column}_{visit}"),
        long=CodedColumn(**entry["long"]) if "long" in entry else None,
        single=entry.get("single"),
        date=_date(entry, "date"),
        by_date=_date(entry, "by_date"),
        by_day=DayColumn(**entry["by_day"]) if "by_day" in entry else None,
    )


def _unit(entry: dict[str, Any]) -> dict[str, Any]:
    unit = entry["unit"]
    if isinstance(unit, dict):
        return {"unit": None, "unit_column": unit["column"], "unit_codes": unit.get("codes", {})}
    return {"unit": unit}


def _molar(entry: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, kind in (("molar_factor", MolarFactor), ("iu_factor", ActivityFactor)):
        if key in entry:
            found[key] = kind(**entry[key])
    for key, kind in (("molar_factors", MolarFactor), ("iu_factors", ActivityFactor)):
        if key in entry:
            found[key] = {analyte: kind(**factor) for analyte, factor in entry[key].items()}
    return found


def _measurement(entry: dict[str, Any]) -> MeasurementMap:
    typed: dict[str, Any] = {"below": Below(**_tuples(entry["below"]))} if "below" in entry else {}
    typed |= {"limits": _limits(entry["limits"])} if "limits" in entry else {}
    typed |= {"bridge": BridgeUse(**entry["bridge"])} if "bridge" in entry else {}
    return MeasurementMap(**_tuples({**entry, **_unit(entry), **_molar(entry), **typed}))


def _instrument(entry: dict[str, Any]) -> InstrumentMap:
    linked = {"linked": [LinkMap(**link) for link in entry["linked"]]} if "linked" in entry else {}
    return InstrumentMap(**_tuples({**entry, **linked}))


def _limits(entries: list[dict[str, Any]]) -> tuple[DeclaredLimit, ...]:
    names = {"from": "first", "to": "last"}
    return tuple(DeclaredLimit(**_tuples({names.get(key, key): part for key, part in one.items()})) for one in entries)


def _laboratory(entry: dict[str, Any]) -> LaboratoryMap:
    coded: dict[str, Any] = {"analyte": CodedColumn(**entry["analyte"])}
    coded["limits"] = {name: _limits(entries) for name, entries in entry.get("limits", {}).items()}
    coded["bridge"] = {name: BridgeUse(**use) for name, use in entry.get("bridge", {}).items()}
    coded["confirmed_codes"] = {code: ConfirmedCode(**why) for code, why in entry.get("confirmed_codes", {}).items()}
    if "operator" in entry:
        coded["operator"] = CodedColumn(**entry["operator"])
    if isinstance(entry.get("specimen"), dict):
        coded["specimen_column"] = CodedColumn(**entry["specimen"])
    plain = {key: value for key, value in entry.items() if key not in {"analyte", "operator"}}
    if "specimen_column" in coded:
        plain.pop("specimen")
    return LaboratoryMap(**{**plain, **_unit(entry), **_molar(entry), **coded})


def _tuples(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
