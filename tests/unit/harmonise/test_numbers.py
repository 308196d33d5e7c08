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
