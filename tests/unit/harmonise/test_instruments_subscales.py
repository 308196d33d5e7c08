"""Subscales: one set of answers, several scores; totals held against them; shares add up."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ember.errors import EmberError
from ember.harmonise.crosswalks import Choices
from ember.harmonise.instruments import Scored, score_instruments
from tests.unit.harmonise.harmonise_rows import answers_to, item_rows, registry_with, shared_registry

MFI = dict.fromkeys(range(1, 21), 1)
CTQ = dict.fromkeys(range(1, 29), 1)
WHOQOL = dict.fromkeys(range(1, 27), 3)


def scored(rows: list[dict[str, Any]], choices: Choices | None = None) -> Scored:
    items = item_rows(rows)
    result = score_instruments(items, shared_registry(), "porto", "harmonise_site", choices or Choices())
    listed = result.ledger.filter((pl.col("action") != "flagged") & (pl.col("rule_id") != "score.incomplete"))
    assert items.height == result.n_collapsed + result.n_unscored + listed.height
    return result


def points(result: Scored) -> dict[str, float]:
    return dict(result.scores.select("instrument", "score").iter_rows())


def rules_of(result: Scored) -> list[str]:
    return result.ledger["rule_id"].to_list()


@pytest.mark.parametrize(
    ("instrument", "values", "expected"),
    [
        pytest.param(
            "mfi20",
            MFI,
            {"mfi20": 60, "mfi20_general_fatigue": 12, "mfi20_physical_fatigue": 12, "mfi20_reduced_activity": 12,
             "mfi20_reduced_motivation": 12, "mfi20_mental_fatigue": 12},
            id="mfi: ten of twenty items reversed, two in each subscale",
        ),
        pytest.param(
            "ctq_sf",
            CTQ,
            {"ctq_sf": 18 + 7 * 5, "ctq_sf_emotional_abuse": 5, "ctq_sf_physical_abuse": 5, "ctq_sf_sexual_abuse": 5,
             "ctq_sf_emotional_neglect": 25, "ctq_sf_physical_neglect": 13},
            id="ctq: all of emotional and two of physical neglect reversed",
        ),
        pytest.param(
            "ctq_sf",
            CTQ | {10: 5, 16: 5, 22: 5},
            {"ctq_sf": 53, "ctq_sf_emotional_abuse": 5, "ctq_sf_physical_abuse": 5, "ctq_sf_sexual_abuse": 5,
             "ctq_sf_emotional_neglect": 25, "ctq_sf_physical_neglect": 13},
            id="ctq: minimisation adds nothing",
        ),
        pytest.param(
            "sds", {1: 10, 2: 3, 3: 0}, {"sds": 13, "sds_work": 10, "sds_social": 3, "sds_family": 0}, id="sds"
        ),
        pytest.param(
            "whoqol_bref",
            WHOQOL | {3: 1, 4: 1, 26: 5},
            {"whoqol_bref_physical": 50 + 100 / 7, "whoqol_bref_psychological": 50 - 100 / 12,
             "whoqol_bref_social": 50.0, "whoqol_bref_environment": 50.0},
            id="whoqol: four domains and no total",
        ),
        pytest.param(
            "qlesq_sf", dict.fromkeys(range(1, 17), 5) | {1: 1}, {"qlesq_sf": 66, "qlesq_sf_percent": 100 * 52 / 56},
            id="q-les-q: items 15 and 16 add nothing",
        ),
        pytest.param(
            "promis_d8a", dict.fromkeys(range(1, 9), 3), {"promis_d8a": 24, "promis_d8a_t": 62.1}, id="promis: T of raw"
        ),
    ],
)  # fmt: skip
def test_one_set_of_answers_makes_all_scores(
    instrument: str, values: dict[int, float], expected: dict[str, float]
) -> None:
    result = scored(answers_to(instrument, values))
    assert points(result) == {name: pytest.approx(score, rel=1e-14) for name, score in expected.items()}
    assert set(result.scores["origin"]) == {"items"}
    assert (result.n_unscored, rules_of(result)) == (0, [])


def test_a_missing_item_costs_its_subscale_and_the_total() -> None:
    result = scored(answers_to("mfi20", {item: 1 for item in MFI if item != 7}))
    assert set(points(result)) == {name for name in points(scored(answers_to("mfi20", MFI)))} - {
        "mfi20",
        "mfi20_mental_fatigue",
    }
    assert rules_of(result) == ["score.incomplete", "score.incomplete"]
    assert result.n_unscored == 0


@pytest.mark.parametrize(
    ("missing", "domains", "told"),
    [
        pytest.param((20,), {"physical", "psychological", "social", "environment"}, 0, id="one of the social items"),
        pytest.param((20, 21), {"physical", "psychological", "environment"}, 1, id="two of the social items"),
        pytest.param((3, 4, 20, 5, 6), {"physical", "psychological", "social", "environment"}, 0, id="five of all"),
        pytest.param((3, 4, 20, 5, 6, 8), set(), 1, id="six of all: the assessment is discarded"),
        pytest.param((1, 2, 3, 5, 8, 20), set(), 1, id="the two general items count among the 26"),
    ],
)
def test_whoqol_rules_for_missing_items(missing: tuple[int, ...], domains: set[str], told: int) -> None:
    result = scored(answers_to("whoqol_bref", {item: 3 for item in WHOQOL if item not in missing}))
    assert set(points(result)) == {f"whoqol_bref_{name}" for name in domains}
    assert rules_of(result) == ["score.incomplete"] * told
    assert result.n_unscored == (0 if domains else 26 - len(missing))


def test_a_discarded_assessment_is_named_once_with_its_rule() -> None:
    result = scored(answers_to("whoqol_bref", {1: 3, 2: 3}))
    assert result.ledger["message"].to_list() == ["whoqol_bref: at most 5 of 26 items missing"]


@pytest.mark.parametrize(
    ("given", "flagged"),
    [
        pytest.param({"mfi20": 60, "mfi20_mental_fatigue": 12}, [], id="both agree"),
        pytest.param({"mfi20": 20}, ["mfi20"], id="the total was made without reversing"),
        pytest.param({"mfi20_mental_fatigue": 8}, ["mfi20_mental_fatigue"], id="a subscale differs"),
        pytest.param({"mfi20": 61, "mfi20_mental_fatigue": 13}, ["mfi20", "mfi20_mental_fatigue"], id="both differ"),
    ],
)
def test_totals_given_are_held_against_reversed_items(given: dict[str, float], flagged: list[str]) -> None:
    totals = [row for name, total in given.items() for row in answers_to(name, {0: total})]
    result = scored([*answers_to("mfi20", MFI), *totals])
    disagreeing = result.scores.filter(pl.col("flags") == "score.total_disagrees")["instrument"].to_list()
    assert sorted(disagreeing) == flagged
    assert rules_of(result) == ["score.total_disagrees"] * len(flagged)


def test_a_subscale_s_total_stands_where_its_items_are_missing() -> None:
    rows = [*answers_to("mfi20", {item: 1 for item in MFI if item != 7}), *answers_to("mfi20_mental_fatigue", {0: 15})]
    result = scored(rows)
    row = result.scores.filter(pl.col("instrument") == "mfi20_mental_fatigue").row(0, named=True)
    assert (row["score"], row["origin"]) == (15.0, "total")
    assert "mfi20_mental_fatigue: all 4 items answered; the total given stands" in result.ledger["message"].to_list()


@pytest.mark.parametrize(
    ("answered", "total", "flags"),
    [
        pytest.param(8, 9, "", id="prorated: agrees"),
        pytest.param(8, 9.5, "", id="prorated: half a point apart, rounded by the source"),
        pytest.param(8, 10, "score.total_disagrees", id="prorated: a point apart"),
        pytest.param(8, 8, "score.total_disagrees", id="prorated: the source added what was there"),
        pytest.param(9, 9.5, "score.total_disagrees", id="complete: compared exactly"),
    ],
)
def test_totals_are_held_against_prorated_scores(answered: int, total: float, flags: str) -> None:
    registry = registry_with("instruments", "phq9", missing_rule="prorate", max_missing="2")
    rows = answers_to("phq9", dict.fromkeys(range(1, answered + 1), 1) | {0: total})
    result = score_instruments(item_rows(rows), registry, "porto", "harmonise_site")
    assert result.scores["flags"].to_list() == [flags]


@pytest.mark.parametrize(
    ("answers", "score"),
    [
        pytest.param({11: 2, 12: 1}, 2, id="both on appetite: the highest"),
        pytest.param({11: 2}, 2, id="one on appetite"),
        pytest.param({}, None, id="none on appetite"),
    ],
)
def test_ids_counts_28_of_30_items(answers: dict[int, int], score: float | None) -> None:
    rest = dict.fromkeys([*range(1, 11), 13, *range(15, 31)], 0)
    assert points(scored(answers_to("ids_sr30", rest | answers))).get("ids_sr30") == score


@pytest.mark.parametrize(
    ("instrument", "total"),
    [pytest.param("shaps_binary", 14, id="0 to 14"), pytest.param("shaps_ordinal", 14, id="14 to 56")],
)
def test_fourteen_is_possible_in_both_scorings_of_the_shaps(instrument: str, total: float) -> None:
    assert points(scored(answers_to(instrument, {0: total}))) == {instrument: total}


def test_the_value_set_stands_beside_the_index() -> None:
    rows = [*answers_to("eq5d5l_index", {0: 0.8}), *answers_to("eq_vas", {0: 70})]
    result = scored(rows, Choices(value_sets={"eq5d5l_index": "germany_ludwig_2018"}))
    assert dict(result.scores.select("instrument", "version").iter_rows()) == {
        "eq5d5l_index": "germany_ludwig_2018",
        "eq_vas": None,
    }


def test_items_of_a_questionnaire_and_of_its_subscale_are_refused() -> None:
    with pytest.raises(EmberError, match="its items are mapped a second time"):
        scored([*answers_to("sds", {1: 1, 2: 1, 3: 1}), *answers_to("sds_work", {1: 1})])


def test_a_total_of_a_questionnaire_without_one_is_refused_cell_by_cell() -> None:
    assert rules_of(scored(answers_to("whoqol_bref", {0: 50}))) == ["score.outside_range"]


def test_shares_of_participants_add_up() -> None:
    rows = [
        row
        for number, person in enumerate(("p3", "p1", "p2"))
        for row in [
            *answers_to("mfi20", MFI, participant_id=person, row_number=number + 2),
            *answers_to("whoqol_bref", WHOQOL if number else {1: 3}, participant_id=person, row_number=number + 2),
            *answers_to("hamd17", {0: 10 + number}, participant_id=person, row_number=number + 2),
        ]
    ]
    whole = scored(rows)
    parts = [scored([row for row in rows if row["participant_id"] == person]) for person in ("p3", "p1", "p2")]
    assert whole.scores.equals(pl.concat(part.scores for part in parts))
    assert whole.ledger.equals(pl.concat(part.ledger for part in parts))
    assert whole.n_collapsed == sum(part.n_collapsed for part in parts)
    assert whole.n_unscored == sum(part.n_unscored for part in parts) == 1


def test_coded_texts_are_scored_like_plain_ones() -> None:
    rows = [*answers_to("phq9", dict.fromkeys(range(1, 10), 1) | {0: 8}), *answers_to("hamd17", {0: 20, 1: 9})]
    plain = item_rows(rows)
    texts = ["site_id", "participant_id", "visit", "instrument", "source_file", "sheet", "column"]
    coded = plain.with_columns(pl.col(texts).cast(pl.Categorical))
    choices = Choices(links=("furukawa_2019_hamd17_bdi2",))
    first, second = (score_instruments(f, shared_registry(), "porto", "s", choices) for f in (plain, coded))
    assert second.scores.cast(dict(first.scores.schema)).equals(first.scores)
    assert second.ledger.cast(dict(first.ledger.schema)).equals(first.ledger)
