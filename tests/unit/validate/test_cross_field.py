"""Rules about several columns, rows and tables: who is compared with whom, and who is not."""

from __future__ import annotations

from typing import Any

import pytest

from ember.tables.contract import contract
from ember.validate.cross_field import needed_columns, rows_of
from ember.validate.gate_rule import Counts
from tests.unit.validate.dirty import clean, counts, measurement, participant, registry, score, table

CELLS = {"specimen": "blood", "assay_id": None, "unit": "10*9/L"}


def cell(row_id: int, analyte: str, value: float | None, **more: Any) -> dict[str, Any]:
    return measurement("p1", row_id, analyte=analyte, value=value, **CELLS, **more)


@pytest.mark.parametrize(
    ("results", "rule", "expected"),
    [
        pytest.param([("neutrophils", 4.0), ("wbc", 6.0)], "neutrophils_within_wbc", (1, 0), id="a part"),
        pytest.param([("neutrophils", 6.0), ("wbc", 6.0)], "neutrophils_within_wbc", (1, 0), id="all of them"),
        pytest.param([("neutrophils", 6.1), ("wbc", 6.0)], "neutrophils_within_wbc", (1, 0), id="rounding"),
        pytest.param([("neutrophils", 6.2), ("wbc", 6.0)], "neutrophils_within_wbc", (1, 1), id="more than all"),
        pytest.param([("wbc", 6.0), ("lymphocytes", 7.0)], "lymphocytes_within_wbc", (1, 1), id="order of rows"),
        pytest.param(
            [("neutrophils", 4.0), ("lymphocytes", 2.0), ("monocytes", 0.4), ("wbc", 6.0)],
            "differential_within_wbc", (1, 1), id="parts together",
        ),
        pytest.param(
            [("neutrophils", 4.0), ("lymphocytes", 2.0), ("monocytes", 0.3), ("wbc", 6.0)],
            "differential_within_wbc", (1, 0), id="parts together, rounding",
        ),
        pytest.param([("neutrophils", 9.0), ("wbc", None)], "neutrophils_within_wbc", (0, 0), id="no value"),
        pytest.param([("neutrophils", 9.0), ("wbc", 6.0), ("wbc", 9.5)], "neutrophils_within_wbc", (0, 0), id="two"),
    ],
)  # fmt: skip
def test_blood_count(results: list[tuple[str, float | None]], rule: str, expected: tuple[int, int]) -> None:
    rows = [cell(number, name, value) for number, (name, value) in enumerate(results, 1)]
    found = counts("harmonised", {"a": {**clean(), "measurements": table("measurements", rows)}})
    assert (found[f"measurements.{rule}"]["a"].checked, found[f"measurements.{rule}"]["a"].failed) == expected


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"visit": "week_12"}, id="visit"),
        pytest.param({"replicate": 2}, id="replicate"),
        pytest.param({"participant_id": "p2"}, id="participant"),
        pytest.param({"censoring": "right"}, id="censored"),
    ],
)
def test_results_of_another_sample_are_not_compared(other: dict[str, Any]) -> None:
    rows = [cell(1, "neutrophils", 9.0), {**cell(2, "wbc", 6.0), **other}]
    found = counts("harmonised", {"a": {**clean(), "measurements": table("measurements", rows)}})
    assert found["measurements.neutrophils_within_wbc"]["a"].checked == 0


def test_no_rule_about_an_analyte_that_nobody_measured() -> None:
    assert not [rule for rule in counts("harmonised", {"a": clean()}) if rule.endswith("_within_wbc")]


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        pytest.param([("baseline", 0), ("week_12", 84)], (1, 0), id="in order"),
        pytest.param([("week_12", 84), ("baseline", 0)], (1, 0), id="order of rows"),
        pytest.param([("baseline", 90), ("week_12", 84)], (1, 1), id="baseline after follow-up"),
        pytest.param([("baseline", 84), ("week_12", 84)], (1, 0), id="the same day"),
        pytest.param([("baseline", None), ("week_12", 84)], (0, 0), id="no day"),
        pytest.param([("week_12", 84)], (0, 0), id="no earlier visit"),
        pytest.param([("week_99", 90), ("week_12", 84)], (0, 0), id="unknown visit"),
    ],
)
def test_order_of_visits(days: list[tuple[str, int | None]], expected: tuple[int, int]) -> None:
    rows = [{**participant("a", "p1"), "visit": visit, "study_day": day} for visit, day in days]
    found = counts("harmonised", {"a": {**clean(), "visits": table("visits", rows)}})["visits.visit_order"]["a"]
    assert (found.checked, found.failed) == expected


@pytest.mark.parametrize(
    ("death", "expected"),
    [
        pytest.param(None, (0, 0), id="not known"),
        pytest.param(10, (1, 0), id="later"),
        pytest.param(0, (1, 0), id="the same day"),
        pytest.param(-1, (1, 1), id="earlier"),
    ],
)
def test_no_visit_after_death(death: int | None, expected: tuple[int, int]) -> None:
    if "death_day" not in contract("participants").by_name:
        pytest.skip("the contract has no day of death")
    people = table("participants", [participant("a", "p1", death_day=death)])
    found = counts("harmonised", {"a": {**clean(), "participants": people}})["visits.visit_before_death"]["a"]
    assert (found.checked, found.failed) == expected


def test_a_rule_about_a_column_that_no_contract_has_is_not_made() -> None:
    named = {row["right"] for row in rows_of("visits", registry()) if row["kind"] == "participant"}
    assert named <= set(contract("participants").by_name)


def test_a_result_of_a_visit_that_did_not_take_place() -> None:
    rows = [measurement("p1", 1), measurement("p1", 2, visit="week_12"), measurement(None, 3)]
    found = counts("harmonised", {"a": {**clean(), "measurements": table("measurements", rows)}})
    assert (found["measurements.visit_known"]["a"].checked, found["measurements.visit_known"]["a"].failed) == (3, 2)


@pytest.mark.parametrize(
    ("flags", "failed"),
    [
        pytest.param("", 0, id="none"),
        pytest.param("score.total_disagrees", 1, id="alone"),
        pytest.param("other;score.total_disagrees", 1, id="among others"),
        pytest.param("score.total_disagrees_not", 0, id="longer name"),
    ],
)
def test_flag_of_a_total(flags: str, failed: int) -> None:
    found = counts("harmonised", {"a": {**clean(), "scores": table("scores", [score("p1", flags=flags)])}})
    assert (found["scores.total_agrees"]["a"].checked, found["scores.total_agrees"]["a"].failed) == (1, failed)


@pytest.mark.parametrize("name", ["visits", "measurements", "scores", "standard_items", "standard_measurements"])
def test_rules_look_at_columns_of_their_contract(name: str) -> None:
    assert set(needed_columns(name, registry())) <= set(contract(name).by_name)


def test_an_empty_table_has_nothing_to_compare() -> None:
    empty = {key: frame.clear() if key != "participants" else frame for key, frame in clean().items()}
    found = counts("harmonised", {"a": empty})
    assert found["visits.visit_order"] == found["scores.total_agrees"] == {"a": Counts()}
