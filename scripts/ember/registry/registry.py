"""The scientific tables of `config/registry`, with a study's own rows on top."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ember.errors import EmberError, nearest_name

KEYS: Mapping[str, tuple[str, ...]] = {
    "analytes": ("analyte",),
    "units": ("analyte", "from_unit"),
    "unit_aliases": ("alias",),
    "assays": ("assay_id",),
    "instruments": ("instrument",),
    "instrument_items": ("instrument", "item"),
    "severity_bands": ("instrument", "banding", "band"),
    "treatments": ("treatment",),
    "treatment_names": ("name",),
    "codelists": ("codelist", "code"),
    "codelist_names": ("codelist", "name"),
    "disclosure": ("profile",),
    "thresholds": ("threshold",),
    "cross_field_rules": ("table", "rule"),
    "variable_names": ("kind", "target", "name"),
    "standard_codes": ("standard", "kind", "code"),
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

    def units_of(self, analyte: str) -> list[str]:
        """Return the units that can be converted for an analyte."""
        return [row["from_unit"] for row in self.rows("units") if row["analyte"] == analyte]

    def ucum(self, unit: str, analyte: str) -> str | None:
        """Return the UCUM spelling of a reported unit if the registry converts it for this analyte, else None."""
        spelled = unit.strip()
        for candidate in (spelled, self.aliases.get(spelled, spelled)):
            if self.has("units", analyte, candidate):
                return candidate
        return None


def read_registry(shared: Path, own: Path | None = None, overridden: Iterable[tuple[str, str]] = ()) -> Registry:
    """Read the shared registry and the study's own rows.

    Parameters
    ----------
    shared : Path
        `config/registry`.
    own : Path, optional
        The study's `registry` folder; its rows are added.
    overridden : iterable of (table, key)
        Rows that the study declares to change; any other repetition is refused.

    Raises
    ------
    EmberError
        A table lacks a key column, a key repeats, or a study row changes a shared one without an override.
    """
    allowed = set(overridden)
    _refuse_strangers(own)
    tables: dict[str, dict[str, Row]] = {}
    for table in KEYS:
        header, rows = _read(shared / f"{table}.csv", table, f"config/registry/{table}.csv")
        own_file = own / f"{table}.csv" if own else None
        if own_file and own_file.exists():
            own_header, own_rows = _read(own_file, table, f"registry/{table}.csv")
            if own_header != header:
                raise EmberError(
                    "The columns differ from those of the shared table.",
                    where=f"registry/{table}.csv:1",
                    fix=f"They must be {','.join(header)}.",
                )
            for key in own_rows:
                if key in rows and (table, key) not in allowed:
                    raise EmberError(
                        f"The study's row '{key}' changes a shared row.",
                        where=f"registry/{table}.csv",
                        fix="Add it to `overrides:` in study.yaml with a reason, or give it another key.",
                    )
            rows |= own_rows
        tables[table] = rows
    return Registry(tables)


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
