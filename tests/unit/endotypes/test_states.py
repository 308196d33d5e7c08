"""The state of every participant: total, exclusive, with its rule, its evidence and what was missing."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest

from ember.endotypes.composites.composite import composites
from ember.endotypes.gathered import treatment_start, unusable_results
from ember.endotypes.states import Evidence, assign_states, endotype_accounts
from ember.tables.store import conform
from tests.unit.endotypes.frames import BANDS, SUPPORTED, VISITS, measurements, people, result


def states(scheme: dict[str, Any], roster: pl.DataFrame, *rows: dict[str, Any], **evidence: Any) -> pl.DataFrame:
    results = measurements(*rows)
    panel = scheme.get("composite")
    made = composites(results, roster, panel, "baseline") if panel else None
    return assign_states(results, roster, scheme, VISITS, Evidence(composite=made, **evidence))


def one(scheme: dict[str, Any], *rows: dict[str, Any], **evidence: Any) -> dict[str, Any]:
    return states(scheme, people("a"), *rows, **evidence).filter("assigned").row(0, named=True)


def one_state(scheme: dict[str, Any], *rows: dict[str, Any]) -> tuple[str, str, str]:
    line = one(scheme, *rows)
    return line["class"], line["rule_id"], line["evidence"]


HS: dict[str, Any] = {}
LEFT = {"censoring": "left"}
RIGHT = {"censoring": "right"}
STANDARD = {"assay": "turbid", "assay_class": "standard"}
UNSTATED = {"assay": "unstated", "assay_class": "standard"}


@pytest.mark.parametrize(
    ("value", "how", "state", "rule"),
    [
        pytest.param(0.99, HS, "not_inflamed", "low", id="under 1"),
        pytest.param(1.0, HS, "intermediate", "middle", id="exactly 1"),
        pytest.param(3.0, HS, "intermediate", "middle", id="exactly 3 is not above 3"),
        pytest.param(3.01, HS, "inflamed_single", "high", id="above 3"),
        pytest.param(10.0, HS, "inflamed_single", "high", id="exactly 10 is not acute"),
        pytest.param(10.1, HS, "acute_suspect", "acute", id="above 10"),
        pytest.param(0.2, LEFT, "not_inflamed", "low", id="below a limit in the lowest band"),
        pytest.param(1.0, LEFT, "not_inflamed", "low", id="below a limit at its bound"),
        pytest.param(5.0, LEFT, "indeterminate", "indeterminate:censored", id="below 5 may be any band"),
        pytest.param(10.0, RIGHT, "acute_suspect", "acute", id="above 10 as text"),
        pytest.param(5.0, RIGHT, "indeterminate", "indeterminate:censored", id="above 5 may be acute"),
        pytest.param(4.0, STANDARD, "inflamed_single", "high", id="standard assay at its limit"),
        pytest.param(3.9, STANDARD, "indeterminate", "indeterminate:assay", id="standard assay under its limit"),
        pytest.param(0.5, STANDARD, "indeterminate", "indeterminate:assay", id="standard assay, far under"),
        pytest.param(12.0, STANDARD, "acute_suspect", "acute", id="standard assay, acute"),
        pytest.param(4.0, STANDARD | LEFT, "indeterminate", "indeterminate:assay", id="standard assay, below"),
        pytest.param(0.9, STANDARD | LEFT, "not_inflamed", "low", id="standard assay, its own limit under the cut"),
        pytest.param(12.0, STANDARD | RIGHT, "acute_suspect", "acute", id="standard assay, above its range"),
        pytest.param(8.0, UNSTATED, "indeterminate", "indeterminate:assay", id="standard assay without a limit"),
    ],
)
def test_bands(value: float, how: dict[str, Any], state: str, rule: str) -> None:
    assert one_state(BANDS, result("a", "p1", value, **how)) == (state, rule, "1")


@pytest.mark.parametrize("operator", [">=", ">"], ids=["at least", "above"])
@pytest.mark.parametrize("limit", [0.5, 1.0, 1.001, 2.0, 3.0, 3.001, 5.0])
@pytest.mark.parametrize("value", [0.1, 0.5, 0.999, 1.0, 1.001, 2.0, 3.0, 3.001, 5.0, 10.0])
@pytest.mark.parametrize("side", ["none", "left"])
def test_a_standard_assay_fills_no_band_that_its_limit_reaches_into(
    operator: str, limit: float, value: float, side: str
) -> None:
    thresholds = {"at_least_1": f"hscrp {operator} 1", "above_3": f"hscrp {operator} 3", "above_10": "hscrp > 10"}
    row = result("a", "p1", limit if side == "left" else value, assay_class="standard", censoring=side)
    state, rule, _ = one_state({**BANDS, "thresholds": thresholds}, {**row, "detection_limit": limit})
    seen = side == "none" and value >= limit
    truth = {">=": [0.0, 1.0, 3.0], ">": [0.0, np.nextafter(1, 2), np.nextafter(3, 4)]}[operator]
    band = ["not_inflamed", "intermediate", "inflamed_single"][int(np.searchsorted(truth, value, side="right")) - 1]
    if seen:
        assert state == band
    elif limit <= 1:
        assert state == "not_inflamed"
    else:
        assert (state, rule) == ("indeterminate", "indeterminate:assay")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(result("a", "p1", 2.0, analyte="il6"), id="other analyte"),
        pytest.param(result("b", "p1", 2.0), id="same name at another site"),
        pytest.param(result("a", "p1", None), id="no number"),
    ],
)
def test_missing(row: dict[str, Any]) -> None:
    line = one(BANDS, row)
    assert (line["class"], line["rule_id"], line["evidence"]) == ("indeterminate", "indeterminate:missing", "")
    assert (line["missing"], line["n_samples"], line["flags"]) == ("hscrp", 0, "")


def test_the_operator_decides_at_the_cut() -> None:
    at_least = {**BANDS, "thresholds": {**BANDS["thresholds"], "above_3": "hscrp >= 3"}}
    assert one_state(at_least, result("a", "p1", 3.0))[0] == "inflamed_single"


@pytest.mark.parametrize(
    ("row", "flags"),
    [
        pytest.param(result("a", "p1", 5.0, visit="week_4"), "outside_window", id="a later visit"),
        pytest.param(result("a", "p1", 5.0, visit="week_4", day=1), "outside_window", id="the day after time zero"),
        pytest.param(result("a", "p1", 5.0, visit="screening", day=-91), "outside_window", id="before the window"),
        pytest.param(result("a", "p1", 5.0, visit="baseline", day=2), "outside_window", id="baseline drawn too late"),
    ],
)
def test_a_sample_outside_the_window_defines_nothing(row: dict[str, Any], flags: str) -> None:
    line = one(BANDS, row)
    assert (line["class"], line["flags"], line["missing"]) == ("indeterminate", flags, "hscrp")


@pytest.mark.parametrize("day", [-90, 0])
def test_both_ends_of_the_window_belong_to_it(day: int) -> None:
    assert one(BANDS, result("a", "p1", 5.0, day=day))["class"] == "inflamed_single"


def test_a_sample_without_a_day_counts_only_if_its_whole_visit_lies_in_the_window() -> None:
    narrow = {**BANDS, "samples": {"from": -7, "to": 0, "apart": 14}}
    line = one(narrow, result("a", "p1", 5.0))
    assert (line["class"], line["flags"]) == ("indeterminate", "undated;outside_window")
    assert one(narrow, result("a", "p1", 5.0, day=-7))["class"] == "inflamed_single"


def test_treatment_that_began_earlier_takes_a_sample_out() -> None:
    begun = np.array([-5.0])
    late = one(BANDS, result("a", "p1", 5.0, day=-4), started=begun)
    assert (late["class"], late["flags"]) == ("indeterminate", "after_treatment;outside_window")
    assert one(BANDS, result("a", "p1", 5.0, day=-5), started=begun)["class"] == "inflamed_single"


def test_treatment_starts_with_the_first_day_of_the_arm() -> None:
    rows = [("a", "p1", "arm", 3), ("a", "p1", "arm", 1), ("a", "p2", "concomitant", -9), ("a", "p3", "arm", None)]
    given = pl.DataFrame(rows, schema=["site_id", "participant_id", "role", "start_day"], orient="row")
    np.testing.assert_array_equal(treatment_start(people(*"aaa"), given), [1.0, np.nan, np.nan])


def infection(*told: tuple[str, str, float]) -> pl.DataFrame:
    rows = [
        {"site_id": "a", "participant_id": person, "visit": visit, "instrument": "acute_infection",
         "construct": "infection", "score": yes, "origin": "total", "n_items": 0, "flags": "",
         "source_file": "roster.csv", "row_number": 2}
        for person, visit, yes in told
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), "scores")


def test_a_sample_with_an_infection_is_no_usual_level() -> None:
    line = one(BANDS, result("a", "p1", 5.0), scores=infection(("p1", "baseline", 1.0)))
    assert (line["class"], line["rule_id"], line["flags"]) == ("acute_suspect", "infection", "")
    spared = one(BANDS, result("a", "p1", 5.0), scores=infection(("p1", "baseline", 0.0)))
    assert (spared["class"], spared["missing"]) == ("inflamed_single", "repeat")


def test_where_a_site_asks_about_infections_silence_is_missing() -> None:
    rows = [result("a", "p1", 5.0), result("a", "p2", 5.0)]
    table = states(BANDS, people(*"aa"), *rows, scores=infection(("p1", "baseline", 0.0)))
    assert table.filter("assigned")["missing"].to_list() == ["repeat", "repeat;infection_flag"]


def test_a_result_whose_unit_nobody_knows_is_named() -> None:
    found = pl.DataFrame({"site_id": ["a", "a"], "participant_id": ["p1", "p2"], "visit": ["baseline"] * 2,
                          "unit": [True, False]})  # fmt: skip
    table = states(BANDS, people(*"aaa"), result("a", "p3", 2.0), unusable=found).filter("assigned")
    assert table["rule_id"].to_list() == ["indeterminate:unit", "indeterminate:refused", "middle"]


def test_results_that_left_are_those_without_a_harmonised_one() -> None:
    cell = {"source_file": "x.csv", "row_number": [2, 3, 4], "column": "CRP"}
    key = {"site_id": "a", "participant_id": ["p1", "p2", "p3"], "visit": "baseline", "analyte": "hscrp"}
    ledger = pl.DataFrame({"site_id": "a", "rule_id": ["value.unit_unknown", "value.outside_hard_limits"],
                           "source_file": "x.csv", "row_number": [2, 3], "column": "CRP"},
                          schema_overrides={"row_number": pl.Int64})  # fmt: skip
    found = unusable_results("hscrp", pl.DataFrame({**key, **cell}), measurements(result("a", "p3", 2.0)), ledger)
    assert found.select("participant_id", "unit").rows() == [("p1", True), ("p2", False)]


def cytokines(values: dict[str, list[float | None]]) -> list[dict[str, Any]]:
    return [
        result("a", f"p{person + 1}", value, analyte=analyte, assay=f"msd_{analyte}", assay_class="multiplex")
        for analyte, column in values.items()
        for person, value in enumerate(column)
        if value is not None
    ]


def test_composite_splits_the_raised() -> None:
    crp = [result("a", f"p{i}", value) for i, value in enumerate([5.0, 5.0, 5.0, 5.0, 0.5, 20.0], start=1)]
    panel = cytokines({"il6": [1, 2, 4, 8, 2, 2], "tnf": [1, 2, 4, None, 2, 2]})
    lines = states(SUPPORTED, people(*"aaaaaa"), *crp, *panel).filter("assigned")
    assert lines["class"].to_list() == [
        "inflamed_unsupported",
        "inflamed_unsupported",
        "inflamed_supported",
        "inflamed_single",
        "not_inflamed",
        "acute_suspect",
    ]
    assert lines["rule_id"].to_list() == ["high_without", "high_without", "high_with", "high:crp_only", "low",
                                          "acute"]  # fmt: skip
    assert lines["evidence"].to_list() == ["1;7;13", "2;8;14", "3;9;15", "4", "5", "6"]
    assert lines["flags"].to_list() == ["", "", "", "crp_only", "", "above_10"]
    assert lines["missing"].to_list() == ["repeat", "repeat", "repeat", "repeat;composite", "repeat", "repeat"]


def test_without_crp_only_a_missing_composite_is_indeterminate() -> None:
    strict = {**SUPPORTED, "support": {**SUPPORTED["support"], "unknown": "indeterminate"}}
    assert one_state(strict, result("a", "p1", 5.0)) == ("indeterminate", "indeterminate:no_support", "1")


def test_what_repeats_stays_repeated_without_a_panel() -> None:
    rows = [result("a", "p1", 5.0, visit="screening", day=-30), result("a", "p1", 4.0, day=0)]
    line = one(SUPPORTED, *rows)
    assert (line["class"], line["rule_id"]) == ("inflamed_persistent", "high:persistent:crp_only")
    assert line["flags"] == "crp_only;repeated"


METABOLIC = {
    **BANDS,
    "thresholds": {**BANDS["thresholds"], "obese": "bmi >= 30", "half": "symptoms >= 0.5"},
    "support": {
        "all_of": ["obese", "half"],
        "met": {"rule": "high_metabolic", "state": "immuno_metabolic"},
        "not_met": {"rule": "high_other", "state": "inflamed_not_metabolic"},
        "unknown": "crp_only",
    },
    "symptoms": {"profile": "energy_related"},
    "inflamed": ["immuno_metabolic"],
}


@pytest.mark.parametrize(
    ("bmi", "symptoms", "state", "missing"),
    [
        pytest.param(30.0, 0.5, "immuno_metabolic", "repeat", id="both, exactly at the cuts"),
        pytest.param(29.9, 0.5, "inflamed_not_metabolic", "repeat", id="not obese"),
        pytest.param(30.0, 0.4, "inflamed_not_metabolic", "repeat", id="few symptoms"),
        pytest.param(None, 0.5, "inflamed_single", "repeat;bmi", id="nobody knows the body mass index"),
        pytest.param(None, 0.4, "inflamed_not_metabolic", "repeat;bmi", id="one that fails is enough"),
        pytest.param(30.0, np.nan, "inflamed_single", "repeat;symptoms", id="no symptoms told"),
    ],
)
def test_all_conditions_have_to_hold(bmi: float | None, symptoms: float, state: str, missing: str) -> None:
    roster = people("a", bmi=[bmi])
    table = states(METABOLIC, roster, result("a", "p1", 5.0), symptoms=np.array([symptoms])).filter("assigned")
    assert (table["class"][0], table["missing"][0]) == (state, missing)


@pytest.mark.parametrize("scheme", [pytest.param(BANDS, id="bands"), pytest.param(SUPPORTED, id="supported")])
def test_every_kind_of_result_has_exactly_one_state(scheme: dict[str, Any]) -> None:
    """The whole table: every value at and around the cuts, every censoring, every class, with and without a panel."""
    crp = [0.0, 0.99, 1.0, 1.01, 2.99, 3.0, 3.01, 9.99, 10.0, 10.01, 400.0, None]
    kinds = list(product(crp, ["none", "left", "right"], [HS, STANDARD, UNSTATED], [1.0, 2.0, 5.0, None]))
    sites, rows = [], []
    for number, (value, censoring, how, panel) in enumerate(kinds, start=1):
        sites.append("a")
        if value is not None:
            rows.append(result("a", f"p{number}", value, censoring=censoring, **how))
        if panel is not None:
            rows.extend(result("a", f"p{number}", panel, analyte=name, assay="x") for name in ("il6", "tnf"))
    table = states(scheme, people(*sites), *rows)
    each = table.group_by("participant_id", maintain_order=True).agg(
        pl.col("assigned").sum(), pl.col("probability").sum(), pl.col("rule_id").n_unique().alias("rules")
    )
    assert each.height == len(kinds)
    assert each["assigned"].to_list() == [1] * len(kinds)
    assert each["probability"].to_list() == [1.0] * len(kinds)
    assert each["rules"].to_list() == [1] * len(kinds)


def test_nobody() -> None:
    assert states(BANDS, people(), result("a", "p1", 1.0)).height == 0


def test_accounts_are_participants_by_site() -> None:
    accounts = endotype_accounts(people("b", "a", "b"), "bands")
    assert [(a.site, a.stage, a.unit, a.n_in, a.n_out) for a in accounts] == [
        ("b", "endotypes:bands", "participant", 2, 2),
        ("a", "endotypes:bands", "participant", 1, 1),
    ]
