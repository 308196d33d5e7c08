"""Bridging: values and limits by the published equation within its range, censored beyond it, with its error."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import polars as pl
import pyreadstat
import pytest

from ember.errors import EmberError
from ember.harmonise.bridging import Bridge, bridge_errors, declared_bridges, find_bridge, with_bridges
from ember.harmonise.detection_limits import with_limits
from ember.harmonise.fills import FILL_SCHEMA, with_fills
from ember.harmonise.limits import with_censoring, with_plausibility
from ember.harmonise.units import with_conversions
from ember.registry.model import BridgeUse, CodedColumn, LaboratoryMap, MeasurementMap, Site, Study, TableMap
from tests.real_data import real_file
from tests.unit.harmonise.harmonise_rows import FILE, measurement_rows, registry_with, shared_registry, study_with

SHOWN = f"resources/demo/{FILE}"
DXC, COBAS = "beckman_dxc_hscrp_nhanes_2015", "cobas_6000_hscrp_nhanes_2017"
TO_COBAS = {(SHOWN, "hscrp"): find_bridge(shared_registry(), "nhanes_dxc_to_cobas")}
TO_DXC = {(SHOWN, "hscrp"): find_bridge(shared_registry(), "nhanes_cobas_to_dxc")}
END = 0.8695 * 23 + 0.2954


def bridged(rows: list[dict[str, Any]], bridges: Mapping[tuple[str, str], Bridge]) -> pl.DataFrame:
    assay = next(iter(bridges.values())).from_assay if bridges else DXC
    filled = [{"assay_id": assay, "value_reported": str(row["number"]), **row} for row in rows]
    given = with_conversions(measurement_rows(filled), shared_registry(), {})
    limited = with_fills(with_limits(given, shared_registry(), {}), pl.DataFrame(schema=FILL_SCHEMA))
    return with_bridges(with_censoring(limited), bridges)


@pytest.mark.parametrize(
    ("row", "value", "censoring", "limit", "beyond"),
    [
        pytest.param({"number": 3.0}, 0.8695 * 3 + 0.2954, "none", None, False, id="a value"),
        pytest.param({"number": 23.0}, END, "none", None, False, id="the end of the range"),
        pytest.param({"number": 23.01}, END, "right", END, True, id="above the range"),
        pytest.param({"number": 188.5}, END, "right", END, True, id="far above the range"),
        pytest.param({"number": 0.08, "operator": "<"}, 0.391045, "left", 0.391045, False, id="a non-detect"),
        pytest.param(
            {"number": 0.3, "operator": "<", "limit_reported": 0.3}, 0.8695 * 0.3 + 0.2954, "left",
            0.8695 * 0.3 + 0.2954, False, id="its own limit",
        ),
        pytest.param(
            {"number": 20.0, "operator": ">", "limit_reported": 20.0}, 0.8695 * 20 + 0.2954, "right",
            0.8695 * 20 + 0.2954, False, id="above a limit within the range",
        ),
        pytest.param(
            {"number": 60.0, "operator": ">", "limit_reported": 60.0}, END, "right", END, True,
            id="above a limit beyond the range",
        ),
        pytest.param(
            {"number": 60.0, "operator": "<", "limit_reported": 60.0}, None, "left", None, True,
            id="below a limit beyond the range tells nothing",
        ),
        pytest.param({"number": 0.3, "unit_reported": "mg/dL"}, 0.8695 * 3 + 0.2954, "none", None, False, id="mg/dL"),
    ],
)  # fmt: skip
def test_the_equation_within_its_range(
    row: dict[str, Any], value: float | None, censoring: str, limit: float | None, beyond: bool
) -> None:
    result = bridged([row], TO_COBAS).row(0, named=True)
    assert result["value"] == (None if value is None else pytest.approx(value, rel=1e-15))
    assert result["limit"] == (None if limit is None else pytest.approx(limit, rel=1e-15))
    assert (result["censoring"], result["bridge_range"]) == (censoring, beyond)
    assert result["bridge_id"] == "nhanes_dxc_to_cobas"


@pytest.mark.parametrize(
    ("row", "value", "censoring"),
    [
        pytest.param({"number": 0.392}, 1.150 * 0.392 - 0.3397, "none", id="the lower end of the range"),
        pytest.param({"number": 0.391}, 1.150 * 0.392 - 0.3397, "left", id="below it, never a negative result"),
        pytest.param({"number": 0.1, "operator": "<"}, 1.150 * 0.392 - 0.3397, "left", id="a non-detect below it"),
        pytest.param({"number": 20.1}, 1.150 * 20 - 0.3397, "right", id="above the range"),
        pytest.param({"number": 0.3, "operator": ">", "limit_reported": 0.3}, None, "right", id="above a lower limit"),
    ],
)
def test_the_way_back_has_a_lower_end(row: dict[str, Any], value: float | None, censoring: str) -> None:
    result = bridged([row], TO_DXC).row(0, named=True)
    assert result["value"] == (None if value is None else pytest.approx(value, rel=1e-15))
    assert result["censoring"] == censoring


def test_the_published_equations_undo_each_other() -> None:
    there, back = TO_COBAS[SHOWN, "hscrp"], TO_DXC[SHOWN, "hscrp"]
    for value in np.linspace(0.2, 20, 50):
        assert back.slope * (there.slope * value + there.intercept) + back.intercept == pytest.approx(value, abs=2e-3)


def test_what_was_reported_stays_and_the_value_before_the_bridge_too() -> None:
    rows = bridged([{"number": 0.3, "unit_reported": "mg/dL"}, {"number": 40.0}], TO_COBAS)
    assert rows["value_unbridged"].to_list() == [3.0, 40.0]
    assert rows["value_reported"].to_list() == ["0.3", "40.0"]
    assert rows["unit_reported"].to_list() == ["mg/dL", "mg/L"]
    assert rows["conversion_id"].to_list() == ["hscrp:mg/dL:mg/L", "hscrp:mg/L:mg/L"]
    assert rows["platform"].to_list() == ["beckman_dxc"] * 2
    assert rows["detection_limit"].to_list() == [pytest.approx(0.391045)] * 2


def test_only_results_of_the_bridged_assay_and_file_are_bridged() -> None:
    rows = bridged(
        [{"number": 3.0}, {"number": 3.0, "assay_id": COBAS}, {"number": 3.0, "source_file": "b.csv"}], TO_COBAS
    )
    assert rows["bridge_id"].is_null().to_list() == [False, True, True]
    assert rows["value"].to_list()[1:] == [3.0, 3.0]
    assert rows["value_unbridged"].to_list()[1:] == [None, None]


def test_without_a_bridge_nothing_changes() -> None:
    rows = bridged([{"number": 3.0}, {"number": 0.08, "operator": "<"}], {})
    assert rows.select("value", "limit", "censoring", "bridge_id", "value_unbridged", "bridge_range").rows() == [
        (3.0, None, "none", None, None, False),
        (0.11, 0.11, "left", None, None, False),
    ]


def test_an_impossible_value_is_not_hidden_by_the_end_of_the_range() -> None:
    rows = with_plausibility(bridged([{"number": 600.0}, {"number": 40.0}], TO_COBAS), shared_registry())
    assert rows["impossible"].to_list() == [True, False]
    assert rows["acute"].to_list() == [True, True]


def test_acute_is_judged_on_the_bridged_scale() -> None:
    # 11 mg/L DxC is 9.86 mg/L Cobas.
    rows = with_plausibility(bridged([{"number": 11.0}, {"number": 12.0}], TO_COBAS), shared_registry())
    assert rows["acute"].to_list() == [False, True]


def test_the_error_of_a_bridge_is_carried_and_never_taken_for_zero() -> None:
    rows = bridged([{"number": 3.0}, {"number": 3.0, "assay_id": COBAS}], TO_COBAS)
    assert bridge_errors(rows, shared_registry()).to_list()[1] == 0.0
    assert math.isnan(bridge_errors(rows, shared_registry())[0])
    errors = {"slope_se": "0.1", "intercept_se": "0.4", "residual_sd": "1.2"}
    told = registry_with("bridges", "nhanes_dxc_to_cobas", **errors)
    assert bridge_errors(rows, told)[0] == pytest.approx(math.sqrt(0.3**2 + 0.4**2 + 1.2**2))


def test_a_site_declares_bridges_by_column_or_by_analyte() -> None:
    use = BridgeUse("nhanes_dxc_to_cobas")
    column = TableMap("porto", "PATID", measurements={"hscrp": MeasurementMap("PCR", "mg/L", bridge=use)})
    codes = CodedColumn("TEST", {"CRP": "hscrp"})
    laboratory = TableMap("porto", "PATID", laboratory=LaboratoryMap(codes, "RESULT", "mg/L", bridge={"hscrp": use}))
    study = cast(Study, SimpleNamespace(sources={"porto": SimpleNamespace(shown_path=SHOWN)}))
    for table in (column, laboratory):
        assert declared_bridges(study, Site("porto", "Porto", (table,)), shared_registry()) == TO_COBAS


def test_two_tables_over_one_file_must_agree() -> None:
    tables = tuple(
        TableMap("porto", "PATID", measurements={"hscrp": MeasurementMap("PCR", "mg/L", bridge=BridgeUse(name))})
        for name in ("nhanes_dxc_to_cobas", "nhanes_cobas_to_dxc")
    )
    with pytest.raises(EmberError, match="different bridges for hscrp"):
        declared_bridges(study_with(), Site("porto", "Porto", tables), shared_registry())


def test_a_bridge_without_a_row_is_refused() -> None:
    with pytest.raises(EmberError, match="'dxc' has no row"):
        find_bridge(shared_registry(), "dxc")


def test_nhanes_2015_on_the_scale_of_2017() -> None:
    data, _ = pyreadstat.read_xport(real_file("nhanes/HSCRP_I.XPT"))
    kept = data.dropna(subset=["LBXHSCRP"])
    number, below = kept["LBXHSCRP"].to_numpy(), (kept["LBDHRPLC"] == 1).to_numpy()
    cells = [{"number": float(value), "operator": "<" if low else ""} for value, low in zip(number, below, strict=True)]
    rows = bridged(cells, TO_COBAS)
    left, right, exact = (rows.filter(pl.col("censoring") == side) for side in ("left", "right", "none"))
    assert left.height == 1265
    assert left["limit"].unique().to_list() == [pytest.approx(0.391045)]
    assert right.height == int((number > 23).sum())
    assert right["limit"].unique().to_list() == [pytest.approx(END)]
    measured = ~below & (number <= 23)
    np.testing.assert_allclose(exact["value"].to_numpy(), 0.8695 * number[measured] + 0.2954, rtol=1e-15)
    np.testing.assert_array_equal(exact["value_unbridged"].to_numpy(), number[measured])
    # The equation moves people over the cut at 3 mg/L: 3.1105 mg/L DxC is 3 mg/L Cobas.
    assert int((exact["value"] > 3).sum()) + right.height == int((number > 2.7046 / 0.8695).sum())


def test_the_columns_of_a_share_do_not_depend_on_its_results() -> None:
    none = with_bridges(
        bridged([{"number": 3.0}], {}).head(0).drop("bridge_id", "value_unbridged", "bridge_range"), TO_COBAS
    )
    some = bridged([{"number": 3.0}], TO_COBAS)
    assert none.height == 0
    assert dict(none.schema) == dict(some.schema)
