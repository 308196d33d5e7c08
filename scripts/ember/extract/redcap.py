"""A REDCap data dictionary: what it says of fields, choices, identifiers and repeating instruments."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ember.errors import EmberError
from ember.extract.branching import checkbox_column
from ember.extract.csv_file import read_csv
from ember.extract.table import ColumnInfo, RawTable
from ember.registry.model import Source, TableMap

REPEAT = "redcap_repeat_instrument"
# Our name: the column of a dictionary as it is downloaded, and as the API writes it.
COLUMNS: Mapping[str, tuple[str, str]] = {
    "name": ("Variable / Field Name", "field_name"),
    "label": ("Field Label", "field_label"),
    "kind": ("Field Type", "field_type"),
    "choices": ("Choices, Calculations, OR Slider Labels", "select_choices_or_calculations"),
    "form": ("Form Name", "form_name"),
    "note": ("Field Note", "field_note"),
    "validation": ("Text Validation Type OR Show Slider Number", "text_validation_type_or_show_slider_number"),
    "identifier": ("Identifier?", "identifier"),
    "branch": ("Branching Logic (Show field only if...)", "branching_logic"),
}
REQUIRED = ("name", "label", "kind", "choices")
WITH_CHOICES = {"radio", "dropdown", "checkbox"}
FIXED_CHOICES: Mapping[str, Mapping[str, str]] = {
    "yesno": {"1": "Yes", "0": "No"},
    "truefalse": {"1": "True", "0": "False"},
}
CHECKED = {"1": "Checked", "0": "Unchecked"}


@dataclass(frozen=True)
class DictionaryField:
    """One line of a dictionary. `choices` are codes and labels; `where` is its line, for messages."""

    name: str
    label: str
    kind: str
    choices: Mapping[str, str]
    where: str
    form: str = ""
    note: str = ""
    validation: str = ""
    identifier: bool = False
    branch: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of an export: one, or one for each choice of a checkbox."""
        if self.kind != "checkbox":
            return (self.name,)
        return tuple(checkbox_column(self.name, code) for code in self.choices)


def with_dictionary(table: RawTable, source: Source) -> RawTable:
    """Return the table with the labels of the source's data dictionary, if it has one.

    Raises
    ------
    EmberError
        The dictionary lacks a column of REDCap, a list of choices cannot be read, it describes none of the
        columns, or the export holds labels where the dictionary has codes.
    """
    if source.dictionary is None:
        return table
    where = shown_dictionary(source)
    described = read_dictionary(source.dictionary, where)
    columns = {name: _described(info, described.get(name)) for name, info in table.columns.items()}
    if not any(name in described for name in table.names):
        raise EmberError(
            "The data dictionary describes none of the columns of the file.",
            where=where,
            fix="Check `dictionary:` of the source in study.yaml.",
        )
    refuse_labels(table.frame, described, source.shown_path)
    return replace(table, columns=columns)


def shown_dictionary(source: Source) -> str:
    """Return how messages name the dictionary of a source."""
    return f"{source.shown_path} dictionary {source.dictionary.name if source.dictionary else ''}".rstrip()


def read_dictionary(path: Path, shown: str) -> dict[str, ColumnInfo]:
    """Return what a dictionary says about each column of an export; a checkbox has one column a choice."""
    return column_infos(dictionary_fields(path, shown))


def dictionary_fields(path: Path, shown: str) -> tuple[DictionaryField, ...]:
    """Return the fields of a dictionary in its order.

    Raises
    ------
    EmberError
        It lacks a column of REDCap or a list of choices cannot be read.
    """
    table = read_csv(Source(id="dictionary", path=path, shown_path=shown, format="csv"))
    found = {ours: next((name for name in names if name in table.names), None) for ours, names in COLUMNS.items()}
    absent = [COLUMNS[ours][0] for ours in REQUIRED if found[ours] is None]
    if absent:
        raise EmberError(f"The data dictionary lacks the column {', '.join(absent)}.", where=shown)
    present = {ours: name for ours, name in found.items() if name is not None}
    return tuple(
        _field({ours: row[name].strip() for ours, name in present.items()}, f"{shown}:{row['_row']}")
        for row in table.frame.iter_rows(named=True)
    )


def column_infos(fields: Iterable[DictionaryField]) -> dict[str, ColumnInfo]:
    """Return label, value labels and type of each column of an export; the type names the validation of a text."""
    infos: dict[str, ColumnInfo] = {}
    for field in fields:
        kind = f"{field.kind} {field.validation}".rstrip()
        label = f"{field.label} ({field.note})" if field.note else field.label
        if field.kind == "checkbox":
            for column, choice in zip(field.columns, field.choices.values(), strict=True):
                infos[column] = ColumnInfo(f"{label}: {choice}", CHECKED, type=kind, branch=field.branch)
        else:
            labels = field.choices or FIXED_CHOICES.get(field.kind, {})
            infos[field.name] = ColumnInfo(label, labels, type=kind, branch=field.branch)
    return infos


def identifiers(fields: Iterable[DictionaryField]) -> set[str]:
    """Return the columns that the project marks as identifiers; they are not kept unless a site file maps them."""
    return {column for field in fields if field.identifier for column in field.columns}


def refuse_labels(frame: pl.DataFrame, described: Mapping[str, ColumnInfo], where: str) -> None:
    """Refuse an export that holds labels ("Female") where the dictionary has codes ("1").

    Raises
    ------
    EmberError
        More cells of coded columns hold a label than a code; only columns and counts are named.
    """
    labels, codes, columns = 0, 0, []
    for name, info in described.items():
        if name not in frame.columns or not info.value_labels:
            continue
        cells = frame[name].str.strip_chars()
        is_code = cells.is_in(list(info.value_labels))
        here = int((cells.is_in([label for label in info.value_labels.values() if label]) & ~is_code).sum())
        labels, codes = labels + here, codes + int(is_code.sum())
        columns.extend([name] if here else [])
    if labels > codes:
        raise EmberError(
            f"{labels} cells hold the label of a choice and {codes} its code, in {len(columns)} columns: "
            f"{', '.join(columns[:3])}{', …' if len(columns) > 3 else ''}.",
            where=where,
            fix="Export raw data from REDCap, not labels: the codes are what the site file translates.",
        )


def identifiers_of(source: Source) -> set[str]:
    """Return the columns of a source that its dictionary marks as identifiers; none without a dictionary."""
    if source.dictionary is None:
        return set()
    return identifiers(dictionary_fields(source.dictionary, shown_dictionary(source)))


def repeat_counts(frame: pl.DataFrame) -> dict[str, int]:
    """Return the rows of each repeating instrument of an export, or of a batch of it."""
    if REPEAT not in frame.columns:
        return {}
    cells = frame[REPEAT].str.strip_chars()
    counted = (
        cells.filter(cells != "").alias("_instrument").to_frame().group_by("_instrument", maintain_order=True).len()
    )
    return dict(counted.iter_rows())


def repeat_findings(
    counts: Mapping[str, int], tables: Sequence[TableMap], where: str, forms: Collection[str] = ()
) -> list[EmberError]:
    """Return what to say of rows of repeating instruments that no table of a site file takes.

    Parameters
    ----------
    counts : mapping
        As from `repeat_counts`, added up over the batches.
    tables : sequence of TableMap
        All tables that read the source, of all sites.
    forms : collection of str
        The forms of the dictionary; only these are named, because another cell may be a participant's.
    """
    told = {table.rows.equals for table in tables if table.rows and table.rows.column == REPEAT}
    left = {name: count for name, count in counts.items() if name not in told}
    if not left:
        return []
    names = [name for name in left if name in forms]
    named = f" ({', '.join(names)})" if names else ""
    rows = sum(left.values())
    what = (
        f"{rows} rows belong to repeating instruments{named} that no table of a site file takes."
        if told
        else f"{rows} rows repeat an instrument{named}, and no site file tells them from the others."
    )
    return [
        EmberError(
            what,
            where=f"{where}  column {REPEAT}",
            fix=f"Give each its own table: `rows: {{column: {REPEAT}, equals: {names[0] if names else '…'}}}`; "
            'the rows that do not repeat have `equals: ""`.',
        )
    ]


def _field(row: Mapping[str, str], where: str) -> DictionaryField:
    kind = row["kind"]
    return DictionaryField(
        name=row["name"],
        label=row["label"],
        kind=kind,
        choices=_choices(row["choices"], where) if kind in WITH_CHOICES else {},
        where=where,
        form=row.get("form", ""),
        note=row.get("note", ""),
        validation=row.get("validation", "") if kind == "text" else "",
        identifier=row.get("identifier", "").lower() in {"y", "yes", "1"},
        branch=row.get("branch", ""),
    )


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
    if by is None:
        return info
    return replace(info, label=by.label, value_labels=by.value_labels, type=by.type, branch=by.branch)
