"""Typed values as text: what is written reads back as the same value."""

from __future__ import annotations

import datetime as dt

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ember.errors import EmberError
from ember.extract.text import cell_text, column_text, number_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(1.0, "1", id="whole"),
        pytest.param(-0.0, "0", id="minus-zero"),
        pytest.param(0.1, "0.1", id="tenth"),
        pytest.param(0.1 + 0.2, "0.30000000000000004", id="every-digit"),
        pytest.param(0.00001, "0.00001", id="small-without-exponent"),
        pytest.param(2.5e-7, "0.00000025", id="smaller-without-exponent"),
        pytest.param(1234567890123456.0, "1234567890123456", id="long-identifier"),
        pytest.param(5.4e-79, "5.4e-79", id="exponent-where-nothing-else-is-readable"),
        pytest.param(float("nan"), "", id="nan"),
    ],
)
def test_number(value, text):
    assert number_text(value) == text
    assert column_text(pl.Series("a", [value, None]), "f").to_list() == [text, ""]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_every_number_reads_back(values):
    texts = column_text(pl.Series("a", values, dtype=pl.Float64), "f").to_list()
    assert [float(text) for text in texts] == values
    assert [number_text(value) for value in values] == texts


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param("001", "001", id="text"),
        pytest.param(None, "", id="nothing"),
        pytest.param(True, "true", id="boolean"),
        pytest.param(3, "3", id="integer"),
        pytest.param(3.0, "3", id="whole-float"),
        pytest.param(dt.date(2024, 1, 2), "2024-01-02", id="date"),
        pytest.param(dt.datetime(2024, 1, 2, 3, 4), "2024-01-02T03:04:00", id="date-time"),
        pytest.param(dt.time(3, 4), "03:04:00", id="time"),
        pytest.param(dt.timedelta(hours=26, minutes=5), "26:05:00", id="hours-above-24"),
    ],
)
def test_cell(value, text):
    assert cell_text(value) == text


@pytest.mark.parametrize(
    ("values", "texts"),
    [
        pytest.param(pl.Series([1, None], dtype=pl.Int16), ["1", ""], id="integer"),
        pytest.param(pl.Series([0.1], dtype=pl.Float32), ["0.1"], id="single-precision"),
        pytest.param(pl.Series([dt.date(2024, 1, 2)]), ["2024-01-02"], id="date"),
        pytest.param(pl.Series([dt.datetime(2024, 1, 2)] * 2), ["2024-01-02"] * 2, id="all-midnight"),
        pytest.param(
            pl.Series([dt.datetime(2024, 1, 2), dt.datetime(2024, 1, 2, 8, 30)]),
            ["2024-01-02T00:00:00", "2024-01-02T08:30:00"],
            id="date-times",
        ),
        pytest.param(pl.Series([dt.time(8, 30)]), ["08:30:00"], id="time"),
        pytest.param(pl.Series([True, None]), ["true", ""], id="boolean"),
        pytest.param(pl.Series(["a", None], dtype=pl.Categorical), ["a", ""], id="category"),
        pytest.param(pl.Series([None, None]), ["", ""], id="nothing"),
    ],
)
def test_column(values, texts):
    assert column_text(values, "f").to_list() == texts


def test_lists_are_refused():
    with pytest.raises(EmberError, match=r"'a'.*not one value a cell"):
        column_text(pl.Series("a", [[1]]), "f")
