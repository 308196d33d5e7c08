"""How statistical packages print moments in time: the print format of a column, and its numbers as text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ember.extract.text import column_text

SECOND, DAY = 10**6, 86_400 * 10**6
# Days from the package's day zero to 1 January 1970.
DAYS_TO_1970: Mapping[str, int] = {"spss": 141_428, "sas": 3653, "stata": 3653}
DAY_ONE, DAY_LAST = -719_162, 2_932_896  # years 1 to 9999, which every reader of ISO 8601 knows

SPSS_KINDS: Mapping[str, tuple[str, ...]] = {
    "date": ("DATE", "ADATE", "EDATE", "JDATE", "SDATE", "MOYR", "QYR", "WKYR"),
    "moment": ("DATETIME", "YMDHMS"),
    "time": ("TIME", "DTIME", "MTIME"),
}
SAS_KINDS: Mapping[str, tuple[str, ...]] = {
    "date": (
        *("DATE", "DDMMYY", "MMDDYY", "YYMMDD", "WEEKDATE", "WEEKDATX", "WORDDATE", "WORDDATX", "JULIAN", "DTDATE"),
        *("E8601DA", "B8601DA", "IS8601DA", "MONYY", "MMYY", "YYMM", "YYMON", "YYQ", "NLDATE"),
        *(f"{order}{mark}" for order in ("DDMMYY", "MMDDYY", "YYMMDD", "MMYY", "YYMM", "YYQ") for mark in "BCDNPS"),
    ),
    "moment": (*("DATETIME", "DATEAMPM", "MDYAMPM", "E8601DT", "B8601DT", "IS8601DT", "B8601DN", "E8601DN", "NLDATM"),),
    "time": ("TIME", "HHMM", "TOD", "TIMEAMPM", "E8601TM", "B8601TM", "IS8601TM", "MMSS"),
}
STATA_PERIODS: Mapping[str, tuple[str, int]] = {"m": ("m", 12), "q": ("q", 4), "h": ("h", 2), "w": ("w", 52)}


@dataclass(frozen=True)
class Moment:
    """What the numbers of a column count.

    `kind` is date, moment, time or period; `unit` is the size of one in microseconds; `mark` and `parts` name the
    period of a year and how many there are.
    """

    kind: str
    unit: int = 1
    origin: int = 0
    mark: str = ""
    parts: int = 1


def moment_of(print_format: str, package: str) -> Moment | None:
    """Return what a print format says the numbers are, or None for plain numbers.

    Parameters
    ----------
    package : str
        spss, sas or stata.
    """
    days = DAYS_TO_1970[package] * DAY
    if package == "stata":
        return _stata_moment(print_format, days)
    name = re.match(r"([A-Z][A-Z0-9]*?)\d*(\.\d*)?$", print_format.upper())
    kinds = SPSS_KINDS if package == "spss" else SAS_KINDS
    kind = next((kind for kind, names in kinds.items() if name and name[1] in names), None)
    if kind is None:
        return None
    unit = DAY if package == "sas" and kind == "date" and name and name[1] != "DTDATE" else SECOND
    return Moment(kind, unit, 0 if kind == "time" else days)


def _stata_moment(print_format: str, days: int) -> Moment | None:
    found = re.match(r"%-?(?:t([a-zA-Z])|d)(.*)", print_format)
    if found is None:
        return None
    letter, rest = found[1] or "d", found[2]
    if letter == "d":
        return Moment("date", DAY, days)
    if letter in {"c", "C"}:
        # %tcHH:MM and the like show the time of day alone.
        only_time = rest.startswith(("HH", "hh", "Hh")) and not set(rest) & set("DdNnMYyCc") - set("MC")
        return Moment("time" if only_time else "moment", 1000, 0 if only_time else days)
    if letter in STATA_PERIODS:
        mark, parts = STATA_PERIODS[letter]
        return Moment("period", mark=mark, parts=parts)
    return None


def at_midnight(numbers: pl.Series, moment: Moment) -> bool:
    """Return whether every number of the column is the start of a day."""
    return bool(((numbers * (moment.unit / DAY)) % 1 == 0).fill_null(True).all())


def moment_text(numbers: pl.Series, moment: Moment, *, date_only: bool) -> pl.Series:
    """Return numbers as ISO 8601 text, a time as hours (above 24 too), minutes and seconds, a period as 2010m3.

    What lies outside the years 1 to 9999 stays the number that it is, so that it is refused as a cell.
    """
    plain = column_text(numbers, "")
    if moment.kind == "period":
        written = _period_text(numbers, moment)
    elif moment.kind == "time":
        written = _time_text(numbers, moment)
    else:
        written = _day_text(numbers, moment, date_only=date_only or moment.kind == "date")
    return written.fill_null(plain).rename(numbers.name)


def _day_text(numbers: pl.Series, moment: Moment, *, date_only: bool) -> pl.Series:
    days = numbers * (moment.unit / DAY) - moment.origin / DAY
    known = days.is_between(DAY_ONE, DAY_LAST + 1, closed="left")
    within = pl.select(pl.when(known).then(numbers)).to_series()
    micro = (within * moment.unit).round().cast(pl.Int64, strict=False) - moment.origin
    moments = micro.cast(pl.Datetime("us"))
    return moments.dt.to_string("%Y-%m-%d" if date_only else "%Y-%m-%dT%H:%M:%S%.f")


def _time_text(numbers: pl.Series, moment: Moment) -> pl.Series:
    within = pl.select(pl.when(numbers.abs() < 2.0**40).then(numbers)).to_series()
    micro = (within * moment.unit).round().cast(pl.Int64, strict=False)
    if moment.unit == 1000:
        micro = micro % DAY
    size = micro.abs()
    minutes, rest = size // (60 * SECOND), size % (60 * SECOND)
    parts = [minutes // 60, minutes % 60, rest // SECOND]
    hours, minute, second = (part.cast(pl.String).str.zfill(2) for part in parts)
    fraction = (rest % SECOND).cast(pl.String).str.zfill(6).str.strip_chars_end("0")
    sign = pl.select(pl.when(micro < 0).then(pl.lit("-")).otherwise(pl.lit(""))).to_series()
    point = pl.select(pl.when(fraction == "").then(pl.lit("")).otherwise(pl.lit("."))).to_series()
    return sign + hours + ":" + minute + ":" + second + point + fraction


def _period_text(numbers: pl.Series, moment: Moment) -> pl.Series:
    whole = pl.select(pl.when((numbers % 1 == 0) & (numbers.abs() < 10**6)).then(numbers)).to_series()
    count = whole.cast(pl.Int64, strict=False)
    year, part = 1960 + count // moment.parts, count % moment.parts + 1
    return year.cast(pl.String) + moment.mark + part.cast(pl.String)
