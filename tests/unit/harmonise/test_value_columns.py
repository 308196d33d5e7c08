from __future__ import annotations

from typing import Any

import pytest

from ember.errors import EmberError
from ember.harmonise.value_columns import ValueColumn, value_columns
from ember.registry.build import build_table
from tests.unit.harmonise.standard_study import VISITS, shared_registry

WIDE: dict[str, Any] = {"participant": "id", "visits": {"wide": {"V4": "week_4", "V0": "baseline"}}}
CRP = {"column": "PCR", "unit": {"column": "UNIT"}, "batch": "LOT", "below": {"column": "FLAG", "codes": ["1"]}}
SINGLE: dict[str, Any] = {"participant": "id", "visits": {"single": "baseline"}}


def columns_of(mapping: dict[str, Any], present: str) -> list[ValueColumn]:
    return value_columns(build_table("a", mapping), shared_registry(), VISITS, present.split())


def test_columns_beside_a_result_stand_once_or_at_each_visit() -> None:
    present = "PCR_V0 PCR_V4 UNIT LOT_V0 LOT_V4 FLAG_V0 FLAG_V4"
    found = columns_of({**WIDE, "measurements": {"hscrp": CRP}}, present)
    assert [(c.column, c.visit, c.unit_column, c.batch, c.flag) for c in found] == [
        ("PCR_V4", "week_4", "UNIT", "LOT_V4", "FLAG_V4"),
        ("PCR_V0", "baseline", "UNIT", "LOT_V0", "FLAG_V0"),
    ]


def test_measured_visits_limit_the_columns_of_a_wide_table() -> None:
    found = columns_of({**WIDE, "measurements": {"hscrp": {**CRP, "visits": ["baseline"]}}}, "PCR_V0 UNIT LOT FLAG")
    assert [(c.column, c.visit) for c in found] == [("PCR_V0", "baseline")]


@pytest.mark.parametrize(
    ("present", "expected"),
    [
        pytest.param("MED_V0 MED_V4", [("MED_V4", "week_4"), ("MED_V0", "baseline")], id="at each visit"),
        pytest.param("MED", [("MED", "baseline")], id="once: at the first planned visit"),
    ],
)
def test_treatments_of_a_wide_table(present: str, expected: list[tuple[str, str]]) -> None:
    found = columns_of({**WIDE, "treatments": {"name": "MED", "role": "background"}}, present)
    assert [(c.column, c.visit) for c in found] == expected


def test_missing_codes_of_table_and_column_add_up() -> None:
    mapping = {**SINGLE, "missing": ["-9"], "columns": {"age": {"column": "AGE", "missing": ["999"]}}}
    assert columns_of(mapping, "AGE")[0].missing == ("-9", "999")


LABORATORY = {"analyte": {"column": "test", "codes": {"CRP": "hscrp"}}, "value": "result", "unit": "mg/L"}


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        pytest.param({**WIDE, "laboratory": LABORATORY}, "no visits in its column names", id="wide laboratory table"),
        pytest.param(
            {**SINGLE, "laboratory": LABORATORY, "instruments": {"phq9": {"total": "t"}}},
            "repeat the other values",
            id="questionnaire on laboratory rows",
        ),
        pytest.param(
            {"participant": "id", "visits": {"date": {"column": "d", "date": "%Y"}}},
            "know its visit",
            id="date of no visit",
        ),
        pytest.param({**SINGLE, "laboratory": LABORATORY}, "names test", id="no column of test names"),
        pytest.param({**WIDE, "measurements": {"hscrp": CRP}}, "names PCR_V4", id="a visit's column is absent"),
    ],
)
def test_refuses(mapping: dict[str, Any], message: str) -> None:
    with pytest.raises(EmberError, match=message):
        columns_of(mapping, "PCR_V0 result t d")
