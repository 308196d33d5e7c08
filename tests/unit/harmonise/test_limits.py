"""Limits: censored values, numbers below the limit, impossible values, acute values, at and beside each boundary."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ember.harmonise.bridging import with_bridges
from ember.harmonise.detection_limits import with_limits
from ember.harmonise.fills import FILL_SCHEMA, with_fills
from ember.harmonise.limits import as_reported, flags, with_censoring, with_plausibility
from ember.harmonise.units import find_conversion, with_conversions
from ember.registry.registry import Registry
from tests.unit.harmonise.harmonise_rows import measurement_rows, registry_with, shared_registry

DXC, COBAS = "beckman_dxc_hscrp_nhanes_2015", "cobas_6000_hscrp_nhanes_2017"


def censored(row: dict[str, Any], registry: Registry | None = None) -> pl.DataFrame:
    registry = registry or shared_registry()
    rows = with_limits(with_conversions(measurement_rows([row]), registry, {}), registry, {})
    return with_censoring(with_fills(rows, pl.DataFrame(schema=FILL_SCHEMA)))


def judged(row: dict[str, Any], registry: Registry | None = None) -> dict[str, Any]:
    registry = registry or shared_registry()
    rows = with_plausibility(with_bridges(censored(row, registry), {}), registry)
    return rows.with_columns(flags(rows)).row(0, named=True)


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
            {"operator": "<", "number": 0.08, "assay_id": DXC},
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
            {"number": 0.11, "value_reported": "0.11", "assay_id": COBAS},
            "left",
            0.15,
            0.15,
            id="a number without a sign below the assay's limit",
        ),
        pytest.param(
            {"number": 0.15, "value_reported": "0.15", "assay_id": COBAS},
            "none",
            0.15,
            None,
            id="a number at the limit",
        ),
        pytest.param(
            {"number": 400.0, "value_reported": "400", "assay_id": "sim_crp_wide"},
            "none",
            400.0,
            None,
            id="a number above the measuring range stays: laboratories dilute",
        ),
    ],
)
def test_a_censored_value_is_its_limit(
    row: dict[str, Any], censoring: str, value: float | None, limit: float | None
) -> None:
    result = judged(row)
    assert (result["censoring"], result["value"], result["limit"]) == (censoring, value, limit)


@pytest.mark.parametrize(
    ("text", "number", "below"),
    [
        pytest.param("0.14", 0.14, True, id="0.145 at most"),
        pytest.param("0.149", 0.149, True, id="three decimals"),
        pytest.param("0.1", 0.1, True, id="0.15 at most, which rounds up"),
        pytest.param("0.10", 0.1, True, id="two decimals"),
        pytest.param("0,14", 0.14, True, id="decimal comma"),
        pytest.param("1.49E-01", 0.149, True, id="a computer's notation is exact"),
        pytest.param("0.15", 0.15, False, id="the limit itself"),
        pytest.param("0.2", 0.2, False, id="above the limit"),
        pytest.param("0.145", 0.145, True, id="0.1455 at most"),
        pytest.param("0", 0.0, False, id="a whole number of which nobody knows"),
    ],
)
def test_a_number_is_below_the_limit_only_however_it_was_rounded(text: str, number: float, below: bool) -> None:
    result = judged({"number": number, "value_reported": text, "assay_id": COBAS})
    assert result["unmarked"] is below
    assert (result["censoring"] == "left") is below


def test_a_coarse_number_just_below_a_limit_stays_a_number() -> None:
    # "0.1" may have been 0.149, and this assay measures from 0.11 on.
    result = judged({"number": 0.1, "value_reported": "0.1", "assay_id": DXC})
    assert (result["censoring"], result["value"]) == ("none", 0.1)


def test_rounding_is_judged_in_the_unit_of_the_source() -> None:
    # 0.02 mg/dL is the assay's limit of 0.2 mg/L; 0.01 mg/dL is 0.15 mg/L at most.
    below = {"assay_id": "sim_crp_wide", "unit_reported": "mg/dL"}
    assert judged({**below, "number": 0.01, "value_reported": "0.01"})["limit"] == 0.2
    assert judged({**below, "number": 0.02, "value_reported": "0.02"})["censoring"] == "none"


def test_the_number_of_the_laboratory_stays_for_the_evidence_about_units() -> None:
    rows = censored({"number": 0.05, "value_reported": "0.05", "assay_id": COBAS})
    assert rows["value"].to_list() == [0.15]
    assert as_reported(rows).select("value", "censoring").row(0) == (0.05, "none")
    marked = censored({"operator": "<", "number": 0.11, "assay_id": COBAS})
    assert as_reported(marked).select("value", "censoring").row(0) == (0.15, "left")


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
    assert result["limit"] == pytest.approx(float(40 * conversion.factor), rel=1e-15)


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


@pytest.mark.parametrize("number", [0.0, -9.0, 0.009])
def test_what_is_impossible_is_not_excused_by_a_limit(number: float) -> None:
    assert judged({"number": number, "value_reported": f"{number:.3f}", "assay_id": COBAS})["impossible"] is True


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
        pytest.param(
            {"number": 0.11, "value_reported": "0.11", "assay_id": COBAS},
            "value.below_limit;value.unmarked_below_limit",
            id="a number below the limit",
        ),
        pytest.param({"analyte": "il6", "unit_reported": "pg/mL", "number": 900}, "", id="no threshold"),
    ],
)
def test_flags_name_their_rules(row: dict[str, Any], flags: str) -> None:
    assert judged(row)["flags"] == flags


def test_no_rows_give_no_rows() -> None:
    empty = with_limits(with_conversions(measurement_rows([]), shared_registry(), {}), shared_registry(), {})
    rows = with_censoring(with_fills(empty, pl.DataFrame(schema=FILL_SCHEMA)))
    assert with_plausibility(with_bridges(rows, {}), shared_registry()).height == 0
