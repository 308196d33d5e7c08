"""Which cells of a REDCap export are empty because the form never showed the field."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from ember.errors import EmberError
from ember.extract.branching import EVENT, Condition, Field, fields_of, parse_branching, shown
from ember.extract.redcap import REPEAT, DictionaryField

CHECKBOX = "checkbox"


@dataclass(frozen=True)
class Branching:
    """The conditions of a dictionary by column, and the columns whose branching EMBER does not read."""

    conditions: Mapping[str, Condition]
    checkboxes: frozenset[str]
    unread: tuple[str, ...]


def branching_of(fields: Sequence[DictionaryField]) -> Branching:
    """Return the conditions of the fields that have one; functions and smart variables are not read."""
    boxes = [column for field in fields if field.kind == CHECKBOX for column in field.columns]
    return _branching(((column, field.branch) for field in fields for column in field.columns), boxes)


def branching_said(said: Mapping[str, Mapping[str, Any]]) -> Branching:
    """Return the conditions of the columns of a raw file, which keeps what the dictionary said of each."""
    boxes = [name for name, info in said.items() if info.get("type") == CHECKBOX]
    return _branching(((name, str(info.get("branch", ""))) for name, info in said.items()), boxes)


def _branching(branches: Iterable[tuple[str, str]], checkboxes: Iterable[str]) -> Branching:
    conditions: dict[str, Condition] = {}
    unread: list[str] = []
    for column, branch in branches:
        if not branch:
            continue
        try:
            conditions[column] = parse_branching(branch, column)
        except EmberError:
            unread.append(column)
    return Branching(conditions, frozenset(checkboxes), tuple(unread))


def hidden_by_branching(frame: pl.DataFrame, branching: Branching, participant: str) -> dict[str, pl.Series]:
    """Return for each column with branching the rows whose cell is empty because the field was hidden.

    Parameters
    ----------
    frame : DataFrame
        The export as text, all rows of it: a condition may look at another event of the participant.
    participant : str
        Column of the participant (`_participant` in a raw file).

    Returns
    -------
    dict of Series of bool
        One mask a column of the frame; none where a field of the condition was not exported.

    Notes
    -----
    A hidden choice of a checkbox is exported as 0 and counts as empty. In a row of a repeating instrument a
    field that is empty there is looked up in the row of the same participant and event that does not repeat.
    """
    concealed = _concealed(frame, branching, participant)
    return {name: mask & _empty(frame[name], name in branching.checkboxes) for name, mask in concealed.items()}


def filled_though_hidden(frame: pl.DataFrame, branching: Branching, participant: str) -> dict[str, int]:
    """Return by column how many cells hold something although the field was hidden, where there are any."""
    concealed = _concealed(frame, branching, participant)
    counts = {
        name: int((mask & ~_empty(frame[name], name in branching.checkboxes)).sum()) for name, mask in concealed.items()
    }
    return {name: count for name, count in counts.items() if count}


def _concealed(frame: pl.DataFrame, branching: Branching, participant: str) -> dict[str, pl.Series]:
    masks: dict[str, pl.Series] = {}
    known: dict[Field, pl.Series | None] = {}
    for name, condition in branching.conditions.items():
        if name not in frame.columns:
            continue
        fields = fields_of(condition)
        for field in fields:
            if field not in known:
                known[field] = _cells(frame, field, participant)
        columns = {field: cells for field in fields if (cells := known[field]) is not None}
        if fields and len(columns) == len(fields):
            masks[name] = ~shown(condition, columns)
    return masks


def _empty(cells: pl.Series, checkbox: bool) -> pl.Series:
    trimmed = cells.fill_null("").str.strip_chars()
    return (trimmed == "") | (trimmed == "0") if checkbox else trimmed == ""


def _cells(frame: pl.DataFrame, field: Field, participant: str) -> pl.Series | None:
    """Return the text of a field for every row, or None where the export does not have it."""
    if field.column not in frame.columns or (field.event is not None and EVENT not in frame.columns):
        return None
    here = frame[field.column].fill_null("")
    if field.event is not None:
        return _looked_up(frame, field.column, [participant], pl.col(EVENT) == field.event)
    if REPEAT not in frame.columns:
        return here
    keys = [participant, EVENT] if EVENT in frame.columns else [participant]
    elsewhere = _looked_up(frame, field.column, keys, pl.col(REPEAT).fill_null("") == "")
    inherits = (frame[REPEAT].fill_null("") != "") & (here == "")
    return here.zip_with(~inherits, elsewhere)


def _looked_up(frame: pl.DataFrame, column: str, keys: Sequence[str], where: pl.Expr) -> pl.Series:
    filled = frame.filter(where & (pl.col(column).fill_null("") != "")).select(*keys, pl.col(column).alias("_there"))
    first = filled.unique(subset=list(keys), keep="first", maintain_order=True)
    return frame.select(*keys).join(first, on=list(keys), how="left", maintain_order="left")["_there"].fill_null("")
