"""Converted values agree with exact rational arithmetic."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ember.harmonise.units import find_conversion, in_canonical_unit
from ember.registry.registry import read_registry

REGISTRY = read_registry(Path(__file__).parents[2] / "config" / "registry")
UNITS = [(row["analyte"], row["from_unit"]) for row in REGISTRY.rows("units")]
# What a laboratory can report: far from the ends of float64, where products overflow or lose digits.
NUMBERS = st.floats(min_value=1e-9, max_value=1e12, allow_nan=False)
FIGURES = st.decimals(min_value="0.01", max_value="200", places=3).filter(lambda value: value > 0)


def declared(figure: object) -> dict[str, str]:
    return {"nmol_per_mg": str(figure), "pg_per_iu": str(figure)}


def convert(number: float, numerator: int, denominator: int) -> float:
    frame = pl.DataFrame({"number": [number], "numerator": [float(numerator)], "denominator": [float(denominator)]})
    return float(frame.select(in_canonical_unit("number")).item())


@given(unit=st.sampled_from(UNITS), number=NUMBERS, figure=FIGURES)
@settings(deadline=None)
def test_a_converted_value_is_the_exact_one_to_the_last_bits(
    unit: tuple[str, str], number: float, figure: object
) -> None:
    conversion = find_conversion(REGISTRY, *unit, declared(figure))
    assert conversion is not None
    exact = Fraction(number) * conversion.factor
    got = Fraction(convert(number, conversion.factor.numerator, conversion.factor.denominator))
    assert abs(got - exact) <= exact * Fraction(1, 10**15)


@given(unit=st.sampled_from(UNITS), number=NUMBERS, figure=FIGURES)
@settings(deadline=None)
def test_there_and_back_is_the_same_number(unit: tuple[str, str], number: float, figure: object) -> None:
    conversion = find_conversion(REGISTRY, *unit, declared(figure))
    assert conversion is not None
    numerator, denominator = conversion.factor.numerator, conversion.factor.denominator
    back = convert(convert(number, numerator, denominator), denominator, numerator)
    assert back == pytest.approx(number, rel=1e-12)


@given(unit=st.sampled_from(UNITS), whole=st.integers(min_value=1, max_value=10**6), figure=FIGURES)
@settings(deadline=None)
def test_whole_numbers_times_whole_factors_are_exact(unit: tuple[str, str], whole: int, figure: object) -> None:
    conversion = find_conversion(REGISTRY, *unit, declared(figure))
    assert conversion is not None
    factor = conversion.factor
    product = whole * factor.numerator
    if product < 2**53:
        assert convert(float(whole), factor.numerator, factor.denominator) == product / factor.denominator


@given(one=NUMBERS, other=NUMBERS, unit=st.sampled_from(UNITS))
@settings(deadline=None)
def test_conversion_keeps_the_order_of_values(one: float, other: float, unit: tuple[str, str]) -> None:
    conversion = find_conversion(REGISTRY, *unit, declared("9.524"))
    assert conversion is not None
    numerator, denominator = conversion.factor.numerator, conversion.factor.denominator
    low, high = sorted((one, other))
    assert convert(low, numerator, denominator) <= convert(high, numerator, denominator)
