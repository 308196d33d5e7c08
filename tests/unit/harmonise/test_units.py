"""Units: spellings, exact factors, molar factors, and refusal where no row converts."""

from __future__ import annotations

from fractions import Fraction

import polars as pl
import pytest

from ember.errors import EmberError
from ember.harmonise.units import (
    conversion_of,
    declared_factors,
    declared_figures,
    declared_scale,
    find_conversion,
    in_canonical_unit,
    unit_factors,
    with_conversions,
)
from ember.registry.model import (
    ActivityFactor,
    CodedColumn,
    LaboratoryMap,
    MeasurementMap,
    MolarFactor,
    Site,
    TableMap,
)
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
        pytest.param("nmol/mL", "mg/L", Fraction(1000), id="nmol/mL to mg/L"),
        pytest.param("fmol/mL", "pg/mL", Fraction(1000), id="fmol/mL is pmol/L"),
        pytest.param("nmol/L", "mg/L", Fraction(1), id="nmol/L to mg/L"),
        pytest.param("pmol/L", "pg/mL", Fraction(1000), id="pmol/L to pg/mL"),
        pytest.param("pmol/L", "ng/mL", Fraction(1), id="pmol/L to ng/mL"),
        pytest.param("nmol/L", "ng/mL", Fraction(1000), id="nmol/L to ng/mL"),
        pytest.param("umol/L", "g/L", Fraction(1), id="umol/L to g/L"),
        pytest.param("mmol/dL", "mg/dL", Fraction(10**6), id="the same volume cancels"),
    ],
)
def test_prefixes_come_on_top_of_the_molar_factor(from_unit: str, to_unit: str, scale: Fraction) -> None:
    assert declared_scale("molar_factor", from_unit, to_unit) == scale


@pytest.mark.parametrize(
    ("from_unit", "to_unit", "scale"),
    [
        pytest.param("[IU]/mL", "pg/mL", Fraction(1), id="per millilitre"),
        pytest.param("[IU]/L", "pg/mL", Fraction(1, 1000), id="per litre"),
        pytest.param("k[IU]/L", "pg/mL", Fraction(1), id="thousands per litre"),
        pytest.param("m[IU]/mL", "pg/mL", Fraction(1, 1000), id="thousandths"),
        pytest.param("[IU]/mL", "ng/mL", Fraction(1, 1000), id="to another prefix"),
    ],
)
def test_prefixes_come_on_top_of_the_weight_of_an_international_unit(
    from_unit: str, to_unit: str, scale: Fraction
) -> None:
    assert declared_scale("iu_factor", from_unit, to_unit) == scale


def test_a_molar_factor_between_other_units_is_refused() -> None:
    with pytest.raises(EmberError, match=r"moles to grams a volume, not from 'mg/L' to 'mg/L'"):
        declared_scale("molar_factor", "mg/L", "mg/L")
    with pytest.raises(EmberError, match=r"international units to grams a volume, not from 'nmol/L'"):
        declared_scale("iu_factor", "nmol/L", "mg/L")


def test_a_cytokine_in_pmol_needs_its_own_factor() -> None:
    row = canonical([{"analyte": "il6", "unit_reported": "pmol/L", "number": 0.1}], {"il6": 40.0}).row(0, named=True)
    assert row["value"] == 2.5


def site_of(**maps: MeasurementMap) -> Site:
    return Site("porto", "Porto", (TableMap("porto", "PATID", measurements=maps),))


def test_an_international_unit_is_converted_by_its_declared_weight_and_named() -> None:
    site = site_of(il6=MeasurementMap("IL6", "IU/mL", iu_factor=ActivityFactor(10, "89/548, as the kit says")))
    rows = measurement_rows([{"analyte": "il6", "unit_reported": "IU/mL", "number": 0.25}])
    row = with_conversions(rows, shared_registry(), declared_factors(study_with(), site)).row(0, named=True)
    assert row["conversion_id"] == "il6:[IU]/mL:pg/mL:pg_per_iu=10"
    assert 0.25 * row["numerator"] / row["denominator"] == 2.5


def test_a_molar_factor_is_no_weight_of_an_international_unit() -> None:
    assert find_conversion(shared_registry(), "il6", "IU/mL", {"nmol_per_mg": "40"}) is None
    assert find_conversion(shared_registry(), "il6", "pmol/L", {"pg_per_iu": "10"}) is None


@pytest.mark.parametrize(
    ("analyte", "reported", "needs"),
    [
        pytest.param("hscrp", "nmol/L", "molar_factor", id="CRP"),
        pytest.param("il6", "pmol/L", "molar_factor", id="cytokine"),
        pytest.param("tnf", "IU/mL", "iu_factor", id="international units"),
        pytest.param("hscrp", "IU/mL", None, id="no unit of this analyte"),
        pytest.param("hscrp", "mg/L", None, id="convertible"),
    ],
)
def test_a_row_says_what_would_have_to_be_declared(analyte: str, reported: str, needs: str | None) -> None:
    row = canonical([{"analyte": analyte, "unit_reported": reported}]).row(0, named=True)
    assert row["unit_needs"] == needs


@pytest.mark.parametrize(
    "conversion_id",
    [
        pytest.param("hscrp:mg/dL:mg/L", id="plain"),
        pytest.param("hscrp:nmol/L:mg/L:nmol_per_mg=9.524", id="molar"),
        pytest.param("tnf:k[IU]/L:pg/mL:pg_per_iu=25", id="international unit"),
    ],
)
def test_an_id_leads_back_to_its_conversion(conversion_id: str) -> None:
    found = conversion_of(shared_registry(), conversion_id)
    assert found is not None and found.id == conversion_id


def test_the_id_of_a_conversion_that_is_gone_leads_nowhere() -> None:
    assert conversion_of(shared_registry(), "hscrp:stone/L:mg/L") is None


def test_a_factor_holds_for_its_own_file_only() -> None:
    declared = declared_factors(study_with(), site_with({"hscrp": 9.524}))
    assert declared_figures(declared, FILE, "hscrp") == {"nmol_per_mg": "9.524"}
    assert declared_figures(declared, "lund/quest.sav", "hscrp") == {}
    assert declared_figures(declared, FILE, "il6") == {}
    assert declared_figures(declared, "tudo.csv", "hscrp") == {}


def test_of_two_files_with_one_ending_the_one_in_the_data_folder_is_meant() -> None:
    short, long = {"nmol_per_mg": "9.524"}, {"nmol_per_mg": "8.686"}
    declared = {("data/x.csv", "hscrp"): short, ("data/a/x.csv", "hscrp"): long}
    assert declared_figures(declared, "x.csv", "hscrp") == short
    assert declared_figures(declared, "a/x.csv", "hscrp") == long


def laboratory(factor: float) -> TableMap:
    codes = CodedColumn("TEST", {"CRP": "hscrp"})
    molar = MolarFactor(factor, "as the laboratory says")
    return TableMap("porto", "PATID", laboratory=LaboratoryMap(codes, "RESULT", "nmol/L", molar_factor=molar))


def test_the_factor_of_a_laboratory_table_holds_for_its_analytes() -> None:
    site = Site("porto", "Porto", (laboratory(8.475),))
    assert declared_figures(declared_factors(study_with(), site), FILE, "hscrp") == {"nmol_per_mg": "8.475"}


def test_each_analyte_of_a_laboratory_table_has_its_own_factors() -> None:
    laboratory = LaboratoryMap(
        CodedColumn("TEST", {"CRP": "hscrp", "IL6": "il6", "ALB": "albumin"}),
        "RESULT",
        None,
        "UNIT",
        molar_factors={"hscrp": MolarFactor(9.524, "its report"), "il6": MolarFactor(47.6, "its report")},
        iu_factors={"il6": ActivityFactor(10, "its kit")},
    )
    site = Site("porto", "Porto", (TableMap("porto", "PATID", laboratory=laboratory),))
    declared = declared_factors(study_with(), site)
    assert declared_figures(declared, FILE, "hscrp") == {"nmol_per_mg": "9.524"}
    assert declared_figures(declared, FILE, "il6") == {"nmol_per_mg": "47.6", "pg_per_iu": "10"}
    assert declared_figures(declared, FILE, "albumin") == {}


def test_two_factors_for_one_analyte_of_one_file_are_refused() -> None:
    site = Site("porto", "Porto", (laboratory(8.475), laboratory(9.524)))
    with pytest.raises(EmberError, match="different factors for hscrp"):
        declared_factors(study_with(), site)


def test_rows_and_their_order_stay() -> None:
    rows = [{"unit_reported": unit, "number": float(n)} for n, unit in enumerate(["mg/dL", "?", "mg/L", "mg/dL"])]
    assert canonical(rows)["number"].to_list() == [0.0, 1.0, 2.0, 3.0]
    assert canonical(rows)["value"].to_list() == [0.0, None, 2.0, 30.0]


def test_columns_of_categories_are_converted_alike_and_stay() -> None:
    rows = measurement_rows([{"unit_reported": unit} for unit in ("mg/dL", "?", "mg/L")])
    columns = ["analyte", "unit_reported", "source_file"]
    coded = with_conversions(rows.with_columns(pl.col(columns).cast(pl.Categorical)), shared_registry(), {})
    assert coded["conversion_id"].to_list() == ["hscrp:mg/dL:mg/L", None, "hscrp:mg/L:mg/L"]
    assert coded.schema["analyte"] == pl.Categorical


def test_no_rows_have_the_columns_of_a_conversion() -> None:
    found = with_conversions(measurement_rows([]), shared_registry(), {})
    assert found.height == 0 and {"conversion_id", "numerator", "unit_needs"} <= set(found.columns)


def test_factors_of_an_analyte_hold_a_molar_unit_only_where_it_is_declared() -> None:
    assert "nmol/L" not in unit_factors(shared_registry(), "hscrp", {})
    assert unit_factors(shared_registry(), "hscrp", {(FILE, "hscrp"): {"nmol_per_mg": "10"}})["nmol/L"] == Fraction(
        1, 10
    )


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
