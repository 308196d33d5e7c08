"""Detection limits by assay, laboratory, month and batch: resolved where they can be, never guessed."""

from __future__ import annotations

from fractions import Fraction
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest

from ember.errors import EmberError
from ember.harmonise.detection_limits import LimitPeriod, SiteLimits, assay_limits, declared_limits, with_limits
from ember.harmonise.fills import FILL_SCHEMA, with_fills
from ember.harmonise.limits import with_censoring
from ember.harmonise.units import find_conversion, with_conversions
from ember.registry.model import (
    CodedColumn,
    DeclaredLimit,
    LaboratoryMap,
    MeasurementMap,
    MolarFactor,
    Site,
    Study,
    TableMap,
)
from ember.registry.registry import Registry
from tests.unit.harmonise.harmonise_rows import FILE, measurement_rows, registry_with, shared_registry, study_with

SHOWN = f"resources/demo/{FILE}"
EARLY = LimitPeriod(0.5, None, last="2019-06")
LATE = LimitPeriod(0.2, None, first="2019-07")
BY_MONTH: SiteLimits = {(SHOWN, "hscrp"): (EARLY, LATE)}
BY_BATCH: SiteLimits = {
    (SHOWN, "hscrp"): (LimitPeriod(0.5, None, batches=("A",)), LimitPeriod(0.2, None, batches=("B",)))
}
ALWAYS: SiteLimits = {(SHOWN, "hscrp"): (LimitPeriod(0.3, 20.0),)}


def resolved(row: dict[str, Any], declared: SiteLimits, registry: Registry | None = None) -> dict[str, Any]:
    registry = registry or shared_registry()
    period = pl.lit(row.pop("period", None), pl.String).alias("period")
    rows = measurement_rows([{"value_reported": str(row.get("number", "1.0")), **row}]).with_columns(period)
    rows = with_limits(with_conversions(rows, registry, {}), registry, declared)
    return with_censoring(with_fills(rows, pl.DataFrame(schema=FILL_SCHEMA))).row(0, named=True)


@pytest.mark.parametrize("assay", [row["assay_id"] for row in shared_registry().rows("assays")])
def test_the_limits_of_every_assay_can_be_converted(assay: str) -> None:
    row = shared_registry().row("assays", assay)
    conversion = find_conversion(shared_registry(), row["analyte"], row["unit"])
    assert conversion is not None
    unit = shared_registry().row("analytes", row["analyte"])["canonical_unit"]
    result = resolved({"analyte": row["analyte"], "unit_reported": unit, "number": 400.0, "assay_id": assay}, {})
    assert result["detection_limit"] == pytest.approx(float(Fraction(row["limit_low"]) * conversion.factor), rel=1e-15)
    assert (result["assay_class"], result["platform"]) == (row["assay_class"], row["platform"])


def test_an_assay_in_a_unit_that_nothing_converts_is_refused() -> None:
    registry = registry_with("assays", "roche_crphs", unit="pg/L")
    with pytest.raises(EmberError, match="The unit 'pg/L' of the assay 'roche_crphs'"):
        resolved({"assay_id": "roche_crphs"}, {}, registry)


def test_without_assay_and_declaration_no_limit_is_known() -> None:
    result = resolved({}, {})
    assert (result["assay_class"], result["platform"], result["detection_limit"]) == (None, None, None)


def test_standard_crp_is_of_the_standard_class_without_an_assay() -> None:
    assert resolved({"analyte": "crp_standard"}, {})["assay_class"] == "standard"


def test_what_the_site_declares_goes_before_the_assay() -> None:
    result = resolved({"assay_id": "roche_crphs", "number": 0.2}, ALWAYS)
    assert (result["detection_limit"], result["upper_limit"], result["censoring"]) == (0.3, 20.0, "left")


def test_limits_are_those_of_their_file_and_analyte() -> None:
    assert resolved({"source_file": "other/file.csv", "assay_id": "roche_crphs"}, ALWAYS)["detection_limit"] == 0.15
    other = resolved({"analyte": "il6", "unit_reported": "pg/mL", "assay_id": "msd_vplex_il6"}, ALWAYS)
    assert other["detection_limit"] == 0.06


@pytest.mark.parametrize(
    ("period", "limit"),
    [
        pytest.param("2019-06", 0.5, id="the last month of the first period"),
        pytest.param("2019-07", 0.2, id="the first month of the second"),
        pytest.param("2015-01", 0.5, id="long before"),
        pytest.param("2024-12", 0.2, id="long after"),
    ],
)
def test_the_month_of_sampling_decides(period: str, limit: float) -> None:
    result = resolved({"period": period, "operator": "<", "number": 0.1}, BY_MONTH)
    assert (result["detection_limit"], result["limit"]) == (limit, limit)


@pytest.mark.parametrize(("batch", "limit"), [("A", 0.5), ("B", 0.2)])
def test_the_batch_decides(batch: str, limit: float) -> None:
    assert resolved({"batch": batch}, BY_BATCH)["detection_limit"] == limit


@pytest.mark.parametrize(
    ("row", "declared", "value"),
    [
        pytest.param({"number": 0.5}, BY_MONTH, 0.5, id="a number at the highest limit is above all"),
        pytest.param({"number": 0.49}, BY_MONTH, None, id="a number below it may be below its own"),
        pytest.param({"number": 0.1}, BY_MONTH, None, id="below all of them, and under which one nobody knows"),
        pytest.param({"operator": "<", "number": 0.4}, BY_MONTH, None, id="a flag without a limit of its own"),
        pytest.param(
            {"operator": "<", "number": 0.4, "limit_reported": 0.4}, BY_MONTH, 0.4, id="a sign with its limit"
        ),
        pytest.param({"number": 0.4, "batch": "C"}, BY_BATCH, None, id="a batch that nobody declared"),
        pytest.param({"number": 0.4, "batch": None}, BY_BATCH, None, id="no batch"),
        pytest.param({"number": 0.6, "batch": "C"}, BY_BATCH, 0.6, id="above every batch's limit"),
    ],
)
def test_an_unknown_month_or_batch_is_never_guessed(
    row: dict[str, Any], declared: SiteLimits, value: float | None
) -> None:
    result = resolved(dict(row), declared)
    assert result["detection_limit"] is None
    assert result["limit_doubt"] == 0.5
    assert result["value"] == value


def test_an_unknown_month_does_not_matter_where_the_limits_agree() -> None:
    same: SiteLimits = {(SHOWN, "hscrp"): (LimitPeriod(0.3, None, last="2019-06"), LimitPeriod(0.3, None, "2019-07"))}
    result = resolved({"operator": "<", "number": 0.1}, same)
    assert (result["limit"], result["limit_doubt"]) == (0.3, None)


def test_a_month_that_no_declared_period_covers_is_in_doubt() -> None:
    early: SiteLimits = {(SHOWN, "hscrp"): (EARLY,)}
    result = resolved({"period": "2020-01", "number": 0.4}, early)
    assert (result["limit_doubt"], result["value"]) == (0.5, None)


@pytest.mark.parametrize(
    ("period", "limit"),
    [
        pytest.param(None, 0.11, id="a month that is not known: the site names the assay"),
        pytest.param("2015-01", 0.11, id="first month"),
        pytest.param("2016-12", 0.11, id="last month"),
        pytest.param("2017-01", None, id="after the assay's time"),
    ],
)
def test_the_period_of_an_assay_bounds_its_limit(period: str | None, limit: float | None) -> None:
    result = resolved({"assay_id": "beckman_dxc_hscrp_nhanes_2015", "period": period}, {})
    assert result["detection_limit"] == limit
    assert result["limit_doubt"] == (None if limit else 0.11)


def test_a_frame_without_months_is_read_as_one_of_unknown_months() -> None:
    rows = with_conversions(measurement_rows([{}]), shared_registry(), {}).drop("period", strict=False)
    assert with_limits(rows, shared_registry(), BY_MONTH)["limit_doubt"].to_list() == [0.5]


def test_order_of_rows_stays() -> None:
    rows = [{"number": float(n), "assay_id": a} for n, a in enumerate(["roche_crphs", None, "sim_crp_wide"])]
    given = with_conversions(measurement_rows(rows), shared_registry(), {})
    told = with_limits(given, shared_registry(), {})
    assert told["number"].to_list() == [0.0, 1.0, 2.0]
    assert told["assay_class"].is_null().to_list() == [False, True, False]


def declaring(*tables: TableMap) -> Site:
    return Site("porto", "Porto", tables)


def table_with(limits: tuple[DeclaredLimit, ...], **more: Any) -> TableMap:
    return TableMap("porto", "PATID", measurements={"hscrp": MeasurementMap("PCR", "mg/L", limits=limits, **more)})


def test_declared_limits_are_read_in_their_unit() -> None:
    limit = DeclaredLimit("mg/dL", "as the report says", low=0.05, first="2019-01", batches=("A",))
    found = declared_limits(study_with(), declaring(table_with((limit,))), shared_registry())
    assert found == {(SHOWN, "hscrp"): (LimitPeriod(0.5, None, first="2019-01", batches=("A",)),)}


def test_declared_limits_in_an_amount_take_the_declared_factor() -> None:
    limit = DeclaredLimit("nmol/L", "as the report says", low=9.524)
    molar = MolarFactor(9.524, "as the laboratory says")
    found = declared_limits(study_with(), declaring(table_with((limit,), molar_factor=molar)), shared_registry())
    assert found[SHOWN, "hscrp"][0].low == pytest.approx(1.0, rel=1e-15)


def test_a_declared_limit_that_nothing_converts_is_refused() -> None:
    site = declaring(table_with((DeclaredLimit("nmol/L", "as the report says", low=9.5),)))
    with pytest.raises(EmberError, match="The unit 'nmol/L' of a declared limit"):
        declared_limits(study_with(), site, shared_registry())


def test_two_tables_over_one_file_must_agree() -> None:
    one, other = (table_with((DeclaredLimit("mg/L", "as the report says", low=low),)) for low in (0.2, 0.3))
    with pytest.raises(EmberError, match="declare different limits for hscrp"):
        declared_limits(study_with(), declaring(one, other), shared_registry())


def test_a_laboratory_table_declares_limits_by_analyte() -> None:
    limit = DeclaredLimit("pg/mL", "as the report says", low=0.3)
    laboratory = LaboratoryMap(CodedColumn("TEST", {"IL6": "il6"}), "RESULT", "pg/mL", limits={"il6": (limit,)})
    study = cast(Study, SimpleNamespace(sources={"porto": SimpleNamespace(shown_path=SHOWN)}))
    found = declared_limits(study, declaring(TableMap("porto", "PATID", laboratory=laboratory)), shared_registry())
    assert found == {(SHOWN, "il6"): (LimitPeriod(0.3, None),)}


def test_the_limits_of_an_assay_know_their_months() -> None:
    found = assay_limits(shared_registry(), "behring_nephelometry_crp_nhanes_2009")
    assert (found.low, found.first, found.last) == (0.2, "2009-01", "2010-12")
