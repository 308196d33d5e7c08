"""The masks of the gates: each rule finds exactly what breaks it, and nothing in clean tables."""

from __future__ import annotations

import polars as pl
import pytest

from ember.validate.gate_rules import STAGES, screening
from ember.validate.gates import Counts, failing, gate_frame, gate_tables, site_counts
from tests.unit.validate.dirty import clean, dirty, registry, standard, study


def verdicts(stage: str, tables: dict[str, pl.DataFrame]) -> dict[str, tuple[int, int]]:
    parts = gate_tables(stage, {"a": tables}, study(), registry())
    found = {rule.rule: site_counts(part.frame, rule)["a"] for part in parts for rule in part.rules}
    return {name: (number.checked, number.failed) for name, number in found.items()}


def test_clean_tables_fail_nothing() -> None:
    assert {rule: failed for rule, (_, failed) in verdicts("harmonised", clean()).items() if failed} == {}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param("participants.key.unique", (5, 2), id="key twice"),
        pytest.param("participants.participant_id.present", (5, 1), id="required and missing"),
        pytest.param("participants.site_id.own", (5, 1), id="row of another site"),
        pytest.param("participants.sex.allowed", (3, 1), id="outside the allowed set"),
        pytest.param("participants.arm.allowed", (2, 1), id="not a treatment"),
        pytest.param("participants.age.range", (5, 2), id="range, both ends allowed"),
        pytest.param("participants.bmi.range", (3, 1), id="nan is missing"),
        pytest.param("participants.survey_weight.range", (1, 1), id="negative weight"),
        pytest.param("participants.has_hscrp.baseline", (5, 2), id="completeness, one without value, one without id"),
        pytest.param("visits.participant_id.known", (4, 1), id="not in the roster"),
        pytest.param("visits.visit.allowed", (4, 1), id="not a visit of the study"),
        pytest.param("visits.key.unique", (4, 2), id="visit twice"),
        pytest.param("visits.study_day.window.baseline", (1, 1), id="outside its window"),
        pytest.param("visits.study_day.window.week_12", (1, 0), id="first day of the window, one without a day"),
        pytest.param("measurements.key.unique", (9, 2), id="row id twice"),
        pytest.param("measurements.value.hard_limits.hscrp", (3, 2), id="hard limits of uncensored values"),
        pytest.param("measurements.value.hard_limits.il6", (1, 1), id="limits by analyte"),
        pytest.param("measurements.unit.canonical.hscrp", (7, 1), id="unit"),
        pytest.param("measurements.unit.canonical.il6", (1, 0), id="unit by analyte"),
        pytest.param("measurements.specimen.allowed.hscrp", (6, 1), id="specimen"),
        pytest.param("measurements.assay_id.allowed", (8, 1), id="assay"),
        pytest.param("measurements.analyte.allowed", (9, 1), id="analyte"),
        pytest.param("measurements.limit.present.left", (2, 1), id="censored without limit"),
        pytest.param("measurements.limit.present.right", (0, 0), id="nothing to check"),
        pytest.param("measurements.value.present", (9, 2), id="no canonical value"),
        pytest.param("measurements.participant_id.known", (9, 1), id="result of a stranger"),
        pytest.param("scores.score.range.hamd17", (2, 1), id="total above the instrument's"),
        pytest.param("scores.score.range.madrs", (1, 1), id="total below the instrument's"),
        pytest.param("scores.construct.allowed.hamd17", (2, 1), id="construct"),
        pytest.param("scores.instrument.allowed", (4, 1), id="instrument"),
    ],
)
def test_each_rule_counts_what_breaks_it(rule: str, expected: tuple[int, int]) -> None:
    assert verdicts("harmonised", dirty())[rule] == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        pytest.param("standard_items.item.range.hamd17", (3, 1), id="item that the instrument lacks"),
        pytest.param("standard_items.item.range.hamd21", (2, 1), id="instrument given as a total"),
        pytest.param("standard_items.key.unique", (5, 2), id="cell twice"),
        pytest.param("standard_measurements.number.present", (3, 1), id="no number"),
        pytest.param("standard_measurements.operator.allowed", (3, 1), id="unknown sign, empty one allowed"),
        pytest.param("standard_measurements.participant_id.known", (3, 1), id="stranger"),
        pytest.param("standard_measurements.key.unique", (3, 2), id="cell twice, results"),
    ],
)
def test_standardised(rule: str, expected: tuple[int, int]) -> None:
    assert verdicts("standardised", standard())[rule] == expected


def test_masks_point_at_the_rows() -> None:
    part = gate_tables("harmonised", {"a": dirty()}, study(), registry())[2]
    rule = next(rule for rule in part.rules if rule.rule == "measurements.value.hard_limits.hscrp")
    assert failing(part.frame, rule)["failed"].to_list() == [True, False, True] + [False] * 6


def test_screening_names_each_biomarker_once() -> None:
    assert screening(study()) == [("hscrp", "baseline")]


@pytest.mark.parametrize("stage", STAGES)
def test_rule_ids_are_unique(stage: str) -> None:
    tables = dirty() if stage == "harmonised" else standard()
    names = [rule.rule for part in gate_tables(stage, {"a": tables}, study(), registry()) for rule in part.rules]
    assert len(names) == len(set(names))


def test_counts_are_split_by_the_site_of_the_file() -> None:
    parts = gate_tables("harmonised", {"a": clean(), "b": dirty()}, study(), registry())
    rule = next(rule for rule in parts[0].rules if rule.rule == "participants.site_id.own")
    assert site_counts(parts[0].frame, rule) == {"a": Counts(1, 0), "b": Counts(5, 4)}


def test_a_participant_of_another_site_is_a_stranger() -> None:
    only_visits = {**clean(), "participants": clean()["participants"].clear()}
    parts = gate_tables("harmonised", {"a": clean(), "b": only_visits}, study(), registry())
    rule = next(rule for rule in parts[1].rules if rule.rule == "visits.participant_id.known")
    assert site_counts(parts[1].frame, rule) == {"a": Counts(1, 0), "b": Counts(1, 1)}


def test_the_table_of_verdicts_names_each_site() -> None:
    parts = gate_tables("harmonised", {"a": dirty(), "b": clean()}, study(), registry())
    frame = gate_frame([(part, {rule.rule: {"a": Counts(7, 2)} for rule in part.rules}) for part in parts], ["b", "a"])
    assert frame["site"].unique(maintain_order=True).to_list() == ["b", "a"]
    assert frame.filter(pl.col("site") == "a").select("n_checked", "n_failed", "passed").unique().rows() == [
        (7, 2, False)
    ]
    assert frame.filter(pl.col("site") == "b").select("n_checked", "n_failed", "passed").unique().rows() == [
        (0, 0, True)
    ]
    assert gate_frame([], ["a"]).is_empty()


def test_a_rule_about_rows_that_a_site_lacks_is_not_listed_there() -> None:
    parts = gate_tables("harmonised", {"a": dirty(), "b": clean()}, study(), registry())
    frame = gate_frame([(part, {r.rule: site_counts(part.frame, r) for r in part.rules}) for part in parts], ["a", "b"])
    of_il6 = frame.filter(pl.col("rule") == "measurements.unit.canonical.il6")
    assert of_il6["site"].to_list() == ["a"]
    assert frame.filter(pl.col("rule") == "participants.survey_weight.range")["n_checked"].to_list() == [1, 0]


def test_no_site_no_rows() -> None:
    assert gate_frame([(part, {}) for part in gate_tables("harmonised", {}, study(), registry())], []).is_empty()
