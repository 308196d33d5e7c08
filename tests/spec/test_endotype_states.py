"""Which state a person has before treatment: every case as a table to read.

Each sample is written as its day before treatment and what it shows: `low` (below 1 mg/L), `middle` (1 to 3), `raised`
(above 3 to 10), `acute` (above 10), `ill` (taken with an infection), `unclear` (nobody can place it: a standard assay
that cannot see that low). Samples count from day -90 to day 0 if they lie at least 14 days behind the last that counts.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import polars as pl
import pytest

from ember.endotypes.states import Evidence, assign_states
from ember.registry.model import Visit
from ember.tables.store import conform
from tests.unit.endotypes.frames import BANDS, measurements, people, result

Sample = tuple[int, str]
SHOWN = ("low", "middle", "raised", "acute", "ill", "unclear")
VALUES = {"low": 0.5, "middle": 2.0, "raised": 5.0, "acute": 25.0, "ill": 2.0, "unclear": 4.0}
VISITS = tuple(Visit(f"visit_{number}", day, -365, 365) for number, day in enumerate((-60, -30, 0, 28)))


def results(person: int, samples: list[Sample]) -> list[dict[str, Any]]:
    unclear: dict[str, Any] = {"assay": "turbid_5", "assay_class": "standard", "censoring": "left"}
    return [
        result("a", f"p{person}", VALUES[shown], visit=f"visit_{number}", day=day,
               **(unclear if shown == "unclear" else {}))
        for number, (day, shown) in enumerate(samples)
    ]  # fmt: skip


def infections(people_samples: list[list[Sample]]) -> pl.DataFrame | None:
    rows = [
        {"site_id": "a", "participant_id": f"p{person}", "visit": f"visit_{number}", "instrument": "acute_infection",
         "construct": "infection", "score": 1.0, "origin": "total", "n_items": 0, "flags": "",
         "source_file": "roster.csv", "row_number": 2}
        for person, samples in enumerate(people_samples, start=1)
        for number, (_, shown) in enumerate(samples)
        if shown == "ill"
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), "scores") if rows else None


def lines(people_samples: list[list[Sample]]) -> list[dict[str, Any]]:
    rows = [row for person, samples in enumerate(people_samples, start=1) for row in results(person, samples)]
    table = measurements(*rows) if rows else measurements(result("b", "nobody", 1.0))
    roster = people(*["a"] * len(people_samples))
    evidence = Evidence(scores=infections(people_samples))
    return assign_states(table, roster, BANDS, VISITS, evidence).filter("assigned").to_dicts()


@pytest.mark.parametrize(
    ("samples", "state", "flags"),
    [
        # ---- one sample ----
        pytest.param([], "indeterminate", "", id="no sample"),
        pytest.param([(0, "low")], "not_inflamed", "", id="one low"),
        pytest.param([(0, "middle")], "intermediate", "", id="one in the middle"),
        pytest.param([(0, "raised")], "inflamed_single", "", id="one raised"),
        pytest.param([(0, "acute")], "acute_suspect", "above_10", id="one above 10 waits for its repeat"),
        pytest.param([(0, "ill")], "acute_suspect", "", id="one with an infection waits for its repeat"),
        pytest.param([(0, "unclear")], "indeterminate", "", id="one that the assay cannot place"),
        # ---- only before treatment ----
        pytest.param([(1, "raised")], "indeterminate", "outside_window", id="after treatment began"),
        pytest.param([(-91, "raised")], "indeterminate", "outside_window", id="too long before"),
        pytest.param([(-30, "low"), (1, "raised")], "not_inflamed", "", id="the later one is under treatment"),
        # ---- two samples, far enough apart ----
        pytest.param([(-14, "raised"), (0, "raised")], "inflamed_persistent", "repeated", id="raised twice"),
        pytest.param([(-14, "raised"), (0, "low")], "discordant", "", id="raised, then low"),
        pytest.param([(-14, "raised"), (0, "middle")], "discordant", "", id="raised, then in the middle"),
        pytest.param([(-14, "low"), (0, "raised")], "inflamed_single", "earlier_below", id="low, then raised"),
        pytest.param([(-14, "low"), (0, "middle")], "intermediate", "", id="not raised twice: the later tells"),
        pytest.param([(-14, "middle"), (0, "low")], "not_inflamed", "", id="not raised twice, falling"),
        # ---- two samples, too close ----
        pytest.param([(-13, "raised"), (0, "raised")], "inflamed_single", "repeat_too_soon", id="raised twice in 13 d"),
        pytest.param([(-13, "raised"), (0, "low")], "inflamed_single", "repeat_too_soon", id="low too soon"),
        pytest.param([(-13, "acute"), (0, "low")], "acute_suspect", "above_10;repeat_too_soon",
                     id="a repeat within 13 days does not acquit"),
        # ---- above 10 ----
        pytest.param([(-14, "acute"), (0, "low")], "not_inflamed", "above_10;above_10_set_aside",
                     id="above 10, then low"),
        pytest.param([(-14, "acute"), (0, "raised")], "inflamed_single", "above_10;above_10_set_aside",
                     id="above 10, then raised"),
        pytest.param([(-14, "low"), (0, "acute")], "not_inflamed", "above_10;above_10_set_aside;acute_last",
                     id="low, then above 10: the valid sample tells"),
        pytest.param([(-14, "acute"), (0, "acute")], "persistent_above_10", "above_10", id="above 10 twice"),
        pytest.param([(-13, "acute"), (0, "acute")], "acute_suspect", "above_10;repeat_too_soon",
                     id="above 10 twice in 13 days is one episode"),
        pytest.param([(-14, "acute"), (0, "ill")], "acute_suspect", "above_10", id="above 10, then an infection"),
        pytest.param([(-14, "ill"), (0, "low")], "not_inflamed", "infection_set_aside", id="infection, then low"),
        # ---- three samples ----
        pytest.param([(-60, "raised"), (-30, "acute"), (0, "raised")], "inflamed_persistent",
                     "repeated;above_10;above_10_set_aside", id="an acute one between two raised"),
        pytest.param([(-60, "acute"), (-30, "acute"), (0, "low")], "not_inflamed", "above_10;above_10_set_aside",
                     id="above 10 twice, then low"),
        pytest.param([(-60, "low"), (-30, "acute"), (0, "acute")], "persistent_above_10", "above_10",
                     id="low, then above 10 twice"),
        pytest.param([(-60, "acute"), (-30, "ill"), (0, "acute")], "persistent_above_10",
                     "above_10;infection_set_aside", id="an infection between two above 10"),
        pytest.param([(-60, "raised"), (-30, "low"), (0, "low")], "not_inflamed", "", id="only the last two tell"),
        pytest.param([(-60, "low"), (-30, "raised"), (0, "raised")], "inflamed_persistent", "repeated",
                     id="the last two are raised"),
        # ---- samples that nobody can place ----
        pytest.param([(-30, "unclear"), (0, "low")], "not_inflamed", "unplaced_set_aside", id="unclear, then low"),
        pytest.param([(-7, "unclear"), (0, "raised")], "inflamed_single", "unplaced_set_aside",
                     id="an unclear one does not stand in the way"),
    ],
)  # fmt: skip
def test_states(samples: list[Sample], state: str, flags: str) -> None:
    line = lines([samples])[0]
    assert (line["class"], line["flags"]) == (state, flags)


def by_hand(samples: list[Sample]) -> str:
    """Say the state in the words of the manual, person by person."""
    counted: list[Sample] = []
    for day, shown in sorted(samples):
        if -90 <= day <= 0 and shown != "unclear" and (not counted or day - counted[-1][0] >= 14):
            counted.append((day, shown))
    valid = [shown for _, shown in counted if shown in ("low", "middle", "raised")]
    without_infection = [shown for _, shown in counted if shown != "ill"]
    if without_infection[-2:] == ["acute", "acute"]:
        return "persistent_above_10"
    if valid:
        before, last = ([None, *valid])[-2:]
        if last == "raised":
            return "inflamed_persistent" if before == "raised" else "inflamed_single"
        if before == "raised":
            return "discordant"
        return "intermediate" if last == "middle" else "not_inflamed"
    return "acute_suspect" if counted else "indeterminate"


def every_case() -> list[list[Sample]]:
    """Return up to four samples of every kind at every distance that matters: 13 and 14 days, and after treatment."""
    cases: list[list[Sample]] = [[]]
    days = [(0,), (1,), (-91,), (-14, 0), (-13, 0), (-28, -14, 0), (-27, -14, 0), (-26, -13, 0), (-14, 0, 1),
            (-28, -13, 0), (-60, -28, -14, 0), (-41, -27, -13, 0)]  # fmt: skip
    for when in days:
        cases += [list(zip(when, shown, strict=True)) for shown in product(SHOWN, repeat=len(when))]
    return cases


def test_the_table_is_total() -> None:
    """Every combination of samples has exactly one state, the one that the words give, with its rule and evidence."""
    cases = every_case()
    rows = [row for person, samples in enumerate(cases, start=1) for row in results(person, samples)]
    table = assign_states(
        measurements(*rows), people(*["a"] * len(cases)), BANDS, VISITS, Evidence(scores=infections(cases))
    )
    each = table.group_by("participant_id", maintain_order=True).agg(
        pl.col("assigned").sum(), pl.col("probability").sum(), pl.col("rule_id").n_unique().alias("rules")
    )
    assert each.height == len(cases) > 3000
    assert set(each["assigned"]) == {1} and set(each["probability"]) == {1.0} and set(each["rules"]) == {1}
    found = table.filter("assigned")
    assert found["class"].to_list() == [by_hand(samples) for samples in cases]
    assert set(found["class"]) == set(table["class"])
    assert ((found["evidence"] == "") == (found["missing"].str.contains("hscrp"))).all()
    assert (found["rule_id"].str.len_chars() > 0).all()
