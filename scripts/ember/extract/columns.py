"""Which columns of a source a site file names, and whether the file has them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from difflib import get_close_matches

from ember.errors import EmberError
from ember.expressions.parser import parse
from ember.expressions.syntax import columns_of
from ember.extract.header import looks_like_data
from ember.registry.model import InstrumentMap, MeasurementMap, Site, Source, TableMap, VisitMap
from ember.registry.registry import Registry

Mapped = tuple[str, str]

# Columns of these roles hold values; the others (participant, rows, visit_code, row_date, unit, batch, flag, analyte,
# operator, specimen, beside, consent, operand) are keys or stand beside a value.
VALUE_ROLES = frozenset(
    {"time_zero", "visit_date", "death", "column", "measurement", "result", "item", "total", "treatment"}
)


def mapped_columns(table: TableMap, registry: Registry, columns: Collection[str] = ()) -> list[Mapped]:
    """Return every column of the file that a mapping names, with its role; a wide file's columns are expanded.

    A derived column is not in the file: the columns that its formula names stand for it.

    Parameters
    ----------
    columns : collection of str
        Names in the file. In a wide file a unit, batch, flag or treatment column is expanded like the value
        it belongs to where the file has that column, and else stands once for all visits.

    Returns
    -------
    list of (str, str)
        Column and role, each pair once, in the order of the mapping.

    Raises
    ------
    EmberError
        A formula cannot be read, or the items of an instrument are not known.
    """
    named = (*_mapped(table, registry, {*columns, *table.derived}), *_operands(table))
    return [(column, role) for column, role in dict.fromkeys(named) if column not in table.derived]


def value_columns(table: TableMap, registry: Registry, columns: Collection[str] = ()) -> list[str]:
    """Return the columns that hold values, each once."""
    found = [column for column, role in mapped_columns(table, registry, columns) if role in VALUE_ROLES]
    return list(dict.fromkeys(found))


def at_visits(visits: VisitMap, column: str, only: Sequence[str] = ()) -> list[tuple[str, str | None]]:
    """Return (column in the file, visit) of a mapped column: one pair a visit in a wide file, else one pair.

    Parameters
    ----------
    only : sequence of str
        The visits at which it was measured; empty means all.

    Notes
    -----
    The visit is None in a long file, where the row says it.
    """
    if not visits.wide:
        return [(column, visits.single)]
    return [
        (visits.column_for(column, suffix), visit) for suffix, visit in visits.wide.items() if not only or visit in only
    ]


def once_or_at_visits(
    visits: VisitMap, column: str, columns: Collection[str], only: Sequence[str] = ()
) -> list[tuple[str, str | None]]:
    """Return (column, visit) of a column that a wide file may have once a visit or once a row."""
    expanded = at_visits(visits, column, only)
    return [(at_visit if at_visit in columns else column, visit) for at_visit, visit in expanded]


def item_columns(instrument: str, items: str, registry: Registry) -> list[tuple[int, str]]:
    """Return (item number, column before the visit is added) of the scored items of an instrument.

    Raises
    ------
    EmberError
        The registry has no items of the instrument or the pattern cannot be filled.
    """
    numbers = [
        int(row["item"])
        for row in registry.rows("instrument_items")
        if row["instrument"] == instrument and row["scored"] == "true"
    ]
    if not numbers:
        raise EmberError(
            f"The registry has no scored items of '{instrument}'.",
            where="config/registry/instrument_items.csv",
            fix="Add its items, or map its `total:`.",
        )
    try:
        return [(number, items.format(item=number)) for number in numbers]
    except (KeyError, ValueError, IndexError):
        raise EmberError(
            f"The pattern '{items}' of '{instrument}' cannot be filled.",
            fix='Write it like "HAMD{item:02d}" or "PHQ_{item}".',
        ) from None


def check_columns(source: Source, columns: Sequence[str], site: Site, table: TableMap, registry: Registry) -> None:
    """Refuse a source that lacks a column which the site file names.

    Raises
    ------
    EmberError
        All absent columns together, each with the nearest names in the file.
    """
    absent = absent_columns(source, columns, site, table, registry)
    if absent:
        raise EmberError("\n".join(str(finding) for finding in absent))


def absent_columns(
    source: Source, columns: Sequence[str], site: Site, table: TableMap, registry: Registry
) -> list[EmberError]:
    """Return one finding for each column that the site file names and the source does not have."""
    known = set(columns)
    named = dict.fromkeys(column for column, _ in mapped_columns(table, registry, known))
    return [_absent(source, columns, site, column) for column in named if column not in known]


def _absent(source: Source, columns: Sequence[str], site: Site, column: str) -> EmberError:
    fix = ""
    close: list[str] = []
    if looks_like_data(columns):
        fix = "The header looks like a row of data: if there are no column names, write `header_row: 0` and `names:`."
    else:
        by_lower = {name.lower(): name for name in columns}
        close = [by_lower[name] for name in get_close_matches(column.lower(), by_lower, n=3, cutoff=0.6)]
    nearest = f", nearest: {', '.join(close)}" if close else ""
    return EmberError(
        f"The site file of {site.id} names {column}; the file has {len(columns)} columns{nearest}.",
        where=f"{source.shown_path}  column {column}",
        fix=fix,
    )


def _mapped(table: TableMap, registry: Registry, columns: Collection[str]) -> Iterator[Mapped]:
    visits = table.visits
    yield table.participant, "participant"
    if table.rows:
        yield table.rows.column, "rows"
    if table.time_zero:
        yield table.time_zero.column, "time_zero"
    if visits.long:
        yield visits.long.column, "visit_code"
    yield from ((told.column, "row_date") for told in (visits.by_date, visits.by_day) if told)
    if visits.date:
        yield from ((column, "visit_date") for column, _ in at_visits(visits, visits.date.column))
    if table.death:
        yield table.death.column, "death"
    yield from ((column, "consent") for column in _consent(table))
    yield from ((mapping.column, "column") for mapping in table.columns.values())
    for measurement in table.measurements.values():
        yield from _measurement(visits, measurement, columns)
    yield from _laboratory(table)
    for name, instrument in table.instruments.items():
        yield from _instrument(visits, name, instrument, registry)
    if table.treatments:
        for trial in table.treatments.trials or (None,):
            name, *beside = table.treatments.columns_of(trial)
            yield from ((column, "treatment") for column, _ in once_or_at_visits(visits, name, columns))
            for other in beside:
                yield from ((column, "beside") for column, _ in once_or_at_visits(visits, other, columns))


def _measurement(visits: VisitMap, mapping: MeasurementMap, columns: Collection[str]) -> Iterator[Mapped]:
    yield from ((column, "measurement") for column, _ in at_visits(visits, mapping.column, mapping.visits))
    beside = (
        (mapping.unit_column, "unit"),
        (mapping.batch, "batch"),
        (mapping.below.column if mapping.below else None, "flag"),
    )
    for name, role in beside:
        if name is not None:
            yield from ((column, role) for column, _ in once_or_at_visits(visits, name, columns, mapping.visits))


def _laboratory(table: TableMap) -> Iterator[Mapped]:
    if table.laboratory is None:
        return
    yield table.laboratory.analyte.column, "analyte"
    yield table.laboratory.value, "result"
    if table.laboratory.unit_column is not None:
        yield table.laboratory.unit_column, "unit"
    if table.laboratory.operator is not None:
        yield table.laboratory.operator.column, "operator"
    if table.laboratory.specimen_column is not None:
        yield table.laboratory.specimen_column.column, "specimen"
    if table.laboratory.batch is not None:
        yield table.laboratory.batch, "batch"


def _consent(table: TableMap) -> Iterator[str]:
    if table.consent is None:
        return
    yield from (purpose.column for purpose in table.consent.purposes.values())
    if table.consent.withdrawn is not None:
        yield table.consent.withdrawn.column
    if table.consent.on_withdrawal_column is not None:
        yield table.consent.on_withdrawal_column.column


def _operands(table: TableMap) -> Iterator[Mapped]:
    for name, derived in table.derived.items():
        expression = parse(derived.formula, f"source {table.source}  derived  {name}")
        yield from ((column, "operand") for column in columns_of(expression))


def _instrument(visits: VisitMap, name: str, mapping: InstrumentMap, registry: Registry) -> Iterator[Mapped]:
    bases = [(column, "item") for _, column in item_columns(name, mapping.items, registry)] if mapping.items else []
    if mapping.total:
        bases.append((mapping.total, "total"))
    for base, role in bases:
        yield from ((column, role) for column, _ in at_visits(visits, base, mapping.visits))
