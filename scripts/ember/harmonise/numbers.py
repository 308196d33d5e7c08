"""Numbers in the text of a cell, by the decimal mark that the study declares and by nothing else."""

from __future__ import annotations

import re

import polars as pl

OPERATORS = ("<", ">")
# Typesetters' forms of the mark that a study can declare between groups of three digits.
THOUSANDS = {" ": " \u00a0\u202f", "'": "'\u2019"}


def number_pattern(decimal: str, operators: bool = False, thousands: str | None = None) -> str:
    """Return the regular expression of a readable number; ASCII digits only.

    Parameters
    ----------
    decimal : str
        The declared decimal mark, "." or ",".
    operators : bool
        Whether "<" or ">" may stand before an unsigned number.
    thousands : str, optional
        The declared mark between groups of exactly three digits; without one no such mark is read.
    """
    mark = re.escape(decimal)
    whole = "[0-9]+"
    if thousands:
        whole = rf"(?:[0-9]+|[0-9]{{1,3}}(?:{_mark_class(thousands)}[0-9]{{3}})+)"
    unsigned = rf"(?:{whole}(?:{mark}[0-9]+)?|{mark}[0-9]+)(?:[eE][+-]?[0-9]+)?"
    return rf"^(?:-?{unsigned}|[<>] *{unsigned})$" if operators else rf"^-?{unsigned}$"


def number(text: pl.Expr, decimal: str = ".", operators: bool = False, thousands: str | None = None) -> pl.Expr:
    """Return the number in each cell (float64), null where the cell cannot be read.

    Parameters
    ----------
    text : Expr
        Strings without outer white space.
    decimal : str
        The declared decimal mark, "." or ",".
    operators : bool
        Whether "<" or ">" may stand before the number.
    thousands : str, optional
        The declared mark between groups of exactly three digits, which a number may go without.

    Notes
    -----
    "<=" and its single sign are not read: whether the limit itself was seen is what left-censoring depends on, and
    laboratories use the sign both ways. A sign of plus, an operator before a negative number, words such as "inf",
    and numbers too large for a float are refused as well.
    """
    digits = text.str.strip_chars_start("<> ") if operators else text
    if thousands:
        digits = digits.str.replace_all(_mark_class(thousands), "")
    digits = digits if decimal == "." else digits.str.replace(decimal, ".", literal=True)
    value = digits.cast(pl.Float64, strict=False)
    readable = text.str.contains(number_pattern(decimal, operators, thousands))
    return pl.when(readable & value.is_finite()).then(value)


def _mark_class(thousands: str) -> str:
    return f"[{THOUSANDS.get(thousands, thousands)}]"


def operator(text: pl.Expr) -> pl.Expr:
    """Return "<", ">" or "" for each cell."""
    first = text.str.slice(0, 1)
    return pl.when(first.is_in(OPERATORS)).then(first).otherwise(pl.lit(""))
