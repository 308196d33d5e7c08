"""Units in the names of columns."""

from __future__ import annotations

import pytest

from ember.registry.header_unit import contradicts, header_unit
from ember.registry.load import PROJECT
from ember.registry.registry import Registry, read_registry


@pytest.fixture(scope="module")
def registry() -> Registry:
    return read_registry(PROJECT / "config" / "registry")


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        pytest.param("CRP (mg/L)", "mg/L", id="brackets"),
        pytest.param("CRP [mg/dL]", "mg/dL", id="square brackets"),
        pytest.param("CRP (high sensitivity) (MG/DL)", "mg/dL", id="the last brackets"),
        pytest.param("CRP (mg/L), serum", "mg/L", id="words behind"),
        pytest.param("hsCRP mg/L", "mg/L", id="space"),
        pytest.param("hsCRP, mg/dl", "mg/dL", id="comma"),
        pytest.param("CRP mg L-1", "mg/L", id="exponent"),
        pytest.param("crp_mg_l", "mg/L", id="underscores"),
        pytest.param("crp_mg_dL", "mg/dL", id="underscores, capital"),
        pytest.param("crp_mg_per_l", "mg/L", id="per"),
        pytest.param("crp_mgl", "mg/L", id="without a mark"),
        pytest.param("IL6_pgml-1", "pg/mL", id="exponent without a mark"),
        pytest.param("IL6_pgml", "pg/mL", id="two parts"),
        pytest.param("crp.ug.ml", "ug/mL", id="points"),
        pytest.param("CRP (\u00b5g/mL)", "ug/mL", id="micro sign"),
        pytest.param("CRP (\u03bcg/mL)", "ug/mL", id="Greek mu"),
        pytest.param("WBC (10*9/L)", "10*9/L", id="counts"),
        pytest.param("ESR mm/h", "mm/h", id="rate"),
    ],
)
def test_states_a_unit(name: str, unit: str, registry: Registry) -> None:
    assert header_unit(name, registry) == unit


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("CRP", id="name alone"),
        pytest.param("CRP_V0", id="visit"),
        pytest.param("CRP_1", id="number"),
        pytest.param("PCR", id="another language"),
        pytest.param("CRP (baseline)", id="word in brackets"),
        pytest.param("LBXHSCRP", id="code"),
        pytest.param("il6_gl", id="two letters"),
        pytest.param("crp_mg", id="half a unit"),
        pytest.param("mg/L", id="nothing but a unit"),
        pytest.param("", id="empty"),
    ],
)
def test_states_none(name: str, registry: Registry) -> None:
    assert header_unit(name, registry) is None


@pytest.mark.parametrize(
    ("header", "declared", "analyte", "expected"),
    [
        pytest.param("mg/L", "mg/L", "hscrp", False, id="the same"),
        pytest.param("mg/L", "MG/L", "hscrp", False, id="another spelling"),
        pytest.param("ug/mL", "mg/L", "hscrp", False, id="its equal"),
        pytest.param("mg/dL", "mg/L", "hscrp", True, id="ten times as much"),
        pytest.param("mm/h", "mg/L", "hscrp", True, id="another dimension"),
        pytest.param("mg/dL", "none", "hscrp", False, id="what is declared is wrong in another way"),
    ],
)
def test_contradicts(header: str, declared: str, analyte: str, expected: bool, registry: Registry) -> None:
    assert contradicts(header, declared, analyte, registry) is expected
