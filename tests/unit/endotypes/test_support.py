"""Conditions that support a raised value: one that fails decides, one that is missing leaves it open."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ember.endotypes.scheme import Threshold
from ember.endotypes.support import MET, NOT_MET, UNKNOWN, at_visit, judged
from ember.endotypes.symptoms import profile_scores
from tests.unit.endotypes.frames import people

OBESE = Threshold("obese", "bmi", ">=", 30.0)
HALF = Threshold("half", "symptoms", ">", 0.5)
NAN = float("nan")


@pytest.mark.parametrize(
    ("bmi", "symptoms", "answer"),
    [
        pytest.param(30.0, 0.51, MET, id="both hold"),
        pytest.param(30.0, 0.5, NOT_MET, id="above is not at least"),
        pytest.param(29.9, NAN, NOT_MET, id="one fails, one missing"),
        pytest.param(30.0, NAN, UNKNOWN, id="one holds, one missing"),
        pytest.param(NAN, NAN, UNKNOWN, id="both missing"),
    ],
)
def test_all_of(bmi: float, symptoms: float, answer: int) -> None:
    found = judged([OBESE, HALF], {"bmi": np.array([bmi]), "symptoms": np.array([symptoms])})
    assert found.answer.tolist() == [answer]
    assert found.missing["bmi"].tolist() == [np.isnan(bmi)]


def test_a_value_at_a_visit() -> None:
    table = pl.DataFrame({"site_id": ["a", "a"], "participant_id": ["p2", "p1"], "visit": ["baseline", "week_4"],
                          "composite": [1.0, 2.0]})  # fmt: skip
    np.testing.assert_array_equal(at_visit(people(*"aa"), table, "baseline", "composite"), [NAN, 1.0])


def rows(profile: dict[str, list[int]]) -> list[dict[str, str]]:
    return [{"instrument": name, "item": str(item)} for name, items in profile.items() for item in items]


def answers(*told: tuple[str, str, int, float]) -> pl.DataFrame:
    columns = ["participant_id", "instrument", "item", "value"]
    frame = pl.DataFrame(list(told), schema=columns, orient="row")
    return frame.with_columns(pl.lit("a").alias("site_id"), pl.lit("baseline").alias("visit"))


def test_a_profile_is_the_mean_share_of_its_items_ranges() -> None:
    profile = rows({"ids": [1, 2], "phq": [4]})
    ranges = [{**row, "item_low": "0", "item_high": "3" if row["instrument"] == "phq" else "4"} for row in profile]
    told = answers(
        ("p1", "ids", 1, 4.0), ("p1", "ids", 2, 0.0), ("p1", "phq", 4, 3.0),
        ("p2", "ids", 1, 4.0), ("p2", "phq", 4, 3.0),
        ("p3", "ids", 1, 4.0),
        ("p4", "phq", 4, 7.0),
    )  # fmt: skip
    found = profile_scores(people(*"aaaa"), told, "baseline", profile, ranges)
    # The first whole instrument stands; an item that is missing or outside its range leaves its profile incomplete.
    np.testing.assert_array_equal(found, [0.5, 1.0, NAN, NAN])
    assert np.isnan(profile_scores(people(*"aaaa"), told, "week_4", profile, ranges)).all()
