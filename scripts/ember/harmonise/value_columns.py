"""Which columns of a source hold values, what they hold and at which visit."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from ember.errors import EmberError, nearest_name
from ember.extract.columns import at_visits, item_columns, once_or_at_visits
from ember.registry.model import TableMap, Visit
from ember.registry.registry import Registry
from ember.registry.treatment_model import of_trial

Kind = Literal["time_zero", "visit_date", "death", "participant", "measurement", "item", "treatment"]


@dataclass(frozen=True)
class ValueColumn:
    """One column of a source whose cells are values.

    Attributes
    ----------
    name : str
        The column of participants, the analyte ("" in a laboratory table, whose rows tell it) or the instrument.
    item : int
        Number of the item; 0 is a total.
    visit : str or None
        The visit that the column's name tells; None where the row tells it.
    visits : tuple of str
        In long tables: only the rows of these visits are mapped; empty means all.
    missing : tuple of str
        Codes of the table and the column that mean missing.
    batch, unit_column, flag : str or None
        Columns beside it, which are not values themselves.
    beside : tuple of (str, str)
        Of a treatment: columns beside it as the site file names them, and as they stand in the source.
    entry : int
        Of a treatment: its place among the treatment columns of its row, from 1.
    """

    column: str
    kind: Kind
    name: str = ""
    item: int = 0
    visit: str | None = None
    visits: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    batch: str | None = None
    unit_column: str | None = None
    flag: str | None = None
    beside: tuple[tuple[str, str], ...] = ()
    entry: int = 1


def value_columns(
    table: TableMap, registry: Registry, visits: tuple[Visit, ...], present: Collection[str]
) -> list[ValueColumn]:
    """Return the value columns of a table in mapping order.

    Parameters
    ----------
    visits : tuple of Visit
        The study's planned visits.
    present : collection of str
        Columns that the source has.

    Raises
    ------
    EmberError
        The source lacks a column that the site file names, or the mapping cannot be carried out.
    """
    _refuse_impossible(table)
    present = {**dict.fromkeys(present), **dict.fromkeys(table.derived)}
    columns = [
        *_fixed_columns(table),
        *_measurements(table, present),
        *_instruments(table, registry),
        *_treatments(table, visits, present),
    ]
    _refuse_absent(table, columns, present)
    # A computed 9 is not the code 9: what is missing was settled when the formula was.
    return [
        replace(column, missing=column.missing[len(table.missing) :]) if column.column in table.derived else column
        for column in columns
    ]


def _fixed_columns(table: TableMap) -> Iterator[ValueColumn]:
    if table.time_zero:
        yield ValueColumn(table.time_zero.column, "time_zero", missing=table.missing)
    if table.visits.date:
        for column, visit in _at_visits(table, table.visits.date.column):
            yield ValueColumn(column, "visit_date", visit=visit, missing=table.missing)
    if table.death:
        yield ValueColumn(table.death.column, "death", missing=table.missing)
    for name, mapping in table.columns.items():
        yield ValueColumn(mapping.column, "participant", name, missing=table.missing + mapping.missing)


def _measurements(table: TableMap, present: Collection[str]) -> Iterator[ValueColumn]:
    for analyte, mapping in table.measurements.items():
        values = _at_visits(table, mapping.column, mapping.visits)
        flag = mapping.below.column if mapping.below else None
        beside = [
            _beside(table, column, mapping.visits, present, len(values))
            for column in (mapping.batch, mapping.unit_column, flag)
        ]
        for (column, visit), batch, unit_column, mark in zip(values, *beside, strict=True):
            yield ValueColumn(
                column,
                "measurement",
                analyte,
                visit=visit,
                visits=mapping.visits,
                missing=table.missing,
                batch=batch,
                unit_column=unit_column,
                flag=mark,
            )
    if table.laboratory:
        laboratory = table.laboratory
        yield ValueColumn(
            laboratory.value,
            "measurement",
            missing=table.missing,
            batch=laboratory.batch,
            unit_column=laboratory.unit_column,
        )


def _instruments(table: TableMap, registry: Registry) -> Iterator[ValueColumn]:
    for name, mapping in table.instruments.items():
        wanted = item_columns(name, mapping.items, registry) if mapping.items else []
        wanted = [*wanted, (0, mapping.total)] if mapping.total else wanted
        for item, column in wanted:
            for at_visit, visit in _at_visits(table, column, mapping.visits):
                missing = table.missing + mapping.missing
                yield ValueColumn(at_visit, "item", name, item, visit, mapping.visits, missing)


def _treatments(table: TableMap, visits: tuple[Visit, ...], present: Collection[str]) -> Iterator[ValueColumn]:
    mapping = table.treatments
    if mapping is None:
        return
    for entry, trial in enumerate(mapping.trials or (None,), start=1):
        for column, visit in _treatment_names(table, of_trial(mapping.name, trial), visits, present):
            suffix = next((code for code, name in table.visits.wide.items() if name == visit), "")
            beside = []
            for declared in mapping.beside:
                plain = of_trial(declared, trial)
                at_visit = table.visits.column_for(plain, suffix) if table.visits.wide else plain
                beside.append((declared, at_visit if at_visit in present else plain))
            missing = table.missing + mapping.missing
            yield ValueColumn(column, "treatment", visit=visit, missing=missing, beside=tuple(beside), entry=entry)


def _treatment_names(
    table: TableMap, name: str, visits: tuple[Visit, ...], present: Collection[str]
) -> list[tuple[str, str | None]]:
    if not table.visits.wide or name not in present:
        return _at_visits(table, name)
    # One column for the whole row says what the participant was given at the start, not who came to a visit.
    held = [visit for visit in visits if visit.id in table.visits.wide.values()]
    return [(name, min(held, key=lambda visit: visit.day).id)]


def _at_visits(table: TableMap, column: str, only: tuple[str, ...] = ()) -> list[tuple[str, str | None]]:
    """Return (column, visit told by its name); None where the row tells the visit."""
    return at_visits(table.visits, column, only) if table.visits.wide else [(column, None)]


def _beside(
    table: TableMap, column: str | None, only: tuple[str, ...], present: Collection[str], n: int
) -> list[str | None]:
    """Return the batch, unit or flag column that belongs to each of `n` value columns."""
    if column is None:
        return [None] * n
    return [name for name, _ in once_or_at_visits(table.visits, column, present, only)]


def _refuse_impossible(table: TableMap) -> None:
    kinds = [bool(table.visits.wide), table.visits.long is not None, table.visits.single is not None]
    where = f"source {table.source}  visits"
    if table.visits.date and (table.visits.by_date or table.visits.by_day):
        raise EmberError(
            "With by_date and by_day each row has its own day: `date:` would be a second one.", where=where
        )
    if table.visits.date and not any(kinds):
        raise EmberError("A visit date needs to know its visit: wide, long or single.", where=where)
    if table.laboratory and table.visits.wide:
        raise EmberError("A table with one row a result has no visits in its column names.", where=where)
    if table.laboratory and (table.measurements or table.instruments or table.treatments):
        raise EmberError(
            "A table with one row a result would repeat the other values of a visit on each of its rows.",
            where=f"source {table.source}  laboratory",
            fix="Map measurements, instruments and treatments in a table with one row a visit.",
        )


def _refuse_absent(table: TableMap, columns: list[ValueColumn], present: Collection[str]) -> None:
    told = (table.visits.long, table.visits.by_date, table.visits.by_day)
    named: list[str | None] = [column.column for column in told if column]
    if table.laboratory:
        beside = (table.laboratory.analyte, table.laboratory.operator, table.laboratory.specimen_column)
        named.extend(column.column for column in beside if column)
    for value in columns:
        named.extend([value.column, value.batch, value.unit_column, value.flag, *(name for _, name in value.beside)])
    for column in dict.fromkeys(named):
        if column is not None and column not in present:
            raise EmberError(
                f"The site file names {column}; the source has no such column.",
                where=f"source {table.source}  column {column}",
                nearest=nearest_name(column, present),
            )
    seen: set[str] = set()
    for value in columns:
        if value.kind in {"measurement", "item", "treatment"}:
            if value.column in seen:
                raise EmberError(
                    f"The site file maps {value.column} twice.", where=f"source {table.source}  column {value.column}"
                )
            seen.add(value.column)
