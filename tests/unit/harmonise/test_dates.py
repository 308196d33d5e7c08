from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ember.harmonise.dates import day_of, expected_date

EPOCH = date(1970, 1, 1)


def read(text: str, declared: str, decimal: str = ".") -> date | None:
    day = pl.DataFrame({"text": [text]}).select(day_of(pl.col("text"), declared, decimal).alias("day"))["day"]
    assert day.dtype == pl.Int32
    return None if day[0] is None else date.fromordinal(EPOCH.toordinal() + day[0])


@pytest.mark.parametrize(
    ("text", "declared", "expected"),
    [
        pytest.param("2013-07-04", "iso", date(2013, 7, 4), id="iso day"),
        pytest.param("2013-07-04T08:30", "iso", date(2013, 7, 4), id="iso with minutes"),
        pytest.param("2013-07-04T23:59:59.999Z", "iso", date(2013, 7, 4), id="iso with seconds, Greenwich"),
        pytest.param("2013-07-04 00:10:00+02:00", "iso", date(2013, 7, 4), id="the day as it is written"),
        pytest.param("2012-02-29", "iso", date(2012, 2, 29), id="leap day"),
        pytest.param("1", "excel_1900", date(1900, 1, 1), id="first day of 1900"),
        pytest.param("59", "excel_1900", date(1900, 2, 28), id="day before the false leap day"),
        pytest.param("61", "excel_1900", date(1900, 3, 1), id="day after the false leap day"),
        pytest.param("41459", "excel_1900", date(2013, 7, 4), id="serial number"),
        pytest.param("41459.999", "excel_1900", date(2013, 7, 4), id="time of day as fraction"),
        pytest.param("2958465", "excel_1900", date(9999, 12, 31), id="last day"),
        pytest.param("0", "excel_1904", date(1904, 1, 1), id="first day of 1904"),
        pytest.param("39997", "excel_1904", date(2013, 7, 4), id="serial number of 1904"),
        pytest.param("04.07.2013", "%d.%m.%Y", date(2013, 7, 4), id="declared order"),
    ],
)
def test_reads(text: str, declared: str, expected: date) -> None:
    assert read(text, declared) == expected


@pytest.mark.parametrize(
    ("text", "declared"),
    [
        pytest.param("2013-07", "iso", id="no day"),
        pytest.param("2013", "iso", id="year alone"),
        pytest.param("2013---04", "iso", id="no month"),
        pytest.param("2013-07-04T", "iso", id="time begun"),
        pytest.param("2013-07-04T25:00", "iso", id="hour 25"),
        pytest.param("2013-07-04T::", "iso", id="time without digits"),
        pytest.param("2013-7-4", "iso", id="single digits"),
        pytest.param("20130704", "iso", id="without hyphens"),
        pytest.param("2013-02-29", "iso", id="no such day"),
        pytest.param("0013-07-04", "iso", id="year of two digits"),
        pytest.param("04/07/2013", "iso", id="another order"),
        pytest.param("41459", "iso", id="serial number as iso"),
        pytest.param("60", "excel_1900", id="29 February 1900"),
        pytest.param("0", "excel_1900", id="day 0"),
        pytest.param("-1", "excel_1900", id="negative"),
        pytest.param("2958466", "excel_1900", id="after the year 9999"),
        pytest.param("9999999", "excel_1904", id="after the year 9999, 1904"),
        pytest.param("41459,5", "excel_1900", id="comma where a point is declared"),
        pytest.param("2013-07-04", "excel_1900", id="iso as serial number"),
        pytest.param("4.1459e4", "excel_1900", id="exponent"),
        pytest.param("07/04/13", "%d/%m/%Y", id="year of two digits under %Y"),
    ],
)
def test_refuses(text: str, declared: str) -> None:
    assert read(text, declared) is None


def test_a_serial_number_has_the_declared_decimal_mark() -> None:
    assert read("41459,5", "excel_1900", ",") == date(2013, 7, 4)


@pytest.mark.parametrize(
    ("declared", "word"),
    [
        pytest.param("iso", "without its day", id="iso"),
        pytest.param("excel_1904", "1904 date system", id="excel"),
        pytest.param("%d/%m/%Y", "%d/%m/%Y", id="pattern"),
    ],
)
def test_says_what_is_expected(declared: str, word: str) -> None:
    assert word in expected_date(declared)
