"""Derived columns: each is added to the raw rows of its table as text, as if the site had sent it.

Notes
-----
A derived cell is an empty text where an operand is missing, a number in the declared decimal mark that reads back as
exactly the computed float64, or `NOT_DERIVED` where the formula failed on that row: an operand is not a number, or the
operation has no finite result. `NOT_DERIVED` begins with a NUL, which no reader lets through, so that no cell of a file
can be taken for it, and no parser of numbers, codes or dates accepts it.

What standardise does:

1. before rows are sorted, it replaces the `RawRows` of each table that has `derived:` by those of `with_derived`;
2. where cells are read (`harmonise.cells.read_cells`), a text equal to `NOT_DERIVED` gets the rule `value.not_derived`
   before any other rule is tried; it is quarantined like every refused cell, so the accounting identity holds;
3. the table's missing codes do not apply to a derived column (a sum of 9 is not the code 9): only codes that the
   mapping of the derived column itself declares do. They were already applied to the operands;
4. a derived column is a value: it is refused as a column of visits, units, batches, flags or row filters.

A derived column that nothing maps is an intermediate result: its failures are no values and leave no ledger line.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from ember.errors import EmberError
from ember.expressions.evaluate import Cells, Values, evaluate
from ember.expressions.parser import parse
from ember.expressions.syntax import Expression, columns_of
from ember.extract.header import RESERVED
from ember.extract.text import column_text
from ember.harmonise.missing import missing_rule
from ember.harmonise.numbers import number
from ember.harmonise.standardise_rows import RawRows
from ember.registry.model import TableMap

NOT_DERIVED = "\x00not derived"
RULE = "value.not_derived"


def with_derived(
    rows: RawRows,
    table: TableMap,
    decimal: str,
    codes: Mapping[str, Sequence[str]] | None = None,
    thousands: str | None = None,
) -> tuple[RawRows, pl.DataFrame]:
    """Return the rows with each derived column of a table, in the order of the site file.

    Parameters
    ----------
    decimal : str
        The declared decimal mark of the source, in which operands are read and results written.
    codes : mapping, optional
        Codes by column that mean missing besides those of the table and of the file: those which the mapping of the
        column declares.
    thousands : str, optional
        The declared mark between groups of three digits, with which operands may be written; results are not.

    Returns
    -------
    RawRows
        A later column may use an earlier one.
    DataFrame
        `_row`, `column` and `rule` of the cells that are `NOT_DERIVED`: for counts and messages. Mapped ones reach the
        ledger through their cells, so they are not listed a second time from here.

    Raises
    ------
    EmberError
        A formula cannot be read, names no column of the source, or its column already exists.
    """
    cells: dict[str, Cells] = {}
    made: list[pl.Series] = []
    failed = [_failures(rows.frame, "", np.zeros(rows.frame.height, dtype=np.bool_))]
    for name, expression in formulas(table, rows.frame.columns).items():
        for column in columns_of(expression):
            if column not in cells:
                own = (*table.missing, *(codes or {}).get(column, ()))
                cells[column] = read_operand(rows.frame[column], own, rows.columns.get(column, {}), decimal, thousands)
        values = evaluate(expression, cells, rows.frame.height)
        texts = derived_texts(values, decimal).alias(name)
        cells[name] = Cells(texts, values)
        made.append(texts)
        failed.append(_failures(rows.frame, name, values.failed))
    return RawRows(rows.frame.with_columns(made), rows.columns), pl.concat(failed)


def formulas(table: TableMap, columns: Collection[str]) -> dict[str, Expression]:
    """Return the formulas of a table by derived column.

    Parameters
    ----------
    columns : collection of str
        The columns of the source.

    Raises
    ------
    EmberError
        As `derived_findings`, the first of them.
    """
    found: dict[str, Expression] = {}
    for name in table.derived:
        found[name] = formula(table, name, columns, f"source {table.source}  derived  {name}")
    return found


def derived_findings(
    table: TableMap, columns: Collection[str] | None, where: Callable[[str], str]
) -> Iterator[EmberError]:
    """Yield what is wrong with the formulas of a table, at most one finding a formula.

    Parameters
    ----------
    columns : collection of str or None
        The columns of the source; None where the file has not been looked at.
    where : callable
        Gives file and line of a derived column's formula.
    """
    for name in table.derived:
        try:
            formula(table, name, columns, where(name))
        except EmberError as error:
            yield error


def formula(table: TableMap, name: str, columns: Collection[str] | None, where: str) -> Expression:
    """Return the formula of one derived column.

    Raises
    ------
    EmberError
        The formula cannot be read, names a column that is neither in the source nor derived before, or the derived
        column has a name that is taken.
    """
    if name in RESERVED or name.startswith("_"):
        raise EmberError("Names that begin with '_' are EMBER's own.", where=where, fix="Rename the derived column.")
    if columns is not None and name in columns:
        raise EmberError(f"The source already has a column '{name}'.", where=where, fix="Rename the derived column.")
    order = list(table.derived)
    known = None if columns is None else [*(column for column in columns if column not in RESERVED), *order]
    expression = parse(table.derived[name].formula, where, known)
    later = set(order[order.index(name) :])
    for column in columns_of(expression):
        if column in later:
            what = "itself" if column == name else f"'{column}', which is derived after it"
            raise EmberError(
                f"The formula of '{name}' uses {what}.",
                where=where,
                fix="A formula uses columns of the source and columns derived before it.",
            )
    return expression


def read_operand(
    column: pl.Series,
    declared: Sequence[str],
    metadata: Mapping[str, Any],
    decimal: str,
    thousands: str | None = None,
) -> Cells:
    """Return the cells of a column: missing where empty or a missing code, failed where not a number."""
    text = pl.col("text")
    read = (
        pl.DataFrame({"text": column.str.strip_chars().fill_null("")})
        .lazy()
        .select(
            text,
            number(text, decimal, thousands=thousands).fill_null(np.nan).alias("number"),
            ((text == "") | missing_rule(text, declared, metadata, decimal, thousands).is_not_null()).alias("missing"),
        )
        .collect()
    )
    return Cells(read["text"], Values(read["number"].to_numpy(), read["missing"].to_numpy()))


def derived_texts(values: Values, decimal: str) -> pl.Series:
    """Return results as cells: the shortest text that reads back as the same number."""
    numbers = column_text(pl.Series(np.where(values.missing, np.nan, values.numbers)), "")
    numbers = numbers.str.replace(".", decimal, literal=True) if decimal != "." else numbers
    failed = pl.Series(values.failed)
    return numbers.zip_with(~failed, pl.Series([NOT_DERIVED]).new_from_index(0, len(numbers)))


def _failures(frame: pl.DataFrame, column: str, failed: np.typing.NDArray[np.bool_]) -> pl.DataFrame:
    rows = frame.select(pl.col("_row").cast(pl.Int64)).filter(pl.Series(failed, dtype=pl.Boolean))
    return rows.with_columns(pl.lit(column).alias("column"), pl.lit(RULE).alias("rule"))
