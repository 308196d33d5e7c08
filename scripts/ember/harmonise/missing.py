"""Codes that stand for a missing value: declared by the site file, or by the source file itself."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import polars as pl

from ember.harmonise.numbers import number

DECLARED = "value.missing_code"
BY_THE_FILE = "value.user_missing"
MISSING_RULES = (DECLARED, BY_THE_FILE)


def missing_rule(
    text: pl.Expr, declared: Sequence[str], metadata: Mapping[str, Any], decimal: str, thousands: str | None = None
) -> pl.Expr:
    """Return the rule by which a cell is missing, null where it is not.

    Parameters
    ----------
    text : Expr
        Strings without outer white space.
    declared : sequence of str
        Codes of the site file for the table and the column.
    metadata : mapping
        The column's `missing_values` and `missing_ranges` as the source file states them.
    decimal : str
        The declared decimal mark.
    thousands : str, optional
        The declared mark between groups of three digits.

    Notes
    -----
    A code that is a number is compared as a number as well: a file that stores floats writes -9 as -9.0.
    """
    codes = [str(code).strip() for code in metadata.get("missing_values") or ()]
    ranges = list(_ranges(metadata.get("missing_ranges") or ()))
    plain = number(text, decimal, thousands=thousands)
    return (
        pl.when(_among(text, plain, [code.strip() for code in declared], ()))
        .then(pl.lit(DECLARED))
        .when(_among(text, plain, codes, ranges))
        .then(pl.lit(BY_THE_FILE))
    )


def _among(text: pl.Expr, plain: pl.Expr, codes: Sequence[str], ranges: Sequence[tuple[float, float]]) -> pl.Expr:
    found = text.is_in(list(codes)) if codes else pl.lit(False)
    numbers = [value for code in codes if (value := _as_number(code)) is not None]
    if numbers:
        found = found | plain.is_in(numbers).fill_null(False)
    for low, high in ranges:
        found = found | plain.is_between(low, high).fill_null(False)
    return found


def _as_number(code: Any) -> float | None:
    try:
        value = float(str(code).replace(",", "."))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _ranges(declared: Iterable[Any]) -> Iterable[tuple[float, float]]:
    for low, high in declared:
        yield (-math.inf if low is None else float(low), math.inf if high is None else float(high))
