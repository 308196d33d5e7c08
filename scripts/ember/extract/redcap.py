"""A REDCap data dictionary: labels of fields and of their choices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ember.errors import EmberError
from ember.extract.csv_file import read_csv
from ember.extract.table import ColumnInfo, RawTable
from ember.registry.model import Source

NAME, LABEL, TYPE = "Variable / Field Name", "Field Label", "Field Type"
CHOICES = "Choices, Calculations, OR Slider Labels"
WITH_CHOICES = {"radio", "dropdown", "checkbox"}
FIXED_CHOICES: Mapping[str, Mapping[str, str]] = {
    "yesno": {"1": "Yes", "0": "No"},
    "truefalse": {"1": "True", "0": "False"},
}


def with_dictionary(table: RawTable, source: Source) -> RawTable:
    """Return the table with the labels of the source's data dictionary, if it has one.

    Raises
    ------
    EmberError
        The dictionary lacks a column of REDCap, a list of choices cannot be read, or it describes
        none of the columns.
    """
    if source.dictionary is None:
        return table
    described = read_dictionary(source.dictionary, f"{source.shown_path} dictionary {source.dictionary.name}")
    columns = {name: _described(info, described.get(name)) for name, info in table.columns.items()}
    if not any(name in described for name in table.names):
        raise EmberError(
            "The data dictionary describes none of the columns of the file.",
            where=f"{source.shown_path} dictionary {source.dictionary.name}",
            fix="Check `dictionary:` of the source in study.yaml.",
        )
    return replace(table, columns=columns)


def read_dictionary(path: Path, shown: str) -> dict[str, ColumnInfo]:
    """Return what a dictionary says about each column of an export; a checkbox has one column a choice."""
    table = read_csv(Source(id="dictionary", path=path, shown_path=shown, format="csv"))
    absent = [name for name in (NAME, LABEL, TYPE, CHOICES) if name not in table.names]
    if absent:
        raise EmberError(f"The data dictionary lacks the column {', '.join(absent)}.", where=shown)
    described: dict[str, ColumnInfo] = {}
    for row in table.frame.iter_rows(named=True):
        name, label, kind = row[NAME].strip(), row[LABEL].strip(), row[TYPE].strip()
        choices = _choices(row[CHOICES], f"{shown}:{row['_row']}") if kind in WITH_CHOICES else {}
        if kind == "checkbox":
            for code, choice in choices.items():
                column = f"{name}___{code.lower().replace('-', '_')}"
                described[column] = ColumnInfo(f"{label}: {choice}", {"1": "Checked", "0": "Unchecked"}, type=kind)
        else:
            described[name] = ColumnInfo(label, choices or FIXED_CHOICES.get(kind, {}), type=kind)
    return described


def _choices(text: str, where: str) -> dict[str, str]:
    choices = {}
    for part in text.split("|"):
        code, comma, label = part.partition(",")
        if not comma:
            raise EmberError(
                "The choices cannot be read.", where=where, fix='REDCap writes them as "1, Male | 2, Female".'
            )
        choices[code.strip()] = label.strip()
    return choices


def _described(info: ColumnInfo, by: ColumnInfo | None) -> ColumnInfo:
    return info if by is None else replace(info, label=by.label, value_labels=by.value_labels, type=by.type)
