"""What each source says of its columns, and what the sites make of them: metadata only, never a cell."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq  # type: ignore[import-untyped]

from ember.expressions.parser import parse
from ember.expressions.syntax import columns_of
from ember.extract.columns import mapped_columns
from ember.extract.raw_file import KEYS, METADATA_KEY
from ember.harmonise.value_columns import ValueColumn, value_columns
from ember.registry.model import Study, TableMap
from ember.registry.registry import Registry
from ember.reporting.words import plain

ROLES = {
    "participant": "participant identifier",
    "rows": "tells the rows of a site",
    "visit_code": "visit",
    "analyte": "analyte of the row",
}


OPERAND = "operand"
"""Role of a column in a formula: the name of the derived column says more."""
ALL = ""
"""Where a meaning is not that of one site."""


@dataclass(frozen=True)
class RawColumns:
    """The columns of a source in the order of the file, and what the file says of each."""

    names: tuple[str, ...]
    said: Mapping[str, Mapping[str, Any]]


@dataclass
class Meaning:
    """What the sites make of one column: words by site, the codes that mean missing, and its units."""

    words: dict[str, list[str]] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    units: list[str] = field(default_factory=list)

    def add(self, site: str, words: str, missing: Collection[str] = (), unit: str | None = None) -> None:
        said = self.words.setdefault(site, [])
        if words not in said:
            said.append(words)
        self.missing += [code for code in missing if code not in self.missing]
        self.units += [unit] if unit and unit not in self.units else []


def read_raw_columns(path: Path) -> RawColumns:
    """Read what a raw file says of its columns; no row is read."""
    file = pq.ParquetFile(path)
    said = json.loads(file.metadata.metadata[METADATA_KEY])["columns"]
    return RawColumns(tuple(name for name in file.schema_arrow.names if name not in KEYS), said)


def meanings(study: Study, registry: Registry, source: str, names: Collection[str]) -> dict[str, Meaning]:
    """Return what the sites make of the columns of one source, by column.

    Parameters
    ----------
    names : collection of str
        Columns of the raw file. Those that a site derives from them are added.
    """
    found: dict[str, Meaning] = {}
    for other, column in _joined(study, source):
        found.setdefault(column, Meaning()).add(ALL, f"joined into {other}")
    for site in study.sites_of(source):
        for table in (table for table in site.tables if table.source == source):
            present = [*names, *table.derived, table.participant]
            for value in value_columns(table, registry, study.visits, present):
                for column, words in _words(table, value):
                    missing = value.missing if column == value.column else ()
                    unit = _unit(table, value) if column == value.column else None
                    found.setdefault(column, Meaning()).add(site.id, words, missing, unit)
            for column, role in mapped_columns(table, registry, present):
                if role != OPERAND and site.id not in found.setdefault(column, Meaning()).words:
                    found[column].add(site.id, ROLES.get(role, plain(role)))
            for name, derived in table.derived.items():
                for column in columns_of(parse(derived.formula)):
                    found.setdefault(column, Meaning()).add(site.id, f"part of {name}")
    return found


def _joined(study: Study, source: str) -> Iterator[tuple[str, str]]:
    """Yield (other source, column) of what other sources bring from this one, and of the columns they find it by."""
    for other in study.sources.values():
        for join in other.joins:
            if join.source == source:
                yield from ((other.id, column) for column in [*join.on.values(), *join.columns])


def _words(table: TableMap, value: ValueColumn) -> Iterator[tuple[str, str]]:
    """Yield (column, meaning) of a value column and of the columns beside it."""
    at = f" at {plain(value.visit)}" if value.visit else ""
    item = f" item {value.item}" if value.item else " total"
    words = {
        "time_zero": "time zero",
        "visit_date": f"date of the visit{at}",
        "measurement": f"{value.name or 'result of the row'}{at}",
        "item": f"{value.name}{item}{at}",
        "treatment": f"treatment{at}",
    }.get(value.kind, value.name or plain(value.kind))
    if value.kind == "participant" and value.name in table.columns and table.columns[value.name].codes:
        words += f" ({', '.join(f'{code}: {name}' for code, name in table.columns[value.name].codes.items())})"
    yield value.column, words
    for column, role in ((value.batch, "batch"), (value.unit_column, "unit"), (value.flag, "limit flag")):
        if column:
            yield column, f"{role} of {value.name or 'the result'}{at}"


def _unit(table: TableMap, value: ValueColumn) -> str | None:
    if value.kind == "participant" and value.name in table.columns:
        return table.columns[value.name].unit
    if value.kind == "measurement" and value.name in table.measurements:
        return table.measurements[value.name].unit
    if value.kind == "measurement" and table.laboratory:
        return table.laboratory.unit
    return None
