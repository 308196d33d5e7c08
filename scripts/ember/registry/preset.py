"""Standard tables (OMOP, CDISC) as presets: their columns and codes, under what a site file says of its own."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ember.registry.yaml_file import Keys, YamlFile, read_yaml

CODES_TABLE = "standard_codes.csv"
NAME = re.compile("[a-z][a-z0-9_]*")
# A table says its visits in one of these ways; what the site says takes the preset's away.
VISIT_KINDS = ("wide", "long", "single", "by_date", "by_day")


def with_presets(document: YamlFile, registry: Path, own: Path | None = None) -> YamlFile:
    """Return a site file in which each table that names a preset has its columns and codes.

    Parameters
    ----------
    document : YamlFile
        A site file as it is written, before its schema is checked: anything may stand in it.
    registry : Path
        `config/registry`, which holds `presets/<name>.yaml` and the codes of the standards.
    own : Path, optional
        The study's `registry` folder, whose codes come on top.

    Notes
    -----
    What stands in the site file wins, key by key; a key without a value takes the preset's away, and so does
    another kind of visits. A place in a message is the preset's line only where the site file has none.
    A preset that does not exist is left as it is: the schema names the ones there are.
    """
    content, places = dict(document.content), dict(document.places)
    for keys in list(_table_keys(content)):
        table = _at(content, keys)
        path = registry / "presets" / f"{table['preset']}.yaml"
        if not path.is_file():
            continue
        preset, preset_places = _preset(path, registry, own)
        _replace(content, keys, merged(_without_other_visits(preset, table), table))
        places = {**{(*keys, *inner): place for inner, place in preset_places.items()}, **places}
    return YamlFile(document.path, document.shown_path, content, places)


def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with what `change` says, key by key; a key without a value takes the inherited one away."""
    kept = {key: value for key, value in base.items() if not (key in change and change[key] is None)}
    for key, value in change.items():
        if value is None:
            continue
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        kept[key] = merged(base[key], value) if both else value
    return kept


def _table_keys(content: dict[str, Any]) -> Iterator[Keys]:
    """Yield where the tables stand that name a preset: the file itself, or each of its `tables`."""
    if _names_preset(content):
        yield ()
    tables = content.get("tables")
    for name, table in tables.items() if isinstance(tables, dict) else ():
        if _names_preset(table):
            yield ("tables", name)


def _names_preset(table: Any) -> bool:
    name = table.get("preset") if isinstance(table, dict) else None
    return isinstance(name, str) and NAME.fullmatch(name) is not None


def _preset(path: Path, registry: Path, own: Path | None) -> tuple[dict[str, Any], dict[Keys, str]]:
    """Return the table of a preset, its `codes:` looked up, and the places of its keys."""
    document = read_yaml(path, f"config/registry/presets/{path.name}")
    table = document.content["table"]
    places = {keys[1:]: place for keys, place in document.places.items() if keys[0] == "table" and keys[1:]}
    known = _codes(registry / CODES_TABLE, f"config/registry/{CODES_TABLE}")
    if own is not None and (own / CODES_TABLE).is_file():
        known |= _codes(own / CODES_TABLE, f"registry/{CODES_TABLE}")
    standard = document.content["standard"]
    for keys in [keys for keys in places if keys[-1] == "codes"]:
        holder = _at(table, keys[:-1])
        rows = {code: row for (of, kind, code), row in known.items() if (of, kind) == (standard, holder["codes"])}
        holder["codes"] = {code: meaning for code, (meaning, _) in rows.items()}
        places |= {(*keys, code): place for code, (_, place) in rows.items()}
    return table, places


def _codes(path: Path, shown: str) -> dict[tuple[str, str, str], tuple[str, str]]:
    """Return meaning and place by standard, kind and code; a table that is not right is the registry's finding."""
    with path.open(encoding="utf-8", newline="") as lines:
        reader = csv.DictReader(lines)
        return {
            (row.get("standard") or "", row.get("kind") or "", row.get("code") or ""): (
                row.get("meaning") or "",
                f"{shown}:{reader.line_num}",
            )
            for row in reader
        }


def _without_other_visits(preset: dict[str, Any], table: dict[str, Any]) -> dict[str, Any]:
    said = table.get("visits")
    if not isinstance(said, dict) or not any(kind in said for kind in VISIT_KINDS):
        return preset
    return {**preset, "visits": {key: value for key, value in preset["visits"].items() if key not in VISIT_KINDS}}


def _at(content: Any, keys: Keys) -> Any:
    for key in keys:
        content = content[key]
    return content


def _replace(content: dict[str, Any], keys: Keys, table: dict[str, Any]) -> None:
    if not keys:
        content.clear()
        content.update(table)
    else:
        content["tables"] = {**content["tables"], keys[-1]: table}
