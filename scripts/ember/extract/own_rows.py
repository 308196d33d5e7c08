"""Which rows of a source are a table's own, and which of them it has no use for."""

from __future__ import annotations

import polars as pl

from ember.registry.model import TableMap


def own_rows(frame: pl.DataFrame, table: TableMap) -> pl.Series:
    """Return which rows meet the table's `rows:`; an empty text asks for rows without one."""
    if table.rows is None:
        return pl.repeat(True, frame.height, dtype=pl.Boolean, eager=True)
    return telling_text(frame[table.rows.column]) == table.rows.equals.strip()


def telling_text(column: pl.Series) -> pl.Series:
    """Return the text by which rows are told apart: outer white space does not count."""
    return column.str.strip_chars().fill_null("")


def other_tests(frame: pl.DataFrame, table: TableMap) -> pl.Series:
    """Return which rows hold a test that the site file neither maps nor wants; a row without a test is none of them."""
    laboratory = table.laboratory
    if laboratory is None or laboratory.others != "ignore":
        return pl.repeat(False, frame.height, dtype=pl.Boolean, eager=True)
    text = telling_text(frame[laboratory.analyte.column])
    return (text != "") & ~text.is_in([code.strip() for code in laboratory.analyte.codes])
