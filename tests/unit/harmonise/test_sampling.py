import datetime

import numpy as np
import polars as pl
import pytest

from ember.harmonise.sampling import sampling_months


def day(text):
    return (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days


STARTS = pl.DataFrame(
    {"person": [0, 2], "day": [day("2024-01-31"), day("1969-12-31")]}, schema_overrides={"person": pl.UInt32}
)


@pytest.mark.parametrize(
    ("person", "study_day", "dated", "expected"),
    [
        pytest.param(0, 0, True, "2024-01", id="last day of a month"),
        pytest.param(0, 1, True, "2024-02", id="first day of the next"),
        pytest.param(0, -31, True, "2023-12", id="before time zero"),
        pytest.param(2, 0, True, "1969-12", id="before 1970"),
        pytest.param(0, 0, False, None, id="a planned day"),
        pytest.param(1, 0, True, None, id="no time zero"),
    ],
)
def test_month_of_a_sample(person, study_day, dated, expected):
    cells = pl.DataFrame({"person": [person, 0], "study_day": [study_day, 365]})
    assert sampling_months(cells, np.array([dated, True]), STARTS).to_list() == [expected, "2025-01"]


def test_nothing_is_dated():
    cells = pl.DataFrame({"person": [0, 1], "study_day": [0, 28]})
    assert sampling_months(cells, np.zeros(2, dtype=bool), STARTS).to_list() == [None, None]
    assert sampling_months(cells, np.ones(2, dtype=bool), STARTS.clear()).to_list() == [None, None]
