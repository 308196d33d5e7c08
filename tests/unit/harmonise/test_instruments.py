"""Instruments: which answers carry points, when they make a score, and where every answer went."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ember.errors import EmberError
from ember.harmonise.instrument_rules import COMBINATIONS, instrument_rules
from ember.harmonise.instruments import Scored, score_instruments
from ember.registry.registry import Registry
from tests.real_data import real_file
from tests.unit.harmonise.harmonise_rows import answers_to, item_rows, registry_with, shared_registry

PHQ9 = {item: 1 for item in range(1, 10)}
HAMD17 = {item: 1 for item in range(1, 18)}
TWO_POINTS = {4, 5, 6, 12, 13, 14, 16, 17}
HAMD17_HIGHEST = {item: 2 if item in TWO_POINTS else 4 for item in range(1, 18)}
GIVEN = [row["instrument"] for row in shared_registry().rows("instruments") if row["scoring"] == "given"]
QIDS = {item: 0 for item in range(1, 17)}


def scored(rows: list[dict[str, Any]], registry: Registry | None = None) -> Scored:
    items = item_rows(rows)
    result = score_instruments(items, registry or shared_registry(), "porto", "harmonise_site")
    listed = result.ledger.filter((pl.col("action") != "flagged") & (pl.col("rule_id") != "score.incomplete"))
    # Every answer is in a score, in the ledger, or counted with a questionnaire that is not scored.
    assert items.height == result.n_collapsed + result.n_unscored + listed.height
    return result


def score_of(result: Scored, instrument: str | None = None) -> dict[str, Any]:
    scores = result.scores if instrument is None else result.scores.filter(pl.col("instrument") == instrument)
    assert scores.height == 1
    return scores.row(0, named=True)


def rules_of(result: Scored) -> list[str]:
    return result.ledger["rule_id"].to_list()


@pytest.mark.parametrize(
    ("instrument", "values", "expected"),
    [
        pytest.param("phq9", dict.fromkeys(range(1, 10), 0), 0, id="phq9 lowest"),
        pytest.param("phq9", dict.fromkeys(range(1, 10), 3), 27, id="phq9 highest"),
        pytest.param("hamd17", HAMD17 | {16: 0}, 16, id="hamd17"),
        pytest.param("hamd17", HAMD17_HIGHEST, 52, id="hamd17 highest"),
        pytest.param("madrs", dict.fromkeys(range(1, 11), 6), 60, id="madrs highest"),
        pytest.param("wsas_retired", dict.fromkeys(range(2, 6), 8), 32, id="items that start at number 2"),
        pytest.param("promis_d8a", dict.fromkeys(range(1, 9), 1), 8, id="items that start at 1 point"),
        pytest.param("qids_sr16", QIDS, 0, id="qids lowest"),
        pytest.param("qids_sr16", dict.fromkeys(QIDS, 3), 27, id="qids: nine domains of three points"),
        pytest.param("qids_sr16", QIDS | {1: 1, 2: 3, 3: 2, 4: 1}, 3, id="qids: the highest sleep item, not the sum"),
        pytest.param("qids_sr16", QIDS | {15: 2, 16: 1, 5: 1}, 3, id="qids: psychomotor and mood"),
        pytest.param("whoqol_bref_social", {20: 5, 21: 5, 22: 5}, 100, id="whoqol highest"),
        pytest.param("whoqol_bref_social", {20: 1, 21: 1, 22: 1}, 0, id="whoqol lowest"),
        pytest.param("whoqol_bref_social", {20: 3, 21: 3, 22: 4}, 700 / 12, id="whoqol between"),
        pytest.param("whoqol_bref_physical", {3: 1, 4: 1, 10: 5, 15: 5, 16: 5, 17: 5, 18: 5}, 100, id="reversed items"),
    ],
)
def test_scores_of_complete_questionnaires(instrument: str, values: dict[int, float], expected: float) -> None:
    row = score_of(scored(answers_to(instrument, values)), instrument)
    assert row["score"] == pytest.approx(expected, rel=1e-15)
    assert (row["origin"], row["n_items"], row["flags"]) == ("items", len(values), "")


def test_the_registry_totals_are_what_the_items_can_reach() -> None:
    for row in shared_registry().rows("instruments"):
        items = [i for i in shared_registry().rows("instrument_items") if i["instrument"] == row["instrument"]]
        for side, bound in (("low", "total_low"), ("high", "total_high")):
            reverse = {"low": "high", "high": "low"}[side]
            values = {int(i["item"]): float(i[f"item_{reverse if i['reverse'] == 'true' else side}"]) for i in items}
            if items and row[bound]:
                found = score_of(scored(answers_to(row["instrument"], values)), row["instrument"])
                assert found["score"] == float(row[bound])


@pytest.mark.parametrize(
    ("instrument", "values", "rule", "action"),
    [
        pytest.param("phq9", PHQ9 | {3: 7}, "item.missing_code", "excluded", id="refused"),
        pytest.param("phq9", PHQ9 | {3: 9}, "item.missing_code", "excluded", id="don't know"),
        pytest.param("phq9", PHQ9 | {3: 4}, "item.outside_range", "quarantined", id="above the range"),
        pytest.param("phq9", PHQ9 | {3: -1}, "item.outside_range", "quarantined", id="below the range"),
        pytest.param("phq9", PHQ9 | {3: 1.5}, "item.outside_range", "quarantined", id="between two codes"),
        pytest.param("phq9", PHQ9 | {3: float("nan")}, "item.outside_range", "quarantined", id="not a number"),
        pytest.param("hamd17", HAMD17 | {16: 3}, "item.no_points", "excluded", id="hamd17 item 16 not assessed"),
        pytest.param("hamd17", HAMD17 | {4: 3}, "item.outside_range", "quarantined", id="hamd17 item 4 has two points"),
    ],
)
def test_an_answer_without_points_leaves_and_the_rest_is_not_scored(
    instrument: str, values: dict[int, float], rule: str, action: str
) -> None:
    result = scored(answers_to(instrument, values))
    assert result.scores.height == 0
    assert rules_of(result) == ["score.incomplete", rule]
    assert result.ledger.filter(pl.col("rule_id") == rule)["action"].to_list() == [action]
    assert (result.n_unscored, result.n_collapsed) == (len(values) - 1, 0)


def test_an_unscored_questionnaire_is_listed_once_without_a_column() -> None:
    row = scored(answers_to("phq9", {1: 1, 2: 2})).ledger.row(0, named=True)
    assert (row["rule_id"], row["column"], row["message"]) == ("score.incomplete", None, "phq9: all 9 items answered")


def test_a_questionnaire_whose_every_answer_is_listed_adds_no_line() -> None:
    assert rules_of(scored(answers_to("phq9", dict.fromkeys(PHQ9, 7)))) == ["item.missing_code"] * 9


def test_an_item_that_is_not_scored_adds_nothing_and_is_not_needed() -> None:
    with_item_ten = score_of(scored(answers_to("phq9", PHQ9 | {10: 3})))
    assert with_item_ten["score"] == score_of(scored(answers_to("phq9", PHQ9)))["score"] == 9
    assert with_item_ten["n_items"] == 9
    refused = scored(answers_to("phq9", PHQ9 | {10: 7}))
    assert score_of(refused)["score"] == 9
    assert rules_of(refused) == ["item.missing_code"]


def test_items_that_are_not_scored_make_no_score_alone() -> None:
    result = scored(answers_to("phq9", {10: 1}))
    assert (result.scores.height, result.n_unscored, rules_of(result)) == (0, 1, ["score.incomplete"])


@pytest.mark.parametrize(
    ("missing", "score"),
    [
        pytest.param((7, 9), 9, id="one of each pair on appetite and weight"),
        pytest.param((2, 3, 4), 9, id="one sleep item left"),
        pytest.param((15, 16), None, id="a domain without answer"),
        pytest.param((5,), None, id="the only item of a domain"),
    ],
)
def test_qids_needs_an_answer_in_every_domain(missing: tuple[int, ...], score: int | None) -> None:
    result = scored(answers_to("qids_sr16", {item: 1 for item in QIDS if item not in missing}))
    assert [*result.scores["score"], None][0] == score


@pytest.mark.parametrize(
    ("values", "score"),
    [
        pytest.param({20: 5, 21: 1, 22: 3}, 50.0, id="none missing"),
        pytest.param({20: 5, 21: 4}, 87.5, id="one of three missing: the mean of the rest"),
        pytest.param({20: 5}, None, id="two of three missing"),
    ],
)
def test_a_domain_mean_may_miss_what_the_registry_allows(values: dict[int, float], score: float | None) -> None:
    result = scored(answers_to("whoqol_bref_social", values))
    assert [*result.scores["score"], None][0] == score


@pytest.mark.parametrize(
    ("answered", "score"),
    [
        pytest.param(9, 9.0, id="complete"),
        pytest.param(8, 9.0, id="one missing"),
        pytest.param(7, 9.0, id="two missing"),
        pytest.param(6, None, id="three missing"),
    ],
)
def test_prorating_is_the_person_mean_times_the_number_of_items(answered: int, score: float | None) -> None:
    registry = registry_with("instruments", "phq9", missing_rule="prorate", max_missing="2")
    result = scored(answers_to("phq9", {item: 1 for item in range(1, answered + 1)}), registry)
    assert [*result.scores["score"], None][0] == score


def test_prorated_scores_are_not_rounded() -> None:
    registry = registry_with("instruments", "phq9", missing_rule="prorate", max_missing="2")
    values = {item: 1 for item in range(1, 9)} | {1: 2}
    assert score_of(scored(answers_to("phq9", values), registry))["score"] == 81 / 8


@pytest.mark.parametrize(
    ("instrument", "total", "accepted"),
    [
        pytest.param("hamd17", 0, True, id="lowest"),
        pytest.param("hamd17", 52, True, id="highest"),
        pytest.param("hamd17", 53, False, id="above"),
        pytest.param("hamd17", -1, False, id="below"),
        pytest.param("eq5d5l_index", -0.224, True, id="a negative index"),
        pytest.param("promis_d8a_t", 38.2, True, id="a fraction"),
        pytest.param("hamd17", float("nan"), False, id="not a number"),
    ],
)
def test_a_total_must_be_possible(instrument: str, total: float, accepted: bool) -> None:
    result = scored(answers_to(instrument, {0: total}))
    assert result.scores["score"].to_list() == ([total] if accepted else [])
    assert rules_of(result) == ([] if accepted else ["score.outside_range"])
    assert result.scores["n_items"].to_list() == ([0] if accepted else [])


@pytest.mark.parametrize("instrument", [pytest.param("gaf", id="gaf"), pytest.param("sofas", id="sofas")])
def test_a_total_that_says_no_information_is_missing(instrument: str) -> None:
    result = scored(answers_to(instrument, {0: 0}))
    assert (result.scores.height, rules_of(result)) == (0, ["item.missing_code"])
    assert result.ledger["action"].to_list() == ["excluded"]


@pytest.mark.parametrize(
    ("total", "flags"),
    [pytest.param(9, "", id="agrees"), pytest.param(10, "score.total_disagrees", id="disagrees")],
)
def test_items_stand_before_a_total(total: float, flags: str) -> None:
    result = scored(answers_to("phq9", PHQ9 | {0: total}))
    row = score_of(result)
    assert (row["score"], row["origin"], row["flags"]) == (9.0, "items", flags)
    assert rules_of(result) == ([flags] if flags else [])
    assert result.n_collapsed == 10


def test_a_disagreement_is_listed_at_the_total() -> None:
    rows = answers_to("phq9", PHQ9) + answers_to("phq9", {0: 10}, row_number=40, source_file="porto/totals.csv")
    line = scored(rows).ledger.row(0, named=True)
    assert (line["source_file"], line["row_number"], line["column"]) == ("porto/totals.csv", 40, "phq9_0_baseline")


@pytest.mark.parametrize(
    ("total", "flags"),
    [
        pytest.param(58, "", id="rounded by the source"),
        pytest.param(57, "score.total_disagrees", id="more than half a point apart"),
    ],
)
def test_a_score_with_fractions_is_compared_to_half_a_point(total: float, flags: str) -> None:
    assert score_of(scored(answers_to("whoqol_bref_social", {20: 3, 21: 3, 22: 4, 0: total})))["flags"] == flags


def test_a_total_counts_where_items_make_no_score() -> None:
    result = scored(answers_to("phq9", {1: 1, 2: 1, 0: 12}))
    row = score_of(result)
    assert (row["score"], row["origin"], row["n_items"]) == (12.0, "total", 0)
    assert (result.n_collapsed, result.n_unscored) == (1, 2)
    assert result.ledger["message"].to_list() == ["phq9: all 9 items answered; the total given stands"]


def test_an_impossible_total_leaves_and_the_items_score() -> None:
    result = scored(answers_to("phq9", PHQ9 | {0: 99}))
    assert (score_of(result)["score"], rules_of(result)) == (9.0, ["score.outside_range"])


def test_equal_answers_of_two_tables_count_once() -> None:
    rows = answers_to("phq9", PHQ9) + answers_to("phq9", PHQ9, source_file="porto/second.csv")
    result = scored(rows)
    assert (score_of(result)["score"], result.n_collapsed, rules_of(result)) == (9.0, 18, [])


def test_contradicting_answers_of_two_tables_are_all_refused() -> None:
    rows = answers_to("phq9", PHQ9) + answers_to("phq9", PHQ9 | {4: 2}, source_file="porto/second.csv")
    result = scored(rows)
    assert result.scores.height == 0
    assert sorted(rules_of(result)) == ["score.incomplete", "value.conflict", "value.conflict"]


def test_questionnaires_keep_apart_and_stand_in_order_of_the_file() -> None:
    rows = [
        *answers_to("phq9", PHQ9, visit="week_4", row_number=2),
        *answers_to("phq9", PHQ9 | {1: 3}, visit="baseline", row_number=2),
        *answers_to("hamd17", HAMD17, visit="baseline", row_number=2),
        *answers_to("phq9", PHQ9, participant_id="a_first_by_name", row_number=3),
    ]
    scores = scored(rows).scores
    assert scores["instrument"].to_list() == ["hamd17", "phq9", "phq9", "phq9"]
    assert scores["visit"].to_list() == ["baseline", "week_4", "baseline", "baseline"]
    assert scores["score"].to_list() == [17.0, 9.0, 11.0, 9.0]
    assert scores["construct"].unique().to_list() == ["severity"]


def test_no_items_make_no_scores() -> None:
    result = scored([])
    assert (result.scores.height, result.ledger.height, result.n_collapsed, result.n_unscored) == (0, 0, 0, 0)


def test_an_item_without_a_row_is_refused() -> None:
    with pytest.raises(EmberError, match="Item 18 of hamd17 has no row"):
        scored(answers_to("hamd17", HAMD17 | {18: 1}))


def test_an_unknown_instrument_is_refused() -> None:
    with pytest.raises(EmberError, match="'phq11' has no row"):
        scored(answers_to("phq11", {1: 1}))


def test_a_rule_that_does_not_go_with_its_scoring_is_refused() -> None:
    registry = registry_with("instruments", "qids_sr16", missing_rule="prorate", max_missing="2")
    with pytest.raises(EmberError, match="scoring 'qids_domains' with the missing rule 'prorate'"):
        scored(answers_to("qids_sr16", QIDS), registry)


def test_every_shipped_instrument_has_a_rule() -> None:
    for row in shared_registry().rows("instruments"):
        assert (row["scoring"], row["missing_rule"]) in COMBINATIONS
        rule = instrument_rules(shared_registry(), row["instrument"])
        domains = {"qids_sr16": 9, "qids_c16": 9, "ids_sr30": 28, **dict.fromkeys(GIVEN, 0)}
        assert rule.required_parts == domains.get(row["instrument"], int(row["n_items"]))


def test_sums_of_real_questionnaires_equal_their_published_totals() -> None:
    table = pl.read_csv(real_file("phq9_items/PHQ9_data.csv"))
    rows = [
        {"instrument": "phq9", "item": item, "value": value, "participant_id": f"p{number}", "row_number": number + 2}
        for number, record in enumerate(table.iter_rows(named=True))
        for item, value in [*((i, record[f"Item{i}_num"]) for i in range(1, 10)), (0, record["SumScore"])]
    ]
    result = scored(rows)
    assert result.scores.height == table.height == 2177
    assert result.scores["score"].to_list() == [float(total) for total in table["SumScore"]]
    assert set(result.scores["flags"]) == {""}
