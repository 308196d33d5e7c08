"""From measurements to each participant's probability, and why there is none."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ember.endotypes.usual_level.estimate import usual_levels
from ember.tables.store import conform
from tests.unit.endotypes.frames import BANDS, VISITS, measurements, people, result

PUBLISHED = {"within_person": "one", "measure": "ln_sd", "value": "0.5", "unit": "1", "includes_assay": "true"}
REPEATS = {**BANDS, "usual_level": {"cut": "above_3", "within_person": "repeats", "minimum_repeats": 20}}
NAMED = {**BANDS, "usual_level": {"cut": "above_3", "within_person": "one"}}


def cohort(number, repeated, seed=1, sites="ab", **extra):
    """Return participants and results: usual levels with ln SD 1, samples with ln SD 0.5 about them."""
    generator = np.random.default_rng(seed)
    rows = []
    for place in range(number):
        site, person = sites[place % len(sites)], f"p{place + 1}"
        usual = generator.normal(0.7, 1.0)
        for visit, day in (("baseline", -1), ("screening", -30))[: 1 + (place < repeated)]:
            value = min(float(np.exp(usual + generator.normal(0, 0.5))), 9.9)
            rows.append(result(site, person, value, visit=visit, day=day, **extra))
    return people(*[sites[place % len(sites)] for place in range(number)]), measurements(*rows)


def levels(scheme, number, repeated, published=None, **extra):
    roster, results = cohort(number, repeated, **extra)
    return usual_levels(results, roster, scheme, VISITS, published)


def reasons(found):
    return set(found.table["reason"].to_list())


def test_repeats_identify_everybody():
    found = levels(REPEATS, 300, 150)
    assert found.table["identified"].all() and reasons(found) == {None}
    assert found.table["n_samples"].value_counts().sort("n_samples").rows() == [(1, 150), (2, 150)]
    assert set(found.table["method"]) == {"repeats"} and set(found.table["cut"]) == {3.0}
    line = found.components.row(0, named=True)
    assert line["within_sd"] == pytest.approx(0.5, abs=0.1) and line["between_sd"] == pytest.approx(1.0, abs=0.25)


def test_one_sample_a_person_and_nothing_published_is_not_identified():
    found = levels(REPEATS, 100, 0)
    assert not found.table["identified"].any() and found.table["probability"].is_null().all()
    assert reasons(found) == {"no_repeats"}
    assert found.components["between_sd"].is_null().all()


def test_fewer_repeats_than_declared():
    found = levels(REPEATS, 100, 19)
    assert reasons(found) == {"few_repeats"} and not found.table["identified"].any()
    assert levels(REPEATS, 100, 20).table["identified"].all()


def test_a_published_value_serves_one_sample_a_person():
    found = levels(NAMED, 200, 0, PUBLISHED)
    assert found.table["identified"].all() and set(found.table["method"]) == {"published"}
    assert found.components["within_sd"].to_list() == [0.5, 0.5]


def test_a_published_value_beyond_the_spread_of_the_data_is_not_used():
    found = levels(NAMED, 200, 0, {**PUBLISHED, "value": "3"})
    assert reasons(found) == {"within_exceeds_spread"} and not found.table["identified"].any()


def test_the_probability_is_drawn_towards_the_site():
    """Just above the cut, at a site where few are above it: more likely below than above."""
    roster, results = cohort(200, 0)
    low = results.with_columns((pl.col("value") / 4).alias("value"))
    chosen = low.with_columns(
        pl.when(pl.col("participant_id") == "p1").then(3.2).otherwise(pl.col("value")).alias("value")
    )
    found = usual_levels(chosen, roster, NAMED, VISITS, PUBLISHED).table
    assert 0.1 < found["probability"][0] < 0.5


def test_without_a_sample_nothing_is_said():
    roster, results = cohort(100, 0)
    found = usual_levels(results.filter(pl.col("participant_id") != "p7"), roster, NAMED, VISITS, PUBLISHED).table
    assert found.row(6, named=True) | {"participant_id": ""} == {
        "site_id": "a", "participant_id": "", "cut": 3.0, "probability": None, "n_samples": 0, "identified": False,
        "reason": "no_sample", "method": "published",
    }  # fmt: skip
    assert found["identified"].sum() == 99


def test_a_site_without_two_different_values_is_left_out_and_the_others_stay():
    roster, results = cohort(100, 0)
    flat = results.with_columns(pl.when(pl.col("site_id") == "b").then(2.0).otherwise(pl.col("value")).alias("value"))
    found = usual_levels(flat, roster, NAMED, VISITS, PUBLISHED)
    assert found.table.group_by("site_id", maintain_order=True).agg(pl.col("identified").all()).rows() == [
        ("a", True), ("b", False),
    ]  # fmt: skip
    assert found.components["reason"].to_list() == [None, "no_spread"]
    assert found.components["ln_mean"].is_null().to_list() == [False, True]


def test_censored_samples_count_as_such():
    roster, results = cohort(300, 100)
    low = pl.col("value") < 1.0
    marked = results.with_columns(
        pl.when(low).then(pl.lit("left")).otherwise(pl.col("censoring").cast(pl.String)).alias("censoring"),
        pl.when(low).then(1.0).otherwise(pl.col("value")).alias("value"),
    )
    plain = usual_levels(results, roster, REPEATS, VISITS)
    found = usual_levels(conform(marked, "measurements"), roster, REPEATS, VISITS)
    assert found.components["n_below"].sum() > 50
    assert found.components["ln_mean"].to_list() == pytest.approx(plain.components["ln_mean"].to_list(), abs=0.15)
    below = marked["censoring"] == "left"
    single = set(results.filter(below)["participant_id"]) - set(results.filter(~below)["participant_id"])
    own = found.table.filter(pl.col("participant_id").is_in(list(single)))
    assert own["identified"].all() and own["probability"].max() < 0.2


def test_a_sample_above_the_acute_cut_is_a_bound_and_many_of_them_speak_of_illness():
    roster, results = cohort(200, 0)

    def with_high(people_above, value):
        named = pl.col("participant_id").is_in([f"p{number}" for number in range(1, people_above + 1)])
        changed = results.with_columns(pl.when(named).then(value).otherwise(pl.col("value")).alias("value"))
        return usual_levels(changed, roster, NAMED, VISITS, PUBLISHED)

    few, many = with_high(3, 60.0), with_high(60, 60.0)
    assert many.table.equals(with_high(60, 400.0).table)
    assert many.components["n_above"].sum() >= 60
    assert few.components["acute_share"][0] < 0.05 < 0.15 < many.components["acute_share"][0]
    assert few.table["probability"][0] > 0.9 > 0.7 > many.table["probability"][0] > 0.2


def test_a_sample_with_an_infection_is_left_out():
    roster, results = cohort(100, 0)
    told = pl.DataFrame(
        {"site_id": ["a"], "participant_id": ["p1"], "visit": ["baseline"], "instrument": ["acute_infection"],
         "score": [1.0]}
    )  # fmt: skip
    found = usual_levels(results, roster, NAMED, VISITS, PUBLISHED, told).table.row(0, named=True)
    assert (found["n_samples"], found["reason"]) == (0, "no_sample")


def test_nobody():
    found = usual_levels(measurements(result("a", "p1", 1.0)), people(), NAMED, VISITS, PUBLISHED)
    assert (found.table.height, found.components.height) == (0, 0)
