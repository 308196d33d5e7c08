"""The scientific tables of `config/registry`, with a study's own rows on top."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ember.errors import EmberError, nearest_name
from ember.registry.unit_spelling import folded

KEYS: Mapping[str, tuple[str, ...]] = {
    "analytes": ("analyte",),
    "units": ("analyte", "from_unit"),
    "unit_aliases": ("alias",),
    "loinc_codes": ("loinc",),
    "assays": ("assay_id",),
    "bridges": ("bridge_id",),
    "composite_references": ("reference", "analyte"),
    "within_person": ("within_person",),
    "instruments": ("instrument",),
    "instrument_items": ("instrument", "item"),
    "symptom_items": ("profile", "instrument", "item"),
    "severity_bands": ("instrument", "banding", "band"),
    "raw_scores": ("instrument", "raw"),
    "constructs": ("construct",),
    "value_sets": ("value_set",),
    "crosswalks": ("crosswalk",),
    "crosswalk_points": ("crosswalk", "from_low"),
    "treatments": ("treatment",),
    "treatment_names": ("name",),
    "treatment_kinds": ("kind",),
    "dose_units": ("unit",),
    "adequate_doses": ("treatment",),
    "trial_outcomes": ("outcome",),
    "staging": ("scheme", "part", "level"),
    "codelists": ("codelist", "code"),
    "codelist_names": ("codelist", "name"),
    "disclosure": ("profile",),
    "thresholds": ("threshold",),
    "cross_field_rules": ("table", "rule"),
    "variable_names": ("kind", "target", "name"),
    "standard_codes": ("standard", "kind", "code"),
    "unit_evidence": ("demand",),
    "unit_populations": ("analyte",),
    "unit_companions": ("analyte", "companion"),
}

Row = dict[str, str]


@dataclass(frozen=True)
class Registry:
    """Rows of every registry table as text, by key (parts joined with "|")."""

    tables: Mapping[str, Mapping[str, Row]]

    def rows(self, table: str) -> list[Row]:
        """Return the rows of a table, the study's own ones last."""
        return list(self.tables[table].values())

    def row(self, table: str, *key: str) -> Row:
        """Return one row.

        Raises
        ------
        EmberError
            No row has that key.
        """
        found = self.tables[table].get("|".join(key))
        if found is None:
            names = list(self.tables[table])
            raise EmberError(
                f"'{'|'.join(key)}' has no row in config/registry/{table}.csv.",
                allowed=names,
                nearest=nearest_name("|".join(key), names),
            )
        return found

    def has(self, table: str, *key: str) -> bool:
        """Return whether a table has a row with that key."""
        return "|".join(key) in self.tables[table]

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Spelling in files: UCUM unit."""
        return {row["alias"]: row["unit"] for row in self.rows("unit_aliases")}

    @cached_property
    def spellings(self) -> dict[str, str]:
        """Spelling in plain signs (see `unit_spelling.folded`): UCUM unit."""
        return {folded(alias): unit for alias, unit in self.aliases.items()}

    def units_of(self, analyte: str) -> list[str]:
        """Return the units that can be converted for an analyte."""
        return [row["from_unit"] for row in self.rows("units") if row["analyte"] == analyte]

    def ucum(self, unit: str, analyte: str) -> str | None:
        """Return the UCUM spelling of a reported unit if the registry converts it for this analyte, else None."""
        spelled = folded(unit)
        for candidate in (spelled, self.spellings.get(spelled)):
            if candidate and self.has("units", analyte, candidate):
                return candidate
        return None


def read_registry(
    shared: Path, own: Path | None = None, overridden: Iterable[tuple[str, str]] = (), *, checked: bool = False
) -> Registry:
    """Read the shared registry and the study's own rows.

    Parameters
    ----------
    shared : Path
        `config/registry`.
    own : Path, optional
        The study's `registry` folder; its rows are added.
    overridden : iterable of (table, key)
        Rows that the study declares to change; any other repetition is refused.
    checked : bool
        All tables have been read before and are as they have to be: read only what is asked for, when it is.

    Raises
    ------
    EmberError
        A table lacks a key column, a key repeats, or a study row changes a shared one without an override.
    """
    _refuse_strangers(own)
    tables = _Tables(shared, own, overridden)
    if not checked:
        for table in KEYS:
            tables[table]
    return Registry(tables)


class _Tables(dict[str, dict[str, Row]]):
    """The tables by name, each read when it is first asked for."""

    def __init__(self, shared: Path, own: Path | None, overridden: Iterable[tuple[str, str]]) -> None:
        super().__init__()
        self._shared, self._own, self._overridden = shared, own, set(overridden)

    def __missing__(self, table: str) -> dict[str, Row]:
        if table not in KEYS:
            raise KeyError(table)
        header, rows = _read(self._shared / f"{table}.csv", table, f"config/registry/{table}.csv")
        own_file = self._own / f"{table}.csv" if self._own else None
        if own_file and own_file.exists():
            rows |= self._own_rows(own_file, table, header, rows)
        self[table] = rows
        return rows

    def _own_rows(self, path: Path, table: str, header: list[str], shared: Mapping[str, Row]) -> dict[str, Row]:
        own_header, rows = _read(path, table, f"registry/{table}.csv")
        if own_header != header:
            raise EmberError(
                "The columns differ from those of the shared table.",
                where=f"registry/{table}.csv:1",
                fix=f"They must be {','.join(header)}.",
            )
        for key in rows:
            if key in shared and (table, key) not in self._overridden:
                raise EmberError(
                    f"The study's row '{key}' changes a shared row.",
                    where=f"registry/{table}.csv",
                    fix="Add it to `overrides:` in study.yaml with a reason, or give it another key.",
                )
        return rows


def _refuse_strangers(own: Path | None) -> None:
    for path in sorted(own.iterdir()) if own else ():
        if path.suffix == ".csv" and path.stem not in KEYS:
            raise EmberError(
                "The study's registry has a table that EMBER does not know.",
                where=f"registry/{path.name}",
                allowed=KEYS,
                nearest=nearest_name(path.stem, KEYS),
            )


def _read(path: Path, table: str, shown: str) -> tuple[list[str], dict[str, Row]]:
    if not path.exists():
        raise EmberError("The registry table does not exist.", where=shown)
    try:
        reader = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline=""))
    except UnicodeDecodeError:
        raise EmberError("The file is not UTF-8 text.", where=shown) from None
    header = list(reader.fieldnames or ())
    absent = [column for column in KEYS[table] if column not in header]
    if absent:
        raise EmberError(f"The column {', '.join(absent)} is missing.", where=shown)
    rows: dict[str, Row] = {}
    for row in reader:
        where = f"{shown}:{reader.line_num}"
        if None in row or None in row.values():
            raise EmberError("The row has more or fewer cells than the header.", where=where)
        key = "|".join(row[column] for column in KEYS[table])
        if key in rows:
            raise EmberError(f"The key '{key}' stands twice.", where=where)
        rows[key] = row
    return header, rows
