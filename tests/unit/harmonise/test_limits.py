"""Limits: censored values, impossible values, acute values, at and beside each boundary."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import polars as pl
import pytest

from ember.errors import EmberError
from ember.harmonise.limits import flag_text, with_censoring, with_plausibility
from ember.harmonise.units import find_conversion, with_conversions
from ember.registry.registry import Registry
from tests.unit.harmonise.harmonise_rows import measurement_rows, registry_with, shared_registry


def judged(row: dict[str, Any], registry: Registry | None = None) -> dict[str, Any]:
    registry = registry or shared_registry()
    rows = with_censoring(with_conversions(measurement_rows([row]), registry, {}), registry)
    return with_plausibility(rows, registry).with_columns(flag_text().alias("flags")).row(0, named=True)


@pytest.mark.parametrize(
    ("row", "censoring", "value", "limit"),
    [
        pytest.param({"number": 0.05}, "none", 0.05, None, id="a plain number"),
        pytest.param(
            {"operator": "<", "number": 0.3, "limit_reported": 0.3, "unit_reported": "mg/dL"},
            "left",
            3.0,
            3.0,
            id="the limit of the result in its own unit",
        ),
        pytest.param(
            {"operator": "<", "number": 0.08, "assay_id": "beckman_dxc_hscrp_nhanes_2015"},
            "left",
            0.11,
            0.11,
            id="a flag: the limit of the assay, never the fill",
        ),
        pytest.param(
            {"operator": "<", "number": 0.01, "assay_id": "behring_nephelometry_crp_nhanes_2009"},
            "left",
            0.2,
            0.2,
            id="the assay's limit is in the assay's unit",
        ),
        pytest.param(
            {"operator": "<", "number": 0.5, "limit_reported": 0.5, "assay_id": "roche_crphs"},
            "left",
            0.5,
            0.5,
            id="the limit of the result before the assay's",
        ),
        pytest.param({"operator": ">", "number": 10, "limit_reported": 10}, "right", 10.0, 10.0, id="above the range"),
        pytest.param(
            {"operator": ">", "number": 1, "assay_id": "sim_crp_wide"},
            "right",
            300.0,
            300.0,
            id="upper limit of the assay",
        ),
        pytest.param({"operator": "<", "number": 0.1}, "left", None, None, id="no limit known below"),
        pytest.param(
            {"operator": ">", "number": 9, "assay_id": "roche_crphs"}, "right", None, None, id="no limit known above"
        ),
        pytest.param({"operator": "<", "number": 0, "limit_reported": 0}, "left", None, None, id="zero is no limit"),
        pytest.param(
            {"number": 0.11, "assay_id": "cobas_6000_hscrp_nhanes_2017"},
            "none",
            0.11,
            None,
            id="an unmarked number below the assay's limit stays a number",
        ),
    ],
)
def test_a_censored_value_is_its_limit(
    row: dict[str, Any], censoring: str, value: float | None, limit: float | None
) -> None:
    result = judged(row)
    assert (result["censoring"], result["value"], result["limit"]) == (censoring, value, limit)


@pytest.mark.parametrize(
    ("analyte", "unit"),
    [
        pytest.param(row["analyte"], row["from_unit"], id=f"{row['analyte']} {row['from_unit']}")
        for row in shared_registry().rows("units")
        if row["needs"] == ""
    ],
)
def test_a_limit_is_converted_like_the_exact_fraction(analyte: str, unit: str) -> None:
    conversion = find_conversion(shared_registry(), analyte, unit)
    assert conversion is not None
    result = judged({"analyte": analyte, "unit_reported": unit, "operator": "<", "number": 40, "limit_reported": 40})
    assert result["limit"] == float(40 * conversion.factor)


@pytest.mark.parametrize("assay", [row["assay_id"] for row in shared_registry().rows("assays")])
def test_the_limits_of_every_assay_can_be_converted(assay: str) -> None:
    row = shared_registry().row("assays", assay)
    conversion = find_conversion(shared_registry(), row["analyte"], row["unit"])
    assert conversion is not None
    unit = shared_registry().row("analytes", row["analyte"])["canonical_unit"]
    given = {"analyte": row["analyte"], "unit_reported": unit, "operator": "<", "number": 1, "assay_id": assay}
    result = judged(given)
    assert result["limit"] == pytest.approx(float(Fraction(row["limit_low"]) * conversion.factor), rel=1e-15)
    assert result["assay_class"] == row["assay_class"]


def test_an_assay_in_a_unit_that_nothing_converts_is_refused() -> None:
    registry = registry_with("assays", "roche_crphs", unit="pg/L")
    with pytest.raises(EmberError, match="The unit 'pg/L' of the assay 'roche_crphs'"):
        judged({"assay_id": "roche_crphs"}, registry)


@pytest.mark.parametrize(
    ("number", "impossible"),
    [
        pytest.param(0.009, True, id="below the lower limit"),
        pytest.param(0.01, False, id="at the lower limit"),
        pytest.param(500.0, False, id="at the upper limit"),
        pytest.param(500.1, True, id="above the upper limit"),
        pytest.param(0.0, True, id="zero"),
        pytest.param(-1.0, True, id="negative"),
        pytest.param(float("nan"), True, id="not a number"),
        pytest.param(float("inf"), True, id="infinite"),
    ],
)
def test_hard_limits_include_both_ends(number: float, impossible: bool) -> None:
    assert judged({"number": number})["impossible"] is impossible


def test_hard_limits_judge_the_value_in_the_canonical_unit() -> None:
    assert judged({"number": 51.0, "unit_reported": "mg/dL"})["impossible"] is True
    assert judged({"number": 51.0, "unit_reported": "mg/L"})["impossible"] is False


def test_a_censored_value_is_never_impossible() -> None:
    assert judged({"operator": "<", "number": 0.001, "limit_reported": 0.001})["impossible"] is False


def test_an_analyte_without_hard_limits_has_no_impossible_value() -> None:
    registry = registry_with("analytes", "hscrp", hard_low="", hard_high="", acute_above="")
    result = judged({"number": 1e9}, registry)
    assert (result["impossible"], result["acute"]) == (False, False)


@pytest.mark.parametrize(
    ("row", "flags"),
    [
        pytest.param({"number": 10.0}, "", id="exactly the threshold is not above it"),
        pytest.param({"number": 10.01}, "value.acute", id="above the threshold"),
        pytest.param({"number": 2.0}, "", id="an ordinary value"),
        pytest.param(
            {"operator": ">", "number": 10, "limit_reported": 10},
            "value.above_limit;value.acute",
            id="right-censored at the threshold lies above it",
        ),
        pytest.param(
            {"operator": ">", "number": 9, "limit_reported": 9},
            "value.above_limit",
            id="right-censored below it",
        ),
        pytest.param(
            {"operator": "<", "number": 20, "limit_reported": 20},
            "value.below_limit",
            id="left-censored above it",
        ),
        pytest.param({"analyte": "il6", "unit_reported": "pg/mL", "number": 900}, "", id="no threshold"),
    ],
)
def test_flags_name_their_rules(row: dict[str, Any], flags: str) -> None:
    assert judged(row)["flags"] == flags


def test_order_of_rows_stays() -> None:
    given = measurement_rows(
        [{"number": float(n), "assay_id": a} for n, a in enumerate(["roche_crphs", None, "sim_crp_wide"])]
    )
    rows = with_censoring(with_conversions(given, shared_registry(), {}), shared_registry())
    assert rows["number"].to_list() == [0.0, 1.0, 2.0]
    assert rows.select(pl.col("assay_class").is_null())["assay_class"].to_list() == [False, True, False]
