"""Conversions against a golden table that was computed without the registry."""

from __future__ import annotations

import csv
from collections import Counter
from fractions import Fraction
from pathlib import Path

import polars as pl
import pytest

from ember.harmonise.units import find_conversion, in_canonical_unit
from ember.registry.registry import Registry, read_registry
from tests.reference.make_unit_conversions import COLUMNS, rows

HERE = Path(__file__).parent
Row = dict[str, str]
PANEL = {
    "hscrp", "crp_standard", "il6", "tnf", "il1b", "il8", "il10", "ifng", "il1ra", "fibrinogen", "wbc", "neutrophils",
    "lymphocytes", "monocytes", "platelets", "nlr", "glyca_nmr_lipoprofile", "glyca_nightingale", "leptin", "esr",
    "ferritin", "albumin",
}  # fmt: skip


def read_golden() -> list[Row]:
    with (HERE / "data" / "unit_conversions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


GOLDEN = read_golden()


@pytest.fixture(scope="module")
def registry() -> Registry:
    return read_registry(HERE.parents[1] / "config" / "registry")


def factor_of(registry: Registry, row: Row) -> Fraction:
    figures = dict([row["declared"].split("=")]) if row["declared"] else {}
    found = find_conversion(registry, row["analyte"], row["unit"], figures)
    assert found is not None, row
    assert found.to_unit == row["canonical_unit"], row
    return found.factor


def converted(frame: pl.DataFrame) -> list[float]:
    return frame.select(in_canonical_unit("number"))["number"].to_list()


def test_the_table_is_the_one_that_its_script_writes() -> None:
    assert [tuple(row.values()) for row in GOLDEN] == list(dict.fromkeys(rows()))
    assert tuple(GOLDEN[0]) == COLUMNS


def test_it_holds_the_panel_in_at_least_300_conversions() -> None:
    pairs = Counter(row["analyte"] for row in GOLDEN)
    assert set(pairs) >= PANEL
    assert sum(pairs[analyte] for analyte in PANEL) >= 300
    assert all(row["source"] for row in GOLDEN)


def test_it_holds_every_row_of_the_registry_and_every_analyte(registry: Registry) -> None:
    shown = {(row["analyte"], registry.ucum(row["unit"], row["analyte"])) for row in GOLDEN}
    assert {(row["analyte"], row["from_unit"]) for row in registry.rows("units")} == shown


def test_every_conversion_is_exact(registry: Registry) -> None:
    for row in GOLDEN:
        result, expected = Fraction(row["value"]) * factor_of(registry, row), Fraction(row["canonical_value"])
        # Where decimals do not end (a division by a declared figure), the table holds 25 digits.
        assert abs(result - expected) <= expected * (Fraction(1, 10**24) if row["declared"] else 0), row


def test_numbers_arrive_to_the_last_bits_and_come_back(registry: Registry) -> None:
    factors = [factor_of(registry, row) for row in GOLDEN]
    numbers = [float(row["value"]) for row in GOLDEN]
    tops, bottoms = [float(f.numerator) for f in factors], [float(f.denominator) for f in factors]
    there = converted(pl.DataFrame({"number": numbers, "numerator": tops, "denominator": bottoms}))
    back = converted(pl.DataFrame({"number": there, "numerator": bottoms, "denominator": tops}))
    assert there == pytest.approx([float(row["canonical_value"]) for row in GOLDEN], rel=1e-15)
    assert back == pytest.approx(numbers, rel=1e-12)


@pytest.mark.parametrize(
    ("analyte", "unit"),
    [
        pytest.param(analyte, unit, id=f"{analyte} {unit}")
        for analyte, unit in sorted({(row["analyte"], row["unit"]) for row in GOLDEN if row["declared"]})
    ],
)
def test_what_was_declared_is_refused_without_a_declaration(registry: Registry, analyte: str, unit: str) -> None:
    assert find_conversion(registry, analyte, unit) is None
    other = {"pg_per_iu": "10"} if "mol" in unit else {"nmol_per_mg": "9.524"}
    assert find_conversion(registry, analyte, unit, other) is None
