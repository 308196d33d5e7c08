"""Units: spellings, exact factors, molar factors, and refusal where no row converts."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest

from ember.errors import EmberError
from ember.harmonise.units import (
    declared_factor,
    declared_factors,
    find_conversion,
    in_canonical_unit,
    molar_scale,
    unit_factors,
    with_conversions,
)
from ember.registry.model import CodedColumn, LaboratoryMap, MolarFactor, Site, TableMap
from tests.unit.harmonise.harmonise_rows import (
    FILE,
    measurement_rows,
    registry_with,
    shared_registry,
    site_with,
    study_with,
)


def canonical(rows: list[dict[str, object]], molar: dict[str, float] | None = None) -> pl.DataFrame:
    declared = declared_factors(study_with(), site_with(molar))
    converted = with_conversions(measurement_rows(rows), shared_registry(), declared)
    return converted.with_columns(in_canonical_unit("number").alias("value"))


@pytest.mark.parametrize(
    ("analyte", "reported", "number", "value", "conversion_id"),
    [
        pytest.param("hscrp", "mg/L", 3.0, 3.0, "hscrp:mg/L:mg/L", id="identity"),
        pytest.param("hscrp", "mg/dL", 0.3, 3.0, "hscrp:mg/dL:mg/L", id="decilitre"),
        pytest.param("hscrp", " mg/dl ", 0.3, 3.0, "hscrp:mg/dL:mg/L", id="alias with white space"),
        pytest.param("hscrp", "µg/mL", 3.0, 3.0, "hscrp:ug/mL:mg/L", id="micro sign"),
        pytest.param("hscrp", "ng/mL", 3500.0, 3.5, "hscrp:ng/mL:mg/L", id="a divisor is applied as a divisor"),
        pytest.param("il6", "ng/L", 2.5, 2.5, "il6:ng/L:pg/mL", id="two names of one unit"),
        pytest.param("fibrinogen", "umol/L", 10.0, 3.4, "fibrinogen:umol/L:g/L", id="a factor that is no power of ten"),
        pytest.param("wbc", "/uL", 6500.0, 6.5, "wbc:/uL:10*9/L", id="cells per microlitre"),
    ],
)
def test_values_arrive_in_the_canonical_unit(
    analyte: str, reported: str, number: float, value: float, conversion_id: str
) -> None:
    row = canonical([{"analyte": analyte, "unit_reported": reported, "number": number}]).row(0, named=True)
    assert row["value"] == value
    assert row["conversion_id"] == conversion_id


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(row, id=f"{row['analyte']} {row['from_unit']}")
        for row in shared_registry().rows("units")
        if row["needs"] == ""
    ],
)
def test_the_worked_example_of_every_registry_row_is_exact(row: dict[str, str]) -> None:
    conversion = find_conversion(shared_registry(), row["analyte"], row["from_unit"])
    assert conversion is not None
    assert Fraction(row["example_from"]) * conversion.factor == Fraction(row["example_to"])
    given = {"analyte": row["analyte"], "unit_reported": row["from_unit"], "number": float(row["example_from"])}
    assert canonical([given])["value"][0] == pytest.approx(float(row["example_to"]), rel=3e-16)


@pytest.mark.parametrize(
    ("analyte", "reported"),
    [
        pytest.param("hscrp", "pg/L", id="a unit of nothing here"),
        pytest.param("hscrp", "", id="an empty unit cell"),
        pytest.param("hscrp", "10*9/L", id="a unit of another analyte"),
        pytest.param("neutrophils", "%", id="a percentage is no count"),
        pytest.param("hscrp", "nmol/L", id="an amount of substance without a declared factor"),
    ],
)
def test_a_unit_without_a_row_has_no_conversion(analyte: str, reported: str) -> None:
    row = canonical([{"analyte": analyte, "unit_reported": reported}]).row(0, named=True)
    assert row["unit"] is None
    assert row["conversion_id"] is None
    assert row["value"] is None


@pytest.mark.parametrize(
    ("nmol_per_mg", "text", "above_three"),
    [
        pytest.param(9.524, "9.524", False, id="105 kDa"),
        pytest.param(8.686, "8.686", True, id="115 kDa"),
    ],
)
def test_the_declared_molar_factor_is_used_exactly_and_named(nmol_per_mg: float, text: str, above_three: bool) -> None:
    given = {"unit_reported": "nmol/L", "number": 28.572}
    row = canonical([given], {"hscrp": nmol_per_mg}).row(0, named=True)
    exact = Fraction("28.572") / Fraction(text)
    assert row["value"] == pytest.approx(float(exact), rel=1e-15)
    assert row["conversion_id"] == f"hscrp:nmol/L:mg/L:nmol_per_mg={text}"
    assert (row["value"] > 3.0) is above_three


@pytest.mark.parametrize(
    ("from_unit", "to_unit", "scale"),
    [
        pytest.param("nmol/L", "mg/L", Fraction(1), id="nmol/L to mg/L"),
        pytest.param("pmol/L", "pg/mL", Fraction(1000), id="pmol/L to pg/mL"),
        pytest.param("pmol/L", "ng/mL", Fraction(1), id="pmol/L to ng/mL"),
        pytest.param("nmol/L", "ng/mL", Fraction(1000), id="nmol/L to ng/mL"),
        pytest.param("umol/L", "g/L", Fraction(1), id="umol/L to g/L"),
        pytest.param("mmol/dL", "mg/dL", Fraction(10**6), id="the same volume cancels"),
    ],
)
def test_prefixes_come_on_top_of_the_molar_factor(from_unit: str, to_unit: str, scale: Fraction) -> None:
    assert molar_scale(from_unit, to_unit) == scale


def test_a_molar_factor_between_other_units_is_refused() -> None:
    with pytest.raises(EmberError, match=r"from 'mg/L' to 'mg/L'"):
        molar_scale("mg/L", "mg/L")


def test_a_cytokine_in_pmol_needs_its_own_factor() -> None:
    row = canonical([{"analyte": "il6", "unit_reported": "pmol/L", "number": 0.1}], {"il6": 40.0}).row(0, named=True)
    assert row["value"] == 2.5


def test_a_factor_holds_for_its_own_file_only() -> None:
    declared = declared_factors(study_with(), site_with({"hscrp": 9.524}))
    assert declared_factor(declared, FILE, "hscrp") == "9.524"
    assert declared_factor(declared, "lund/quest.sav", "hscrp") is None
    assert declared_factor(declared, FILE, "il6") is None
    assert declared_factor(declared, "tudo.csv", "hscrp") is None


def test_of_two_files_with_one_ending_the_one_in_the_data_folder_is_meant() -> None:
    declared = {("data/x.csv", "hscrp"): "9.524", ("data/a/x.csv", "hscrp"): "8.686"}
    assert declared_factor(declared, "x.csv", "hscrp") == "9.524"
    assert declared_factor(declared, "a/x.csv", "hscrp") == "8.686"


def laboratory(factor: float) -> TableMap:
    codes = CodedColumn("TEST", {"CRP": "hscrp"})
    molar = MolarFactor(factor, "as the laboratory says")
    return TableMap("porto", "PATID", laboratory=LaboratoryMap(codes, "RESULT", "nmol/L", molar_factor=molar))


def test_the_factor_of_a_laboratory_table_holds_for_its_analytes() -> None:
    site = Site("porto", "Porto", (laboratory(8.475),))
    assert declared_factor(declared_factors(study_with(), site), FILE, "hscrp") == "8.475"


def test_two_factors_for_one_analyte_of_one_file_are_refused() -> None:
    site = Site("porto", "Porto", (laboratory(8.475), laboratory(9.524)))
    with pytest.raises(EmberError, match="different molar factors for hscrp"):
        declared_factors(study_with(), site)


def test_rows_and_their_order_stay() -> None:
    rows = [{"unit_reported": unit, "number": float(n)} for n, unit in enumerate(["mg/dL", "?", "mg/L", "mg/dL"])]
    assert canonical(rows)["number"].to_list() == [0.0, 1.0, 2.0, 3.0]
    assert canonical(rows)["value"].to_list() == [0.0, None, 2.0, 30.0]


def test_factors_of_an_analyte_hold_a_molar_unit_only_where_it_is_declared() -> None:
    assert "nmol/L" not in unit_factors(shared_registry(), "hscrp", {})
    assert unit_factors(shared_registry(), "hscrp", {(FILE, "hscrp"): "10"})["nmol/L"] == Fraction(1, 10)


def test_a_new_unit_is_a_row_of_the_registry() -> None:
    row = {
        "analyte": "hscrp",
        "from_unit": "mg/hL",
        "to_unit": "mg/L",
        "numerator": "1",
        "denominator": "100",
        "needs": "",
    }
    conversion = find_conversion(registry_with("units", "hscrp|mg/hL", **row), "hscrp", "mg/hL")
    assert conversion is not None
    assert conversion.factor == Fraction(1, 100)
