"""Exposures above the acute cut: kept, left out, or counted only through a valid repeat."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from ember.models.analysis_set import build_analysis_set
from ember.tables.store import conform
from tests.unit.endotypes.frames import BANDS, VISITS, measurements, people, registry, result
from tests.unit.models.test_analysis_set import analysis, both_visits, scores, study

PEOPLE = ("p1", "p2", "p3", "p4", "p5")


def ways(way: str | None, *extra: dict[str, Any], points: list[dict[str, Any]] | None = None) -> pl.DataFrame:
    """p1 low; p2 above 10 with a repeat; p3 above 10 and too soon; p4 above 10 alone; p5 exactly 10."""
    rows = [
        result("a", "p1", 2.0, day=0),
        result("a", "p2", 25.0, day=0), result("a", "p2", 4.0, visit="screening", day=-14),
        result("a", "p3", 25.0, day=0), result("a", "p3", 4.0, visit="screening", day=-13),
        result("a", "p4", 25.0, day=0),
        result("a", "p5", 10.0, day=0),
        *extra,
    ]  # fmt: skip
    told = [row for person in PEOPLE for row in both_visits("a", person, 20, 10)]
    plan = analysis(acute_samples={"scheme": "bands", "ways": ["all", "at_most_10", "repeat_only"]}, acute_way=way)
    named = replace(study("a"), schemes={"bands": BANDS}, visits=VISITS)
    return build_analysis_set(
        named, plan, registry(), people(*"aaaaa"), measurements(*rows), scores(*told, *(points or []))
    )[0]


def test_as_it_is_written_everybody_stays() -> None:
    table = ways(None)
    assert table["in_set"].all()
    assert table["exposure_value"].to_list() == [2.0, 25.0, 25.0, 25.0, 10.0]


def test_at_most_10_leaves_higher_values_out() -> None:
    table = ways("at_most_10")
    gone = "analysis.above_acute"
    assert table["reason"].to_list() == [None, gone, gone, gone, None]


def test_repeat_only_takes_the_valid_repeat() -> None:
    table = ways("repeat_only")
    assert table["exposure_value"].to_list()[:2] == [2.0, 4.0]
    assert table["reason"].to_list() == [None, None, "analysis.no_repeat", "analysis.no_repeat", None]


def test_a_repeat_with_an_infection_is_none() -> None:
    ill = {"site_id": "a", "participant_id": "p2", "visit": "screening", "instrument": "acute_infection",
           "construct": "infection", "score": 1.0, "origin": "total", "n_items": 0, "flags": "",
           "source_file": "roster.csv", "row_number": 2}  # fmt: skip
    table = ways("repeat_only", points=[ill])
    assert table["reason"].to_list()[1] == "analysis.no_repeat"


@pytest.mark.parametrize("states", [["inflamed_single"], ["inflamed_single", "acute_suspect"]])
def test_an_analysis_within_states_keeps_only_their_people(states: list[str]) -> None:
    given = ["not_inflamed", "acute_suspect", "inflamed_single", "indeterminate", "intermediate"]
    rows = [
        {"site_id": "a", "participant_id": person, "visit": "baseline", "class": state, "probability": 1.0,
         "assigned": True, "rule_id": "r", "evidence": "", "flags": "", "missing": "", "n_samples": 1}
        for person, state in zip(PEOPLE, given, strict=True)
    ]  # fmt: skip
    told = [row for person in PEOPLE for row in both_visits("a", person, 20, 10)]
    results = measurements(*(result("a", person, 2.0) for person in PEOPLE))
    table = build_analysis_set(
        study("a"), analysis(within={"scheme": "bands", "states": states}), registry(), people(*"aaaaa"), results,
        scores(*told), conform(pl.DataFrame(rows), "endotypes"),
    )[0]  # fmt: skip
    assert table["in_set"].to_list() == [state in states for state in given]
    assert set(table.filter(~pl.col("in_set"))["reason"]) == {"analysis.outside_population"}
