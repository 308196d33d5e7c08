"""The masks of the gates: each rule finds exactly what breaks it, and nothing in clean tables."""

from __future__ import annotations

import math
from functools import partial

import polars as pl
import pytest

from ember.tables.contract import contract
from ember.validate.gate_rule import STAGES, Counts, GateRule
from ember.validate.gate_rules import screening
from ember.validate.gates import gate_frame, published
from ember.validate.tally import Tally
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


def by_hand(rows: pl.DataFrame, rule: GateRule) -> Counts:
    """Return what a rule about columns of the contract says, row by row."""
    checked = failed = 0
    for row in rows.to_dicts():
        if any(row[name] != value for name, value in rule.where):
            continue
        cell = row[rule.checked]
        missing = cell is None or cell != cell
        if rule.kind == "present":
            checked, failed = checked + 1, failed + missing
        elif not missing:
            low = -math.inf if rule.low is None else rule.low
            high = math.inf if rule.high is None else rule.high
            outside = cell not in rule.allowed if rule.kind == "one_of" else not low <= cell <= high
            checked, failed = checked + 1, failed + outside
    return Counts(checked, failed)


@pytest.mark.parametrize("slice_rows", [pytest.param(rows, id=f"{rows} rows a slice") for rows in (1, 2, 1000)])
@pytest.mark.parametrize("stage", STAGES)
def test_distinct_cells_give_the_counts_of_the_rows(stage: str, slice_rows: int) -> None:
    tables = dirty() if stage == "harmonised" else standard()
    sites = {"a": tables, "b": {name: pl.concat([frame, frame.head(1)]) for name, frame in tables.items()}}
    seen = 0
    for rules, found in parts(stage, sites, slice_rows=slice_rows):
        for rule in (rule for rule in rules if set(rule.columns) <= set(contract(rule.table).by_name)):
            expected = {site: by_hand(sites[site][rule.table], rule) for site in sites}
            assert {site: found[rule.rule].get(site, Counts()) for site in sites} == expected, rule.rule
            seen += any(number.failed for number in expected.values())
    assert seen > 5


@pytest.mark.parametrize("stage", STAGES)
def test_slices_and_sizes_of_tallies_change_nothing(stage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    tables = dirty() if stage == "harmonised" else standard()
    sites = {"a": tables, "b": tables}
    whole = counts(stage, sites)
    assert counts(stage, sites, slice_rows=1) == whole
    monkeypatch.setattr("ember.validate.gate_tables.Tally", partial(Tally, largest=1))  # judged at every other row
    assert counts(stage, sites, slice_rows=1) == whole


def test_screening_names_each_biomarker_once() -> None:
    assert screening(study()) == [("hscrp", "baseline")]


@pytest.mark.parametrize("stage", STAGES)
def test_rule_ids_are_unique(stage: str) -> None:
    tables = dirty() if stage == "harmonised" else standard()
    names = [rule.rule for rules, _ in parts(stage, {"a": tables}) for rule in rules]
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
    return gate_frame("harmonised", parts("harmonised", sites), sites)


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
