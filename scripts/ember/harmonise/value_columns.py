"""Which columns of a source hold values, what they hold and at which visit."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from ember.errors import EmberError, nearest_name
from ember.registry.model import TableMap, Visit
from ember.registry.registry import Registry

Kind = Literal["time_zero", "visit_date", "participant", "measurement", "item", "treatment"]


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


def scored_items(registry: Registry) -> dict[str, list[int]]:
    """Return the numbers of the scored items of each instrument."""
    found: dict[str, list[int]] = {}
    for row in registry.rows("instrument_items"):
        if row["scored"] == "true":
            found.setdefault(row["instrument"], []).append(int(row["item"]))
    return found


def value_columns(
    table: TableMap, items: dict[str, list[int]], visits: tuple[Visit, ...], present: Collection[str]
) -> list[ValueColumn]:
    """Return the value columns of a table in mapping order.

    Parameters
    ----------
    items : dict
        Scored items by instrument.
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
    columns = [
        *_fixed_columns(table),
        *_measurements(table, present),
        *_instruments(table, items),
        *_treatments(table, visits, present),
    ]
    _refuse_absent(table, columns, present)
    return columns


def visit_columns(table: TableMap, column: str, visits: tuple[str, ...] = ()) -> list[tuple[str, str | None, str]]:
    """Return (column, visit told by the name, suffix) for a column that may stand once a visit in a wide file."""
    if not table.visits.wide:
        return [(column, None, "")]
    return [
        (table.visits.column_for(column, suffix), visit, suffix)
        for suffix, visit in table.visits.wide.items()
        if not visits or visit in visits
    ]


def beside(table: TableMap, column: str | None, suffix: str, present: Collection[str]) -> str | None:
    """Return the name of a batch, unit or flag column: a wide file has it once a visit or once a row."""
    if column is None or not table.visits.wide:
        return column
    at_visit = table.visits.column_for(column, suffix)
    return at_visit if at_visit in present else column


def _fixed_columns(table: TableMap) -> Iterator[ValueColumn]:
    if table.time_zero:
        yield ValueColumn(table.time_zero.column, "time_zero", missing=table.missing)
    if table.visits.date:
        for column, visit, _ in visit_columns(table, table.visits.date.column):
            yield ValueColumn(column, "visit_date", visit=visit, missing=table.missing)
    for name, mapping in table.columns.items():
        yield ValueColumn(mapping.column, "participant", name, missing=table.missing + mapping.missing)


def _measurements(table: TableMap, present: Collection[str]) -> Iterator[ValueColumn]:
    for analyte, mapping in table.measurements.items():
        flag = mapping.below.column if mapping.below else None
        for column, visit, suffix in visit_columns(table, mapping.column, mapping.visits):
            yield ValueColumn(
                column,
                "measurement",
                analyte,
                visit=visit,
                visits=mapping.visits,
                missing=table.missing,
                batch=beside(table, mapping.batch, suffix, present),
                unit_column=beside(table, mapping.unit_column, suffix, present),
                flag=beside(table, flag, suffix, present),
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


def _instruments(table: TableMap, items: dict[str, list[int]]) -> Iterator[ValueColumn]:
    for name, mapping in table.instruments.items():
        wanted = [(mapping.items.format(item=item), item) for item in items.get(name, [])] if mapping.items else []
        if mapping.total:
            wanted.append((mapping.total, 0))
        for column, item in wanted:
            for at_visit, visit, _ in visit_columns(table, column, mapping.visits):
                missing = table.missing + mapping.missing
                yield ValueColumn(at_visit, "item", name, item, visit, mapping.visits, missing)


def _treatments(table: TableMap, visits: tuple[Visit, ...], present: Collection[str]) -> Iterator[ValueColumn]:
    if table.treatments is None:
        return
    missing = table.missing + table.treatments.missing
    names = [(column, visit) for column, visit, _ in visit_columns(table, table.treatments.name)]
    if table.visits.wide and not any(column in present for column, _ in names):
        # One column without a visit in a wide file says what the participant came in on.
        first = min((visit for visit in visits if visit.id in table.visits.wide.values()), key=lambda visit: visit.day)
        names = [(table.treatments.name, first.id)]
    for column, visit in names:
        yield ValueColumn(column, "treatment", visit=visit, missing=missing)


def _refuse_impossible(table: TableMap) -> None:
    kinds = [bool(table.visits.wide), table.visits.long is not None, table.visits.single is not None]
    where = f"source {table.source}  visits"
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
    long = table.visits.long.column if table.visits.long else None
    analyte = table.laboratory.analyte.column if table.laboratory else None
    named = [long, analyte]
    for value in columns:
        named.extend([value.column, value.batch, value.unit_column, value.flag])
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
