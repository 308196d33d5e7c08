"""Numbers in the text of a cell, by the decimal mark that the study declares and by nothing else."""

from __future__ import annotations

import re

import polars as pl

OPERATORS = ("<", ">")


def number_pattern(decimal: str, operators: bool = False) -> str:
    """Return the regular expression of a readable number; ASCII digits only, no thousands separators.

    Parameters
    ----------
    decimal : str
        The declared decimal mark, "." or ",".
    operators : bool
        Whether "<" or ">" may stand before an unsigned number.
    """
    mark = re.escape(decimal)
    unsigned = rf"(?:[0-9]+(?:{mark}[0-9]+)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    return rf"^(?:-?{unsigned}|[<>] *{unsigned})$" if operators else rf"^-?{unsigned}$"


def number(text: pl.Expr, decimal: str = ".", operators: bool = False) -> pl.Expr:
    """Return the number in each cell (float64), null where the cell cannot be read.

    Parameters
    ----------
    text : Expr
        Strings without outer white space.
    decimal : str
        The declared decimal mark, "." or ",".
    operators : bool
        Whether "<" or ">" may stand before the number.

    Notes
    -----
    "<=" and its single sign are not read: whether the limit itself was seen is what left-censoring depends on, and
    laboratories use the sign both ways. A sign of plus, an operator before a negative number, words such as "inf",
    and numbers too large for a float are refused as well.
    """
    digits = text.str.strip_chars_start("<> ") if operators else text
    digits = digits if decimal == "." else digits.str.replace(decimal, ".", literal=True)
    value = digits.cast(pl.Float64, strict=False)
    return pl.when(text.str.contains(number_pattern(decimal, operators)) & value.is_finite()).then(value)


def operator(text: pl.Expr) -> pl.Expr:
    """Return "<", ">" or "" for each cell."""
    first = text.str.slice(0, 1)
    return pl.when(first.is_in(OPERATORS)).then(first).otherwise(pl.lit(""))
