"""The units of the registry against UCUM: its own table read independently, and a maintained parser.

A parser is no judge where it is wrong without a word: each such case is a test that our tables read it right or refuse.
"""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path

import pytest
from ucumvert import PintUcumRegistry

from ember.harmonise.units import find_conversion
from ember.registry.registry import read_registry
from ember.tables.contract import contract
from tests.real_data import real_file
from tests.ucum import NotUcumError, ucum

REGISTRY = read_registry(Path(__file__).parents[2] / "config" / "registry")
UNITS = REGISTRY.rows("units")
# A substance that is weighed and counted: the factor holds its molar mass, which no table of units knows.
AMOUNTS = {"mol", "fmol", "mmol", "umol", "pmol", "nmol"}
WEIGHTS = {"H": "1.008", "C": "12.011", "N": "14.007", "O": "15.999", "P": "30.973761998", "Ca": "40.078",
           "Co": "58.933194"}  # fmt: skip
"""Abridged standard atomic weights of IUPAC."""
FORMULAS = {
    "glucose": ("mg/dL", "C6H12O6"),
    "cholesterol": ("mg/dL", "C27H46O"),
    "hdl_cholesterol": ("mg/dL", "C27H46O"),
    "ldl_cholesterol": ("mg/dL", "C27H46O"),
    "triglycerides": ("mg/dL", "C57H104O6"),  # triolein stands for the mixture
    "creatinine": ("mg/dL", "C4H7N3O"),
    "urea_nitrogen": ("mg/dL", "N2"),
    "urate": ("mg/dL", "C5H4N4O3"),
    "bilirubin": ("mg/dL", "C33H36N4O6"),
    "calcium": ("mg/dL", "Ca"),
    "phosphate": ("mg/dL", "P"),
    "vitamin_b12": ("pg/mL", "C63H88CoN14O14P"),
}


@cache
def parser() -> PintUcumRegistry:
    return PintUcumRegistry()


def parsed_ratio(source: str, target: str) -> float:
    """Return what the maintained parser makes of a conversion."""
    return float((1 * parser().from_ucum(source)).to(parser().from_ucum(target)).magnitude)


def is_amount(unit: str) -> bool:
    return unit.split("/")[0] in AMOUNTS


def crosses(row: dict[str, str]) -> bool:
    """Return whether a row leads from mass to amount or back."""
    return is_amount(row["from_unit"]) != is_amount(row["to_unit"]) and "eq" not in row["from_unit"]


def by_unit(rows: list[dict[str, str]]) -> list[object]:
    return [pytest.param(row, id=f"{row['analyte']} {row['from_unit']}") for row in rows]


def test_the_independent_reading_passes_the_functional_tests_of_ucum() -> None:
    cases = ET.parse(real_file("ucum/UcumFunctionalTests.xml")).getroot()
    lenient = ucum(lenient=True)
    validation = cases.findall("validation/case")
    wrong = [
        case.get("unit")
        for case in validation
        if lenient.is_valid(case.get("unit", "")) != (case.get("valid") == "true")
    ]
    assert len(validation) > 500 and wrong == []
    for case in cases.findall("conversion/case"):
        found = Fraction(case.attrib["value"]) * lenient.ratio(case.attrib["srcUnit"], case.attrib["dstUnit"])
        shown = Decimal(case.attrib["outcome"])
        # The outcome is shown in the digits of the value: 6.30 inches are 0.160 m.
        half = Fraction(Decimal((0, (5,), int(shown.as_tuple().exponent) - 1)))
        assert abs(found - Fraction(shown)) <= half, case.attrib


def test_every_unit_of_the_registry_and_the_contracts_is_a_ucum_code() -> None:
    told = {row[column] for row in UNITS for column in ("from_unit", "to_unit")}
    told |= {row["canonical_unit"] for row in REGISTRY.rows("analytes")}
    told |= {row["unit"] for table in ("assays", "thresholds") for row in REGISTRY.rows(table)}
    told |= set(REGISTRY.aliases.values())
    told |= {column.unit for column in contract("participants").mapped.values() if column.unit}
    assert [unit for unit in told if not ucum().is_valid(unit)] == []
    for unit in sorted(told):
        parser().from_ucum(unit)


@pytest.mark.parametrize("row", by_unit([row for row in UNITS if not row["needs"] and not crosses(row)]))
def test_a_factor_without_a_substance_is_that_of_ucum(row: dict[str, str]) -> None:
    factor = Fraction(int(row["numerator"]), int(row["denominator"]))
    assert ucum().ratio(row["from_unit"], row["to_unit"]) == factor
    # The parser counts in binary fractions: pg/mL to ng/L is 0.9999999999999999 there.
    assert parsed_ratio(row["from_unit"], row["to_unit"]) == pytest.approx(float(factor), rel=1e-12)


@pytest.mark.parametrize("row", by_unit([row for row in UNITS if not row["needs"] and crosses(row)]))
def test_a_factor_with_a_substance_joins_mass_and_amount(row: dict[str, str]) -> None:
    source, target = row["from_unit"], row["to_unit"]
    with pytest.raises(NotUcumError):
        ucum().ratio(source, target)
    weighed, counted = (target, source) if is_amount(source) else (source, target)
    size = ucum().quantity(weighed).powers
    swapped = frozenset(("mol" if name == "g" else name, power) for name, power in size)
    assert ucum().quantity(counted).powers == swapped


@pytest.mark.parametrize("row", by_unit([row for row in UNITS if row["needs"]]))
def test_a_declared_factor_leads_from_an_amount_or_an_activity_to_a_mass(row: dict[str, str]) -> None:
    powers = dict(ucum().quantity(row["from_unit"]).powers)
    assert powers == {"mol" if row["needs"] == "molar_factor" else "[iU]": 1, "m": -3}
    assert dict(ucum().quantity(row["to_unit"]).powers) == {"g": 1, "m": -3}


@pytest.mark.parametrize("analyte", FORMULAS)
def test_a_published_factor_is_the_molar_mass_rounded(analyte: str) -> None:
    unit, formula = FORMULAS[analyte]
    atoms = re.findall(r"([A-Z][a-z]?)(\d*)", formula)
    grams = sum(Fraction(WEIGHTS[element]) * int(count or 1) for element, count in atoms)
    found = find_conversion(REGISTRY, analyte, unit)
    assert found is not None
    exact = ucum().ratio(unit.replace("g", "mol"), found.to_unit) / grams
    digits = Decimal(found.factor.numerator) / Decimal(found.factor.denominator)
    # One unit of the last of four digits: glucose is 0.05551 by all tables, and 0.055508 by today's atomic weights.
    step = Fraction(10) ** (math.floor(math.log10(digits)) - 3)
    assert abs(exact - found.factor) <= step


@pytest.mark.parametrize(
    ("analyte", "factor"),
    [pytest.param("haemoglobin", "0.6206", id="per decilitre"), pytest.param("mchc", "0.6206", id="in the cells")],
)
def test_haemoglobin_is_the_monomer(analyte: str, factor: str) -> None:
    found = find_conversion(REGISTRY, analyte, "g/dL")
    assert found is not None and found.factor == Fraction(factor)
    assert float(10_000 / found.factor) == pytest.approx(16_114, rel=1e-4)


def our_factor(reported: str, analyte: str) -> Fraction | None:
    found = find_conversion(REGISTRY, analyte, reported)
    return None if found is None else found.factor


class TestWhatParsersMisread:
    """Each case first shows the misreading, so that a parser that mends its ways is noticed."""

    def test_capitals(self) -> None:
        assert not parser().from_ucum("MG/L").is_compatible_with(parser().from_ucum("mg/L"))  # megagauss
        assert ucum().quantity("MG/L").powers != ucum().quantity("mg/L").powers
        assert our_factor("MG/L", "hscrp") == 1
        assert our_factor("Mg/L", "hscrp") is None  # a megagram, or a sentence that begins

    @pytest.mark.parametrize(
        ("reported", "analyte", "ours"),
        [
            pytest.param("K/uL", "wbc", Fraction(1), id="kelvin"),
            pytest.param("T/L", "erythrocytes", None, id="tesla"),
            pytest.param("G/L", "wbc", None, id="gauss"),
            pytest.param("G/L", "albumin", None, id="gauss, of a mass"),
        ],
    )
    def test_letters_of_physics(self, reported: str, analyte: str, ours: Fraction | None) -> None:
        assert not parser().from_ucum(reported).is_compatible_with(parser().from_ucum("10*9/L"))
        assert our_factor(reported, analyte) == ours

    @pytest.mark.parametrize("target", ["10*9/L", "[arb'U]/mL"])
    def test_an_international_unit_is_a_number_there(self, target: str) -> None:
        assert parsed_ratio("[IU]/mL", target) > 0
        with pytest.raises(NotUcumError):
            ucum().ratio("[IU]/mL", target)
        for row in REGISTRY.rows("analytes"):
            if row["analyte"] != "tsh":
                assert our_factor("[IU]/mL", row["analyte"]) is None
        assert our_factor("uIU/mL", "tsh") == 1

    def test_a_mole_is_a_number_there(self) -> None:
        assert ucum(lenient=True).ratio("mmol/L", "10*9/L") > 1
        with pytest.raises(NotUcumError):
            ucum().ratio("mmol/L", "10*9/L")
        assert our_factor("mmol/L", "wbc") is None

    @pytest.mark.parametrize(
        ("source", "target"),
        [pytest.param("ng/mL{FEU}", "ng/mL{DDU}", id="D-dimer"), pytest.param("ug/g{creat}", "%", id="creatinine")],
    )
    def test_what_stands_in_braces_is_dropped_there(self, source: str, target: str) -> None:
        assert parsed_ratio(source, target) > 0
        with pytest.raises(NotUcumError):
            ucum().ratio(source, target)
        assert all(our_factor(source, row["analyte"]) is None for row in REGISTRY.rows("analytes"))

    @pytest.mark.parametrize("reported", ["mg/L{serum}", "{mg/L}", "mg{CRP}/L", "ng/mL{FEU}", "{score}", "[pH]"])
    def test_braces_are_never_read_away_here(self, reported: str) -> None:
        assert all(our_factor(reported, row["analyte"]) is None for row in REGISTRY.rows("analytes"))

    def test_a_factor_of_one_is_one(self) -> None:
        assert parsed_ratio("pg/mL", "ng/L") != 1.0
        assert our_factor("ng/L", "il6") == 1

    def test_percent_is_no_millimole_a_mole(self) -> None:
        assert parsed_ratio("%", "mmol/mol") == pytest.approx(10)
        assert our_factor("mmol/mol", "hba1c") is None
        assert our_factor("%", "hba1c") == Fraction(1, 100)

    def test_an_equivalent_is_a_mole_for_one_charge_only(self) -> None:
        assert parsed_ratio("meq/L", "mmol/L") == 1.0
        assert our_factor("mEq/L", "sodium") == 1
        assert our_factor("mEq/L", "calcium") is None

    def test_glucose_and_creatinine_as_parsers_have_them_with_a_molar_mass(self) -> None:
        assert 90 * float(our_factor("mg/dL", "glucose") or 0) == pytest.approx(4.9957, rel=1e-4)
        assert float(our_factor("mg/dL", "creatinine") or 0) == pytest.approx(88.40, rel=1e-4)
