from __future__ import annotations

import polars as pl
import pytest

from ember.harmonise.numbers import number, operator


def read(text: str, decimal: str = ".", operators: bool = True) -> tuple[str, float | None]:
    frame = pl.DataFrame({"text": [text]})
    return frame.select(operator(pl.col("text")), number(pl.col("text"), decimal, operators).alias("number")).row(0)


@pytest.mark.parametrize(
    ("text", "decimal", "expected"),
    [
        pytest.param("0", ".", ("", 0.0), id="zero"),
        pytest.param("007", ".", ("", 7.0), id="leading zeros"),
        pytest.param("-9", ".", ("", -9.0), id="negative"),
        pytest.param("1.25", ".", ("", 1.25), id="point"),
        pytest.param("1,25", ",", ("", 1.25), id="comma"),
        pytest.param(".5", ".", ("", 0.5), id="no digit before the mark"),
        pytest.param(",5", ",", ("", 0.5), id="no digit before the comma"),
        pytest.param("1.5e-3", ".", ("", 0.0015), id="exponent"),
        pytest.param("1,5E+3", ",", ("", 1500.0), id="capital exponent, comma"),
        pytest.param("<0.2", ".", ("<", 0.2), id="below"),
        pytest.param("<0,2", ",", ("<", 0.2), id="below, comma"),
        pytest.param("< 0,2", ",", ("<", 0.2), id="below, space"),
        pytest.param(">20", ".", (">", 20.0), id="above"),
    ],
)
def test_reads(text: str, decimal: str, expected: tuple[str, float]) -> None:
    assert read(text, decimal) == expected


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        pytest.param("1,25", ".", id="comma where a point is declared"),
        pytest.param("1.25", ",", id="point where a comma is declared"),
        pytest.param("1.234,5", ",", id="thousands separator before a comma"),
        pytest.param("1,234.5", ".", id="thousands separator before a point"),
        pytest.param("1,2,3", ",", id="two commas"),
        pytest.param("1 234", ".", id="space inside"),
        pytest.param("1_000", ".", id="underscore"),
        pytest.param("5.", ".", id="nothing after the mark"),
        pytest.param("+5", ".", id="plus sign"),
        pytest.param("--5", ".", id="two signs"),
        pytest.param("<=0.2", ".", id="at most"),
        pytest.param("≤0.2", ".", id="at most, one sign"),
        pytest.param("<<0.2", ".", id="two operators"),
        pytest.param("<>0.2", ".", id="both operators"),
        pytest.param("<-1", ".", id="below a negative"),
        pytest.param("<", ".", id="operator alone"),
        pytest.param("0.2<", ".", id="operator behind"),
        pytest.param("inf", ".", id="infinity"),
        pytest.param("nan", ".", id="not a number"),
        pytest.param("1e999", ".", id="too large"),
        pytest.param("0x10", ".", id="hexadecimal"),
        pytest.param("１２", ".", id="full-width digits"),
        pytest.param("٣", ".", id="Arabic-Indic digit"),
        pytest.param("1.5mg", ".", id="unit behind"),
        pytest.param("e5", ".", id="exponent alone"),
        pytest.param("-", ".", id="sign alone"),
        pytest.param(".", ".", id="mark alone"),
        pytest.param("1\n2", ".", id="line break"),
        pytest.param("5\n", ".", id="line break behind"),
    ],
)
def test_refuses(text: str, decimal: str) -> None:
    assert read(text, decimal)[1] is None


@pytest.mark.parametrize("text", ["<0.2", ">5", "< 1"])
def test_refuses_an_operator_where_none_may_stand(text: str) -> None:
    assert read(text, operators=False)[1] is None


@pytest.mark.parametrize(
    ("text", "decimal", "thousands", "expected"),
    [
        pytest.param("1.234,5", ",", ".", ("", 1234.5), id="point and comma"),
        pytest.param("1,234,567.5", ".", ",", ("", 1234567.5), id="two groups"),
        pytest.param("1 234", ".", " ", ("", 1234.0), id="space"),
        pytest.param("1\u202f234", ".", " ", ("", 1234.0), id="narrow no-break space"),
        pytest.param("1\u2019234.5", ".", "'", ("", 1234.5), id="raised comma"),
        pytest.param("1234,5", ",", ".", ("", 1234.5), id="none set"),
        pytest.param("-1.234", ",", ".", ("", -1234.0), id="negative"),
        pytest.param("<1.234", ",", ".", ("<", 1234.0), id="below"),
        pytest.param("> 12 345", ".", " ", (">", 12345.0), id="above, space"),
    ],
)
def test_reads_thousands(text: str, decimal: str, thousands: str, expected: tuple[str, float]) -> None:
    frame = pl.DataFrame({"text": [text]})
    value = number(pl.col("text"), decimal, True, thousands).alias("number")
    assert frame.select(operator(pl.col("text")), value).row(0) == expected


@pytest.mark.parametrize(
    ("text", "decimal", "thousands"),
    [
        pytest.param("1.23", ",", ".", id="group of two"),
        pytest.param("1.2345", ",", ".", id="group of four"),
        pytest.param("1234.567", ",", ".", id="first group of four"),
        pytest.param("1.234567", ",", ".", id="second mark left out"),
        pytest.param("1.234.56", ",", ".", id="last group of two"),
        pytest.param(".234", ",", ".", id="no first group"),
        pytest.param("1..234", ",", ".", id="two marks"),
        pytest.param("1,234,5", ",", ".", id="decimal mark twice"),
        pytest.param("1,234.567", ",", ".", id="mark after the decimal mark"),
        pytest.param("0,2", ".", ",", id="thousands mark as decimal mark"),
        pytest.param("1 234", ".", "'", id="another mark"),
        pytest.param("1 234", ".", None, id="none declared"),
    ],
)
def test_refuses_thousands(text: str, decimal: str, thousands: str | None) -> None:
    frame = pl.DataFrame({"text": [text]})
    assert frame.select(number(pl.col("text"), decimal, True, thousands)).item() is None
