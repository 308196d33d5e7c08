from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from ember.harmonise.dates import day_of


@pytest.mark.parametrize(
    ("declared", "text", "expected"),
    [
        pytest.param("%d/%m/%Y", "03/04/2025", date(2025, 4, 3), id="the declared order"),
        pytest.param("%d/%m/%Y", "2025-04-03", None, id="another order"),
        pytest.param("%d/%m/%Y", "31/02/2025", None, id="no such day"),
        pytest.param("%d/%m/%Y", "03/04/25", None, id="a year of two digits"),
        pytest.param("%Y-%m-%d", "2025-04-03T10:00", None, id="a time that was not declared"),
        pytest.param("iso", "2025-04-03", date(2025, 4, 3), id="iso date"),
        pytest.param("iso", "2013-12-26T14:45", date(2013, 12, 26), id="iso date and time"),
        pytest.param("iso", "2013-12-26T14:45:01.5+02:00", date(2013, 12, 26), id="iso with time zone"),
        pytest.param("iso", "2013-12", None, id="iso month alone is not completed"),
        pytest.param("iso", "2013", None, id="iso year alone is not completed"),
        pytest.param("iso", "2013-13-01", None, id="iso month 13"),
        pytest.param("iso", "20131226", None, id="iso without hyphens is another form"),
        pytest.param("excel_1900", "45750", date(2025, 4, 3), id="excel serial"),
        pytest.param("excel_1900", "45750.75", date(2025, 4, 3), id="excel serial with time of day"),
        pytest.param("excel_1900", "1", date(1900, 1, 1), id="excel day 1"),
        pytest.param("excel_1900", "59", date(1900, 2, 28), id="the day before the false leap day"),
        pytest.param("excel_1900", "60", None, id="29 February 1900 never was"),
        pytest.param("excel_1900", "61", date(1900, 3, 1), id="the day after the false leap day"),
        pytest.param("excel_1900", "0", None, id="excel day 0"),
        pytest.param("excel_1900", "-3", None, id="a negative serial"),
        pytest.param("excel_1904", "0", date(1904, 1, 1), id="origin of 1904"),
        pytest.param("excel_1904", "44288", date(2025, 4, 3), id="serial of 1904"),
    ],
)
def test_a_day(declared: str, text: str, expected: date | None) -> None:
    found = pl.DataFrame({"text": [text]}).select(day_of(pl.col("text"), declared)).to_series()
    assert found.dtype == pl.Int32
    assert found.to_list() == [None if expected is None else (expected - date(1970, 1, 1)).days]
