"""Signs that look different and are the same, and spellings of real files."""

from __future__ import annotations

import pytest

from ember.registry.load import PROJECT
from ember.registry.registry import Registry, read_registry
from ember.registry.unit_spelling import folded


@pytest.fixture(scope="module")
def registry() -> Registry:
    return read_registry(PROJECT / "config" / "registry")


@pytest.mark.parametrize(
    ("spelling", "plain"),
    [
        pytest.param("mg/L", "mg/L", id="plain"),
        pytest.param(" mg / dL\u00a0", "mg/dL", id="blanks"),
        pytest.param("\u00b5g/mL", "ug/mL", id="micro sign"),
        pytest.param("\u03bcg/mL", "ug/mL", id="Greek mu"),
        pytest.param("10\u2079/L", "10^9/L", id="superscript"),
        pytest.param("10\u00b9\u00b2/L", "10^12/L", id="two superscripts"),
        pytest.param("mg\u00b7L\u207b\u00b9", "mg.L-1", id="exponent"),
        pytest.param("mg L^-1", "mg L-1", id="exponent in plain signs"),
        pytest.param("\uff4d\uff47\uff0f\uff4c", "mg/l", id="full width"),
        pytest.param("\u338e/\u3397", "mg/dL", id="squared"),
        pytest.param("\u00d710\u00b3/\u00b5L", "x10^3/uL", id="times"),
        pytest.param("mg/\u2113", "mg/l", id="script small l"),
        pytest.param("Mg/L", "Mg/L", id="a capital stays"),
        pytest.param("m g/L", "m g/L", id="a blank between letters stays"),
        pytest.param("10\u2089/L", "10\u2089/L", id="a subscript is no exponent"),
        pytest.param("\u043cg/L", "\u043cg/L", id="a letter of another alphabet stays"),
        pytest.param("", "", id="empty"),
    ],
)
def test_folded(spelling: str, plain: str) -> None:
    assert folded(spelling) == plain


@pytest.mark.parametrize(
    ("spelling", "analyte", "unit"),
    [
        pytest.param(spelling, analyte, unit, id=f"{analyte} {spelling!r}")
        for analyte, unit, spellings in (
            ("hscrp", "ug/mL", ["ug/ml", "\u00b5g/mL", "\u03bcg/mL", "mcg/mL", "mcg/ml", "UG/ML", "\u338d/\u3396"]),
            ("hscrp", "mg/dL", ["MG/DL", "mg/dl", "mg/100mL", "mg dL-1", "mg/ dL"]),
            ("hscrp", "mg/L", ["MG/L", "mg/l", "mg.L-1", "mg\u00b7L\u207b\u00b9"]),
            ("il6", "pg/mL", ["pg/ml ", " pg/mL", "PG/ML", "pg / mL"]),
            ("il6", "[IU]/mL", ["IU/mL", "IU/ml"]),
            ("wbc", "10*9/L", ["10^9/L", "x10E9/L", "10E9/L", "10\u2079/L", "x10^9/l", "GI/L"]),
            ("wbc", "10*3/uL", ["K/uL", "K/UL", "10*3/uL", "Thousand/uL", "10^3/\u00b5L", "\u00d710\u00b3/\u03bcL"]),
            ("platelets", "10*5/mm3", ["lakh/cumm", "lakhs/mm3"]),
            ("erythrocytes", "10*6/uL", ["MILL/uL", "M/uL", "10^6/uL", "million/uL"]),
            ("albumin", "g/dL", ["g/dl", "G/DL", "gm/dL", "GM/DL"]),
            ("albumin", "g/L", ["g/l"]),
            ("alt", "U/L", ["IU/L", "U/l", "u/L", "units/L"]),
            ("tsh", "u[IU]/mL", ["uIU/mL", "\u00b5IU/mL", "uU/mL"]),
            ("tsh", "m[IU]/L", ["mIU/L", "mU/L"]),
            ("sodium", "meq/L", ["mEq/L", "MEQ/L"]),
            ("haematocrit", "%", ["%", "percent", "\uff05"]),
            ("lymphocytes_share", "1", ["FRACTION"]),
        )
        for spelling in spellings
    ],
)  # fmt: skip
def test_spellings_of_real_files(registry: Registry, spelling: str, analyte: str, unit: str) -> None:
    assert registry.ucum(spelling, analyte) == unit


@pytest.mark.parametrize(
    ("spelling", "analyte"),
    [
        pytest.param("%", "neutrophils", id="a percentage is no count"),
        pytest.param("mEq", "sodium", id="an equivalent of nothing"),
        pytest.param("mEq/L", "calcium", id="two charges"),
        pytest.param("U", "alt", id="a unit of nothing"),
        pytest.param("U/mL", "il6", id="a unit of no standard"),
        pytest.param("IU/L", "il6", id="enzymes are not cytokines"),
        pytest.param("G/L", "wbc", id="giga or gram"),
        pytest.param("G/L", "albumin", id="gram or giga"),
        pytest.param("mg%", "glucose", id="per cent of what"),
        pytest.param("Mg/L", "hscrp", id="megagram"),
        pytest.param("Mg/dL", "hscrp", id="megagram per decilitre"),
        pytest.param("Pg/mL", "il6", id="petagram"),
        pytest.param("mg//L", "hscrp", id="two strokes"),
        pytest.param("mg/L/L", "hscrp", id="two volumes"),
        pytest.param("mg", "hscrp", id="half a unit"),
        pytest.param("10\u2089/L", "wbc", id="a subscript"),
        pytest.param("109/L", "wbc", id="a lost exponent"),
        pytest.param("10 9/L", "wbc", id="an exponent behind a blank"),
        pytest.param("mmol/mol", "hba1c", id="another scale"),
        pytest.param("", "hscrp", id="empty"),
    ],
)
def test_what_is_ambiguous_is_refused(registry: Registry, spelling: str, analyte: str) -> None:
    assert registry.ucum(spelling, analyte) is None
