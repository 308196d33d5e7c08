"""Days in the text of a cell, in the declared order and no other."""

from __future__ import annotations

from datetime import date

import polars as pl

EARLIEST_YEAR = 1000  # below it, "%Y" was given a year of two digits
ISO = "iso"
# A day, and perhaps a time of day, of which minutes and seconds may be missing, and its distance from Greenwich.
TIME = r"(?:[01][0-9]|2[0-4])(?::[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
ISO_DATE = rf"^([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})(?:[T ]{TIME})?$"
EXCEL_ORIGINS = {
    "excel_1900": (date(1899, 12, 30) - date(1970, 1, 1)).days,
    "excel_1904": (date(1904, 1, 1) - date(1970, 1, 1)).days,
}
FALSE_LEAP_DAY = 60
"""Excel counts 29 February 1900, which never was: numbers before it stand one day off, itself is no day."""
LAST_DAY = (date(9999, 12, 31) - date(1970, 1, 1)).days


def day_of(text: pl.Expr, declared: str, decimal: str = ".") -> pl.Expr:
    """Return days since 1970-01-01 (int32), null where the cell is not a whole date in the declared form.

    Parameters
    ----------
    text : Expr
        Strings without outer white space.
    declared : str
        A strftime pattern; "iso" for ISO 8601 dates with or without a time of day; "excel_1900" or "excel_1904" for
        serial numbers, whose fraction is the time of day.
    decimal : str
        The declared decimal mark, for serial numbers.

    Notes
    -----
    A partial date ("2013-07") names no day: it is not completed. A time of day is left out as it stands: the day is
    that of the place where it was written.
    """
    if declared in EXCEL_ORIGINS:
        return _serial(text, declared, decimal)
    if declared == ISO:
        found = text.str.extract(ISO_DATE, 1).str.to_date("%Y-%m-%d", strict=False, exact=True)
        return pl.when(found.dt.year() >= EARLIEST_YEAR).then(found.cast(pl.Int32))
    found = text.str.to_date(declared, strict=False, exact=True)
    readable = (found.dt.year() >= EARLIEST_YEAR) & ~text.str.contains("+", literal=True)
    return pl.when(readable).then(found.cast(pl.Int32))


def expected_date(declared: str) -> str:
    """Return what a cell in the declared form has to look like."""
    if declared in EXCEL_ORIGINS:
        return f"Expected a serial number of the {declared.removeprefix('excel_')} date system."
    if declared == ISO:
        return "Expected a whole date of ISO 8601, such as 2013-07-04; a date without its day cannot be placed."
    return f"Expected {declared}."


def _serial(text: pl.Expr, declared: str, decimal: str) -> pl.Expr:
    number = text.str.extract(rf"^([0-9]{{1,7}})(?:[{decimal}][0-9]+)?$", 1).cast(pl.Int32, strict=False)
    day = number + EXCEL_ORIGINS[declared]
    if declared == "excel_1900":
        day = pl.when(number < FALSE_LEAP_DAY).then(day + 1).otherwise(day)
        day = pl.when((number > 0) & (number != FALSE_LEAP_DAY)).then(day)
    return pl.when(day <= LAST_DAY).then(day)
