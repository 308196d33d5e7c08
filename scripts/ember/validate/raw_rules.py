"""What the raw files must satisfy, generated from the site files: rows, mapped columns and their cells."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from ember.extract.columns import mapped_columns
from ember.harmonise.value_columns import ValueColumn, value_columns
from ember.registry.model import Site, Study, TableMap
from ember.registry.registry import Registry
from ember.tables.contract import contract
from ember.validate.gate_rule import GateRule

TABLE = "raw"
READ_AS = {"number": "as a number", "date": "as a date in the declared order", "codes": "by the site file's codes"}


def _rule(name: str, kind: str, category: str, severity: str, title: str, **more: str | None) -> GateRule:
    """Return a rule about the raw files: what it looks at is a column of verdicts of its own, named as the rule is."""
    return GateRule(name, TABLE, kind, name, category, severity, title, **more)  # type: ignore[arg-type]


ROWS_PARTICIPANT = _rule("raw.rows.participant", "present", "conformance", "warning", "The row names its participant")
ROWS_UNIQUE = _rule("raw.rows.number", "unique", "conformance", "error", "A row of a file and sheet stands once")
ROWS_VISIT = _rule("raw.rows.visit", "true", "conformance", "warning", "The visit code is known")
ROWS_ANALYTE = _rule("raw.rows.analyte", "true", "conformance", "warning", "The test name is known")
ROWS_REPEATED = _rule(
    "raw.rows.once", "unique", "conformance", "warning", "One row for each participant, visit and test"
)
COLUMNS_THERE = _rule(
    "raw.columns.there", "true", "conformance", "error", "The file has the mapped column", unit="column"
)
ROW_RULES = (ROWS_PARTICIPANT, ROWS_UNIQUE, ROWS_VISIT, ROWS_ANALYTE, ROWS_REPEATED, COLUMNS_THERE)


@dataclass(frozen=True)
class MappedCell:
    """A mapped column of one table of one site.

    Attributes
    ----------
    variable : str
        What it is mapped to; rules are about a variable, over all its columns, visits and items.
    form : {"number", "date", "codes"} or None
        How its cells must read; None where any text may stand.
    low, high : float or None
        What a number may be.
    """

    column: ValueColumn
    variable: str
    form: str | None
    low: float | None = None
    high: float | None = None


def mapped_cells(
    site: Site, table: TableMap, study: Study, registry: Registry, present: Collection[str]
) -> list[MappedCell]:
    """Return the mapped columns of a table that the raw file has; a derived column is none of the file's.

    Parameters
    ----------
    present : collection of str
        Columns of the raw file.
    """
    named = [name for name, _ in mapped_columns(table, registry, present)]
    columns = value_columns(table, registry, study.visits, [*present, *named, *table.derived])
    return [_mapped(column, table, registry) for column in columns if column.column in present]


def absent_columns(table: TableMap, registry: Registry, present: Collection[str]) -> list[str]:
    """Return the mapped columns that the raw file lacks."""
    named = dict.fromkeys(name for name, role in mapped_columns(table, registry, present) if role != "participant")
    return [name for name in named if name not in present and name not in table.derived]


def _mapped(column: ValueColumn, table: TableMap, registry: Registry) -> MappedCell:
    variable = column.name or ("laboratory" if column.kind == "measurement" else column.kind)
    if column.kind in {"measurement", "item"}:
        return MappedCell(column, variable, "number")
    if column.kind == "treatment":
        return MappedCell(column, variable, None)
    if column.kind != "participant":
        return MappedCell(column, variable, "date")
    target = contract("participants").by_name[column.name]
    if target.type == "float64":
        return MappedCell(column, variable, "number", target.low, target.high)
    mapping = table.columns[column.name]
    coded = mapping.codes or mapping.codelist or target.allowed or target.registry
    return MappedCell(column, variable, "codes" if coded else None)


def cell_rules(cell: MappedCell) -> Iterator[GateRule]:
    """Yield the rules about the cells and columns of a variable.

    Single cells only warn: the ledger says what became of each. A column of which nothing can be used is an error.
    """
    name, shown = f"raw.{cell.variable}", cell.variable.replace("_", " ")
    yield _rule(
        f"{name}.filled", "true", "completeness", "information",
        f"{shown}: the cell holds a value", column=cell.variable, unit="cell",
    )  # fmt: skip
    yield _rule(
        f"{name}.some_value", "true", "completeness", "error",
        f"{shown}: the column holds a value", column=cell.variable, unit="column",
    )  # fmt: skip
    if cell.form:
        yield _rule(
            f"{name}.{cell.form}", "true", "conformance", "warning",
            f"{shown}: the cell reads {READ_AS[cell.form]}", column=cell.variable, unit="cell",
        )  # fmt: skip
        yield _rule(
            f"{name}.some_readable", "true", "conformance", "error",
            f"{shown}: a cell of the column reads {READ_AS[cell.form]}", column=cell.variable, unit="column",
        )  # fmt: skip
    if cell.low is not None or cell.high is not None:
        yield _rule(
            f"{name}.range", "true", "plausibility", "warning",
            f"{shown}: the value lies in the contract's range", column=cell.variable, unit="cell",
        )  # fmt: skip


def raw_rule_list(study: Study, registry: Registry) -> list[GateRule]:
    """Return every rule that the site files can give rise to, in the order of rows, then of their variables."""
    rules = {rule.rule: rule for rule in ROW_RULES}
    for site in study.sites.values():
        for table in site.tables:
            named = [name for name, _ in mapped_columns(table, registry)]
            for cell in mapped_cells(site, table, study, registry, named):
                for rule in cell_rules(cell):
                    rules.setdefault(rule.rule, rule)
    return list(rules.values())
