"""Print formats of statistical packages and what they say the numbers are."""

from __future__ import annotations

import polars as pl
import pytest

from ember.extract.statistical_dates import at_midnight, moment_of, moment_text


@pytest.mark.parametrize(
    ("package", "print_format", "number", "text"),
    [
        pytest.param("spss", "DATE11", 13797216000.0, "2020-01-01", id="spss-date"),
        pytest.param("spss", "MOYR8", 13797216000.0, "2020-01-01", id="spss-month"),
        pytest.param("spss", "DATETIME20", 13797216061.25, "2020-01-01T00:01:01.250", id="spss-moment"),
        pytest.param("spss", "TIME8", 90061.0, "25:01:01", id="spss-time"),
        pytest.param("spss", "F8.2", 1.0, None, id="spss-number"),
        pytest.param("spss", "WKDAY9", 1.0, None, id="spss-weekday-is-a-number"),
        pytest.param("sas", "DATE9", 21915.0, "2020-01-01", id="sas-date"),
        pytest.param("sas", "YYMMDD10", -1.0, "1959-12-31", id="sas-before-1960"),
        pytest.param("sas", "YYMMDDN8", 21915.0, "2020-01-01", id="sas-without-marks"),
        pytest.param("sas", "E8601DA", 21915.0, "2020-01-01", id="sas-iso"),
        pytest.param("sas", "MONYY7", 21915.0, "2020-01-01", id="sas-month"),
        pytest.param("sas", "E8601DT19", 1893456000.0, "2020-01-01T00:00:00", id="sas-iso-moment"),
        pytest.param("sas", "DATETIME20.3", 1893456000.5, "2020-01-01T00:00:00.500", id="sas-moment"),
        pytest.param("sas", "TIME20.3", 36610.0, "10:10:10", id="sas-time"),
        pytest.param("sas", "BEST12", 1.0, None, id="sas-number"),
        pytest.param("sas", "12", 1.0, None, id="sas-width-only"),
        pytest.param("stata", "%td", 21915.0, "2020-01-01", id="stata-date"),
        pytest.param("stata", "%d", 0.0, "1960-01-01", id="stata-old-date"),
        pytest.param("stata", "%-tdDD/NN/CCYY", 21915.0, "2020-01-01", id="stata-date-with-pattern"),
        pytest.param("stata", "%tc", 1893456000000.0, "2020-01-01T00:00:00", id="stata-moment"),
        pytest.param("stata", "%tcHH:MM:SS", 36610000.0, "10:10:10", id="stata-time"),
        pytest.param("stata", "%tcHH:MM", 36600000.0, "10:10:00", id="stata-hours"),
        pytest.param("stata", "%tcDDmonCCYY_HH:MM", 1893456000000.0, "2020-01-01T00:00:00", id="stata-moment-pattern"),
        pytest.param("stata", "%tm", 602.0, "2010m3", id="stata-month"),
        pytest.param("stata", "%tq", -1.0, "1959q4", id="stata-quarter"),
        pytest.param("stata", "%tw", 52.0, "1961w1", id="stata-week"),
        pytest.param("stata", "%th", 1.0, "1960h2", id="stata-half-year"),
        pytest.param("stata", "%ty", 2010.0, None, id="stata-year-is-a-number"),
        pytest.param("stata", "%9.0g", 1.0, None, id="stata-number"),
        pytest.param("stata", "%-9s", 1.0, None, id="stata-text"),
    ],
)
def test_known_days(package, print_format, number, text):
    moment = moment_of(print_format, package)
    if text is None:
        assert moment is None
    else:
        assert moment is not None
        assert moment_text(pl.Series([number, None]), moment, date_only=False).to_list() == [text, ""]


@pytest.mark.parametrize("number", [1e12, -1e12, 1e300, float("inf")])
def test_what_is_no_day_of_the_calendar_stays_a_number(number):
    moment = moment_of("DATE9", "sas")
    assert moment is not None
    text = moment_text(pl.Series([number]), moment, date_only=False)[0]
    assert float(text) == number


def test_midnight_is_a_property_of_the_column():
    moment = moment_of("%tc", "stata")
    assert moment is not None
    assert at_midnight(pl.Series([86_400_000.0, None, 0.0]), moment)
    assert not at_midnight(pl.Series([86_400_000.0, 1.0]), moment)
