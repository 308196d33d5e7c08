"""Cross-check the layout of a site: shared sources, visits by day, repeated rows, derived columns."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from ember.errors import EmberError
from ember.expressions.parser import parse
from ember.expressions.syntax import columns_of
from ember.extract.columns import at_visits
from ember.registry.model import Site, Study, TableMap
from ember.registry.yaml_file import Keys, YamlFile


def sharing_findings(site: Site, document: YamlFile) -> Iterator[EmberError]:
    """Yield tables of one source whose rows cannot be told apart."""
    for one, other in combinations(site.tables, 2):
        if one.source != other.source:
            continue
        alike = one.rows is None or other.rows is None
        if one.rows and other.rows and one.rows.column == other.rows.column:
            alike = one.rows.equals.strip() == other.rows.equals.strip()
        if alike:
            yield EmberError(
                f"{one.name} and {other.name} read the same rows of {one.source}.",
                where=document.place(("tables", other.name, "rows")),
                fix="Tell them apart by `rows: {column: …, equals: …}` in each.",
            )


def layout_findings(study: Study, site: Site, table: TableMap, document: YamlFile, base: Keys) -> Iterator[EmberError]:
    """Yield what cannot be carried out in the layout of one table."""
    yield from _day_findings(study, site, table, document, base)
    lists = bool(table.treatments) and not (table.measurements or table.laboratory or table.instruments)
    if table.per_participant != "many" and (table.laboratory or lists):
        yield EmberError(
            "A row of this table is a result or a treatment, of which a participant has many.",
            where=document.place((*base, "per_participant")),
            allowed=["many"],
        )
    if table.duplicates and lists:
        yield EmberError(
            "Rows of treatments do not contradict each other: there is none to choose.",
            where=document.place((*base, "duplicates")),
        )
    yield from _derived_findings(table, document, base)


def _day_findings(study: Study, site: Site, table: TableMap, document: YamlFile, base: Keys) -> Iterator[EmberError]:
    visits, started = table.visits, any(other.time_zero for other in site.tables)
    kind = "by_date" if visits.by_date else "by_day"
    fix = "Map `time_zero:` in one of its tables."
    if visits.by_date and not started:
        where = document.place((*base, "visits", "by_date"))
        yield EmberError(
            "Visits by date need a day to count from, and the site has no time zero.", where=where, fix=fix
        )
    if table.death and not started:
        where = document.place((*base, "death"))
        yield EmberError(
            "A day of death needs a day to count from, and the site has no time zero.", where=where, fix=fix
        )
    if not (visits.by_date or visits.by_day):
        return
    if visits.date:
        where = document.place((*base, "visits", "date"))
        yield EmberError(f"With {kind} each row has its own day: `date:` would be a second one.", where=where)
    for one, other in combinations(study.visits, 2):
        if max(one.first, other.first) <= min(one.last, other.last):
            yield EmberError(
                f"The windows of {one.id} and {other.id} share days, so that a day does not tell the visit.",
                where=document.place((*base, "visits", kind)),
                fix="Give the visits of study.yaml windows that do not meet, or map a visit code under `long:`.",
            )


def _derived_findings(table: TableMap, document: YamlFile, base: Keys) -> Iterator[EmberError]:
    order = list(table.derived)
    for name, derived in table.derived.items():
        where = document.place((*base, "derived", name, "formula"))
        try:
            used = columns_of(parse(derived.formula, where))
        except EmberError as error:
            yield error
            continue
        for column in used:
            if column in order[order.index(name) :]:
                what = "itself" if column == name else f"'{column}', which is derived after it"
                fix = "A formula uses columns of the source and columns derived before it."
                yield EmberError(f"The formula of '{name}' uses {what}.", where=where, fix=fix)
    for keys, column in _keys(table):
        if column in table.derived:
            yield EmberError(
                f"'{column}' is derived, and a derived column is a value.",
                where=document.place((*base, *keys)),
                fix="Map a column of the file here.",
            )


def _keys(table: TableMap) -> Iterator[tuple[Keys, str]]:
    """Yield the columns that stand beside values, with their place in the site file."""
    yield ("participant",), table.participant
    if table.rows:
        yield ("rows", "column"), table.rows.column
    told = {"long": table.visits.long, "by_date": table.visits.by_date, "by_day": table.visits.by_day}
    yield from ((("visits", kind, "column"), column.column) for kind, column in told.items() if column)
    for analyte, measurement in table.measurements.items():
        beside = {
            "unit": measurement.unit_column,
            "batch": measurement.batch,
            "below": measurement.below.column if measurement.below else None,
        }
        for key, column in beside.items():
            for name, _ in at_visits(table.visits, column, measurement.visits) if column else ():
                yield ("measurements", analyte, key), name
            if column and table.visits.wide:  # one column for all visits of the row
                yield ("measurements", analyte, key), column
    if table.laboratory:
        laboratory = table.laboratory
        coded = {"operator": laboratory.operator, "specimen": laboratory.specimen_column}
        yield ("laboratory", "analyte", "column"), laboratory.analyte.column
        yield from ((("laboratory", key), coded_by.column) for key, coded_by in coded.items() if coded_by)
        beside = {"unit": laboratory.unit_column, "batch": laboratory.batch}
        yield from ((("laboratory", key), column) for key, column in beside.items() if column)
