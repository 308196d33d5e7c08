"""The masks of the gates: each rule finds exactly what breaks it, and nothing in clean tables."""

from __future__ import annotations

import polars as pl
import pytest

from ember.validate.gate_rule import STAGES, Counts
from ember.validate.gate_rules import screening
from ember.validate.gate_tables import GateTable
from ember.validate.gates import failing, gate_frame, published, site_counts
from tests.unit.validate.dirty import clean, counts, dirty, parts, standard, study


def verdicts(stage: str, tables: dict[str, pl.DataFrame]) -> dict[str, tuple[int, int]]:
    found = counts(stage, {"a": tables})
    return {name: (by_site["a"].checked, by_site["a"].failed) for name, by_site in found.items()}


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
    part, rule = rule_of("measurements.value.hard_limits.hscrp", parts("harmonised", {"a": dirty()}))
    assert failing(part.frame, rule)["failed"].to_list() == [True, False, True] + [False] * 6


def rule_of(name: str, found: list[GateTable]):
    return next((part, rule) for part in found for rule in part.rules if rule.rule == name)


def test_screening_names_each_biomarker_once() -> None:
    assert screening(study()) == [("hscrp", "baseline")]


@pytest.mark.parametrize("stage", STAGES)
def test_rule_ids_are_unique(stage: str) -> None:
    tables = dirty() if stage == "harmonised" else standard()
    names = [rule.rule for part in parts(stage, {"a": tables}) for rule in part.rules]
    assert len(names) == len(set(names))


def test_counts_are_split_by_the_site_of_the_file() -> None:
    found = counts("harmonised", {"a": clean(), "b": dirty()})["participants.site_id.own"]
    assert found == {"a": Counts(1, 0), "b": Counts(5, 4)}


def test_a_participant_of_another_site_is_a_stranger() -> None:
    only_visits = {**clean(), "participants": clean()["participants"].clear()}
    found = counts("harmonised", {"a": clean(), "b": only_visits})["visits.participant_id.known"]
    assert found == {"a": Counts(1, 0), "b": Counts(1, 1)}


def test_a_key_that_two_sites_share_repeats_at_both() -> None:
    found = counts("harmonised", {"a": clean(), "b": clean()})["participants.key.unique"]
    assert found == {"a": Counts(1, 1), "b": Counts(1, 1)}


def verdict_frame(sites: dict[str, dict[str, pl.DataFrame]]) -> pl.DataFrame:
    checked = [(part.rules, site_counts(part.frame, part.rules)) for part in parts("harmonised", sites)]
    return gate_frame("harmonised", checked, sites)


def test_a_rule_about_rows_that_a_site_lacks_is_not_listed_there() -> None:
    frame = verdict_frame({"a": dirty(), "b": clean()})
    of_il6 = frame.filter(pl.col("rule") == "measurements.unit.canonical.il6")
    assert of_il6["site"].to_list() == ["a"]
    assert frame.filter(pl.col("rule") == "participants.survey_weight.range")["n_checked"].to_list() == [1, 0]


def test_no_site_no_rows() -> None:
    assert gate_frame("harmonised", [], []).is_empty()


def test_an_empty_table_that_must_have_rows_fails_completeness() -> None:
    empty = {name: frame.clear() for name, frame in clean().items()}
    frame = verdict_frame({"a": clean(), "b": empty})
    rows = frame.filter(pl.col("rule") == "participants.rows.present")
    assert rows.select("site", "category", "severity", "n_failed", "passed", "unit").rows() == [
        ("a", "completeness", "error", 0, True, "table"), ("b", "completeness", "error", 1, False, "table"),
    ]  # fmt: skip
    assert frame.filter((pl.col("site") == "b") & ~pl.col("passed")).height == 1


@pytest.mark.parametrize(
    ("failed", "share", "passed"),
    [
        pytest.param(0, None, True, id="none fails"),
        pytest.param(1, None, False, id="one fails"),
        pytest.param(29, 0.29, True, id="exactly the share"),
        pytest.param(30, 0.29, False, id="one more"),
        pytest.param(1, 0.0, False, id="none may"),
        pytest.param(100, 1.0, True, id="all may"),
    ],
)
def test_share_that_passes(failed: int, share: float | None, passed: bool) -> None:
    assert Counts(100, failed).passed(share) is passed


def test_nothing_checked_passes_any_share() -> None:
    assert Counts(0, 0).passed(0.0)


def test_only_rows_of_the_standard_tables_are_published_with_counts() -> None:
    frame = verdict_frame({"a": dirty()})
    raw = frame.filter(pl.col("unit") == "row").head(1).with_columns(pl.lit("raw").alias("stage"))
    shown = published(pl.concat([frame, raw]))
    assert shown.filter(pl.col("stage") == "raw")["n_checked"].to_list() == [None]
    assert shown.filter(pl.col("unit") == "table")["n_failed"].null_count() == 1
    kept = shown.filter((pl.col("unit") == "row") & (pl.col("stage") == "harmonised"))
    assert kept["n_checked"].null_count() == 0
    assert shown["passed"].to_list()[:-1] == frame["passed"].to_list()
