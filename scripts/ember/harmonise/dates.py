"""Days in the text of a cell, in the declared order and no other."""

from __future__ import annotations

from datetime import date

import polars as pl

EARLIEST_YEAR = 1000  # below it, "%Y" was given a year of two digits
ISO_DATE = r"^([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T ][0-9:.]*(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?$"
SERIAL = r"^[0-9]{1,7}(?:\.[0-9]+)?$"
EXCEL_ORIGINS = {
    "excel_1900": (date(1899, 12, 30) - date(1970, 1, 1)).days,
    "excel_1904": (date(1904, 1, 1) - date(1970, 1, 1)).days,
}
FALSE_LEAP_DAY = 60
"""Excel counts 29 February 1900, which never was: numbers before it stand one day off, itself is no day."""


def day_of(text: pl.Expr, declared: str) -> pl.Expr:
    """Return days since 1970-01-01 (int32), null where the cell is not a whole date in the declared form.

    Parameters
    ----------
    text : Expr
        Strings without outer white space.
    declared : str
        A strftime pattern; "iso" for ISO 8601 dates with or without a time of day; "excel_1900" or "excel_1904" for
        serial numbers, whose fraction is the time of day.

    Notes
    -----
    A partial date ("2013-07") names no day: it is not completed.
    """
    if declared in EXCEL_ORIGINS:
        return _serial(text, declared)
    if declared == "iso":
        return text.str.extract(ISO_DATE, 1).str.to_date("%Y-%m-%d", strict=False, exact=True).cast(pl.Int32)
    found = text.str.to_date(declared, strict=False, exact=True)
    readable = (found.dt.year() >= EARLIEST_YEAR) & ~text.str.contains("+", literal=True)
    return pl.when(readable).then(found.cast(pl.Int32))


def _serial(text: pl.Expr, declared: str) -> pl.Expr:
    number = pl.when(text.str.contains(SERIAL)).then(text.cast(pl.Float64, strict=False)).floor().cast(pl.Int32)
    day = number + EXCEL_ORIGINS[declared]
    if declared == "excel_1904":
        return day
    early = pl.when(number < FALSE_LEAP_DAY).then(day + 1)
    return pl.when((number > 0) & (number != FALSE_LEAP_DAY)).then(early.otherwise(day))
