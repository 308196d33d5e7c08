"""Typed values as text: the shortest text that reads back as the same value."""

from __future__ import annotations

import datetime

import numpy as np
import polars as pl

from ember.errors import EmberError

LARGEST_WHOLE = 2.0**53
SMALLEST_PLAIN, LARGEST_PLAIN = 1e-12, 1e16


def number_text(value: float) -> str:
    """Return a number as text: whole numbers without ".0", no exponent at ordinary magnitudes, NaN as ""."""
    if np.isnan(value):
        return ""
    if value.is_integer() and abs(value) < LARGEST_WHOLE:
        return str(int(value))
    if SMALLEST_PLAIN <= abs(value) < LARGEST_PLAIN:
        return np.format_float_positional(value, unique=True, trim="-")
    return repr(value)


def cell_text(value: object) -> str:
    """Return one cell of a workbook as text."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return number_text(float(value)) if isinstance(value, float) else str(value)
        case datetime.timedelta():
            minutes, seconds = divmod(int(value.total_seconds()), 60)
            return f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d}"
        case datetime.datetime() | datetime.date() | datetime.time():
            return value.isoformat()
    raise TypeError(f"no text for {type(value).__name__}")


def column_text(values: pl.Series, where: str, as_dates: bool | None = None) -> pl.Series:
    """Return a typed column as text; null and NaN become "".

    Parameters
    ----------
    where : str
        File, for the message.
    as_dates : bool, optional
        Whether date-times are written as dates; default if these values all lie at midnight.

    Raises
    ------
    EmberError
        The type has no plain text (lists, structures, binary), or a text holds a NUL character.

    Notes
    -----
    Statistical packages keep plain dates as date-times at midnight: a column in which every time is
    midnight is written as dates.
    """
    text = _as_text(values, where, as_dates).fill_null("").rename(values.name)
    if text.str.contains("\0", literal=True).any():
        raise EmberError(
            f"The column '{values.name}' holds a NUL character, which no text has.",
            where=where,
            fix="Export the file again without it.",
        )
    return text


def only_midnight(values: pl.Series) -> bool:
    """Return whether the times of all date-times are midnight."""
    zone = getattr(values.dtype, "time_zone", None)
    midnight = (values.dt.date().cast(values.dtype) if zone is None else values.dt.truncate("1d")) == values
    return bool(midnight.all())


def _as_text(values: pl.Series, where: str, as_dates: bool | None) -> pl.Series:
    kind = values.dtype
    if kind.is_float():
        return _float_text(values)
    if kind == pl.Datetime:
        return values.dt.to_string(_datetime_pattern(values, as_dates))
    if kind == pl.Time:
        return values.dt.to_string("%H:%M:%S%.f")
    if kind in (pl.Categorical, pl.Enum, pl.String, pl.Boolean, pl.Date, pl.Null) or kind.is_numeric():
        return values.cast(pl.String)
    raise EmberError(
        f"The column '{values.name}' has the type {kind}, which is not one value a cell.",
        where=where,
        fix="Leave the column out of the extract or write it as text.",
    )


def _datetime_pattern(values: pl.Series, as_dates: bool | None) -> str:
    if only_midnight(values) if as_dates is None else as_dates:
        return "%Y-%m-%d"
    return "%Y-%m-%dT%H:%M:%S%.f" + ("%:z" if getattr(values.dtype, "time_zone", None) else "")


def _float_text(values: pl.Series) -> pl.Series:
    whole = (values.round(0) == values) & (values.abs() < LARGEST_WHOLE)
    plain = pl.select(
        pl.when(values.is_nan())
        .then(None)
        .when(whole)
        .then(values.cast(pl.Int64, strict=False).cast(pl.String))
        .otherwise(values.cast(pl.String))
    ).to_series()
    odd = (plain.str.contains("e", literal=True) | plain.str.ends_with(".0")).fill_null(False)
    return plain.zip_with(~odd, _spelled_out(plain, odd)) if odd.any() else plain


def _spelled_out(text: pl.Series, odd: pl.Series) -> pl.Series:
    distinct = text.filter(odd).unique(maintain_order=True)
    spelled = pl.Series([number_text(float(number)) for number in distinct], dtype=pl.String)
    return text.replace(distinct, spelled)
