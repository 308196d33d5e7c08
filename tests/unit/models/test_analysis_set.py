"""Who is in an analysis, on which scales, and why the others are not."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from ember.endotypes.states import assign_states
from ember.errors import EmberError
from ember.models.analysis_set import build_analysis_set
from ember.registry.model import Site, Study
from ember.registry.registry import Registry
from ember.tables.store import conform, empty_table
from tests.unit.endotypes.frames import BANDS, VISITS, measurements, people, registry, result


def study(*sites: str) -> Study:
    """Return a study with nothing but sites, in this order."""
    return Study(
        "s", "S", "", "", "synthetic", "public", "randomised", "randomisation", 1, Path(), Path(), (), {},
        {site: Site(site, site, ()) for site in sites}, {}, (), {}, {}, {}, None, {},
    )  # fmt: skip


def score(site: str, person: str, visit: str, points: float, instrument: str = "hamd17") -> dict[str, Any]:
    return {
        "site_id": site,
        "participant_id": person,
        "visit": visit,
        "instrument": instrument,
        "construct": "severity",
        "score": points,
        "origin": "total",
        "n_items": 0,
        "flags": "",
        "source_file": "roster.csv",
        "row_number": 2,
    }


def scores(*rows: dict[str, Any]) -> pl.DataFrame:
    return conform(pl.DataFrame(rows), "scores") if rows else empty_table("scores")


def analysis(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "analysis": "moderation",
        "exposure": {"analyte": "hscrp", "visit": "baseline", "scale": "log2", "below_limit": "fill_lod_sqrt2"},
        "outcome": {"construct": "severity", "visit": "week_12", "baseline": "baseline", "scale": "points"},
        "models": [{"id": "m", "family": "ancova"}],
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def outcome(**changes: Any) -> dict[str, Any]:
    base = {"construct": "severity", "visit": "week_12", "baseline": "baseline", "scale": "points"}
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def both_visits(
    site: str, person: str, before: float, after: float, instrument: str = "hamd17"
) -> list[dict[str, Any]]:
    return [score(site, person, "baseline", before, instrument), score(site, person, "week_12", after, instrument)]


def build(plan: dict[str, Any], roster: pl.DataFrame, results: pl.DataFrame, points: pl.DataFrame, **more: Any) -> Any:
    sites = roster["site_id"].unique(maintain_order=True).to_list()
    return build_analysis_set(study(*sites), plan, registry(), roster, results, points, **more)


def everyone(number: int, value: float = 2.0) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return complete results and scores for p1…pn of site a."""
    rows = [result("a", f"p{i}", value) for i in range(1, number + 1)]
    points = [row for i in range(1, number + 1) for row in both_visits("a", f"p{i}", 20, 10)]
    return measurements(*rows), scores(*points)


FIRST_REASONS = ["outside_population", "no_treatment", "no_exposure", "no_baseline", "no_outcome", "no_covariate"]


def test_the_first_reason_stands_and_all_rows_stay() -> None:
    """Participant i fails from condition i on, so its reason must be condition i; the last one fails none."""
    number = len(FIRST_REASONS)
    fails = {name: [index <= place for index in range(number + 1)] for place, name in enumerate(FIRST_REASONS)}
    roster = people(
        *("a" * (number + 1)),
        age=[10.0 if fail else 40.0 for fail in fails["outside_population"]],
        arm=["other" if fail else "new" for fail in fails["no_treatment"]],
        bmi=[None if fail else 25.0 for fail in fails["no_covariate"]],
    )
    results = [result("a", f"p{i + 1}", 2.0) for i in range(number + 1) if not fails["no_exposure"][i]]
    before = [score("a", f"p{i + 1}", "baseline", 20) for i in range(number + 1) if not fails["no_baseline"][i]]
    after = [score("a", f"p{i + 1}", "week_12", 10) for i in range(number + 1) if not fails["no_outcome"][i]]
    plan = analysis(
        population=[{"column": "age", "operator": ">=", "value": 18}],
        treatment={"active": "new", "reference": "old"},
        models=[{"id": "m", "family": "ancova"}, {"id": "n", "family": "ancova", "covariates": ["bmi"]}],
    )
    table, ledger, accounts = build(plan, roster, measurements(*results), scores(*before, *after))
    assert table["reason"].to_list() == [*(f"analysis.{name}" for name in FIRST_REASONS), None]
    assert table["in_set"].to_list() == [False] * number + [True]
    assert ledger["rule_id"].to_list() == [f"analysis.{name}" for name in FIRST_REASONS]
    assert ledger["row_number"].to_list() == list(range(2, number + 2))
    assert ledger["stage"].unique().to_list() == ["analysis:moderation"]
    assert [(a.site, a.stage, a.n_in, a.n_out, a.n_excluded) for a in accounts] == [
        ("a", "analysis:moderation", number + 1, 1, number)
    ]


def test_sites_follow_the_study_and_participants_the_roster() -> None:
    roster = people("b", "a", "b")
    table, _, accounts = build_analysis_set(
        study("a", "b"), analysis(), registry(), roster, empty_table("measurements"), scores()
    )
    assert table.select("site_id", "participant_id").rows() == [("a", "p2"), ("b", "p1"), ("b", "p3")]
    assert [(account.site, account.n_in) for account in accounts] == [("a", 1), ("b", 2)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param({"column": "age", "operator": ">=", "value": 20}, [False, True, True, False], id="at least"),
        pytest.param({"column": "age", "operator": ">", "value": 20}, [False, False, True, False], id="above"),
        pytest.param({"column": "age", "operator": "equals", "value": 20}, [False, True, False, False], id="number"),
        pytest.param({"column": "sex", "operator": "equals", "value": "male"}, [True, False, False, False], id="word"),
    ],
)
def test_population(condition: dict[str, Any], expected: list[bool]) -> None:
    roster = people(*"aaaa", age=[19.0, 20.0, 21.0, None], sex=["male", "female", None, "female"])
    table, _, _ = build(analysis(population=[condition]), roster, *everyone(4))
    assert table["in_set"].to_list() == expected


def test_words_are_not_compared_by_size() -> None:
    plan = analysis(population=[{"column": "sex", "operator": ">", "value": 1}])
    with pytest.raises(EmberError, match="words"):
        build(plan, people("a", sex=["male"]), *everyone(1))


def test_treatment_is_coded_by_the_contrast() -> None:
    plan = analysis(treatment={"active": "new", "reference": "old"})
    table, _, _ = build(plan, people(*"aaaa", arm=["new", "old", "third", None]), *everyone(4))
    assert table["treatment"].to_list() == [1, 0, None, None]


def test_log2_uses_the_fill_and_leaves_right_censored_at_the_limit() -> None:
    results = measurements(
        result("a", "p1", 8.0), result("a", "p2", 0.5, censoring="left"), result("a", "p3", 16.0, censoring="right")
    )
    table, _, _ = build(analysis(), people(*"aaa"), results, everyone(3)[1])
    np.testing.assert_allclose(table["exposure"], [3, -1.5, 4], rtol=1e-15)
    np.testing.assert_allclose(table["exposure_value"], [8, 0.5 / math.sqrt(2), 16], rtol=1e-15)
    assert table["exposure_censored"].to_list() == [False, True, True]


@pytest.mark.parametrize(
    ("operator", "expected"),
    [
        pytest.param(">", [0, 0, 1, 0, None, 1, None], id="above"),
        pytest.param(">=", [0, 1, 1, 0, None, 1, None], id="at least"),
        pytest.param("<", [1, 0, 0, 1, None, 0, None], id="below"),
        pytest.param("<=", [1, 1, 0, 1, None, 0, None], id="at most"),
    ],
)
def test_cut_uses_the_limit_where_it_decides(operator: str, expected: list[float | None]) -> None:
    kinds = [(2.9, "none"), (3.0, "none"), (3.1, "none"), (3.0, "left"), (5.0, "left"), (3.0, "right"), (2.0, "right")]
    results = measurements(*(result("a", f"p{i}", value, censoring=c) for i, (value, c) in enumerate(kinds, start=1)))
    exposure = {**analysis()["exposure"], "scale": "cut", "cut": {"operator": operator, "value": 3}}
    table, _, _ = build(analysis(exposure=exposure), people(*"aaaaaaa"), results, everyone(7)[1])
    assert table["exposure"].to_list() == expected
    assert table["in_set"].to_list() == [value is not None for value in expected]


@pytest.mark.parametrize(
    ("assay", "cut", "refused"),
    [
        pytest.param("turbid", 3.9, True, id="cut under the limit"),
        pytest.param("turbid", 4.0, False, id="cut at the limit"),
        pytest.param("unstated", 9.0, True, id="limit not known"),
    ],
)
def test_standard_assay_and_cut(assay: str, cut: float, refused: bool) -> None:
    exposure = {**analysis()["exposure"], "scale": "cut", "cut": {"operator": ">", "value": cut}}
    rows = measurements(result("a", "p1", 8.0, assay=assay, assay_class="standard"))
    if refused:
        with pytest.raises(EmberError, match="standard assay"):
            build(analysis(exposure=exposure), people("a"), rows, everyone(1)[1])
    else:
        assert build(analysis(exposure=exposure), people("a"), rows, everyone(1)[1])[0]["exposure"].to_list() == [1.0]


def test_not_positive_has_no_logarithm() -> None:
    with pytest.raises(EmberError, match="no logarithm"):
        build(analysis(), people("a"), measurements(result("a", "p1", 0.0)), everyone(1)[1])


CENTRED = {"analyte": "hscrp", "visit": "baseline", "scale": "log2", "below_limit": "fill_lod", "centre": "within_site"}


def test_centring_uses_only_rows_in_the_set_of_the_site() -> None:
    results = measurements(
        result("a", "p1", 2.0), result("a", "p2", 8.0), result("a", "p3", 1024.0), result("b", "p4", 32.0)
    )
    points = [row for site, i in (("a", 1), ("a", 2), ("b", 4)) for row in both_visits(site, f"p{i}", 20, 10)]
    table, _, _ = build(analysis(exposure=CENTRED), people("a", "a", "a", "b"), results, scores(*points))
    assert table["in_set"].to_list() == [True, True, False, True]
    assert table["exposure"].to_list() == [-1.0, 1.0, 8.0, 0.0]


def test_survey_weights_the_centre_and_keeps_rows_outside_the_domain() -> None:
    roster = people(
        *"aaaa", survey_weight=[3.0, 1.0, 0.0, 1.0], survey_stratum=["s"] * 4, survey_psu=["u", "v", "u", None]
    )
    plan = analysis(exposure=CENTRED, survey={"lonely": "fail", "weight_divisor": 2})
    results = measurements(result("a", "p1", 1.0), result("a", "p2", 16.0), result("a", "p3", 4.0))
    table, _, _ = build(plan, roster, results, everyone(4)[1])
    assert table["reason"].to_list() == [None, None, "analysis.no_design", "analysis.no_design"]
    assert table["exposure"].to_list()[:2] == [-1.0, 3.0]
    assert table["survey_weight"].to_list() == [1.5, 0.5, 0.0, 0.5]


@pytest.mark.parametrize(
    ("declared", "before", "after", "expected", "baseline"),
    [
        pytest.param(outcome(scale="reference_sd"), 26, 16, -1.0, 1.0, id="reference sd"),
        pytest.param(outcome(scale="points"), 26, 16, 16.0, 26.0, id="points"),
        pytest.param(outcome(scale="response"), 20, 10, 1.0, 20.0, id="half is a response"),
        pytest.param(outcome(scale="response"), 20, 11, 0.0, 20.0, id="more than half is none"),
        pytest.param(outcome(scale="response"), 0, 0, None, 0.0, id="nothing to fall from"),
        pytest.param(outcome(scale="response", zero_baseline="counted"), 0, 0, 1.0, 0.0, id="nothing to fall, counted"),
        pytest.param(outcome(scale="remission"), 20, 7, 1.0, 20.0, id="remission at its value"),
        pytest.param(outcome(scale="remission"), 20, 8, 0.0, 20.0, id="no remission above it"),
        pytest.param(outcome(scale="cut", cut={"operator": ">=", "value": 10}), 20, 10, 1.0, 20.0, id="cut"),
        pytest.param(outcome(scale="cut", cut={"operator": ">", "value": 10}), 20, 10, 0.0, 20.0, id="cut, operator"),
    ],
)
def test_outcome_scales(
    declared: dict[str, Any], before: float, after: float, expected: float | None, baseline: float
) -> None:
    points = scores(*both_visits("a", "p1", before, after))
    table, _, _ = build(analysis(outcome=declared), people("a"), everyone(1)[0], points)
    line = table.row(0, named=True)
    assert (line["outcome"], line["baseline"], line["outcome_points"]) == (expected, baseline, after)
    assert line["instrument"] == "hamd17"


def test_each_site_has_its_own_reference() -> None:
    points = scores(*both_visits("a", "p1", 21, 16, "hamd17"), *both_visits("b", "p2", 35.5, 29, "madrs"))
    results = measurements(result("a", "p1", 2.0), result("b", "p2", 2.0))
    table, _, _ = build(analysis(outcome=outcome(scale="reference_sd")), people("a", "b"), results, points)
    assert table["outcome"].to_list() == [-1.0, 0.0]
    assert table["baseline"].to_list() == [0.0, 1.0]
    assert table["instrument"].to_list() == ["hamd17", "madrs"]


def test_the_baseline_of_a_binary_outcome_is_in_reference_sd_where_instruments_meet() -> None:
    points = scores(*both_visits("a", "p1", 26, 10, "hamd17"), *both_visits("b", "p2", 35.5, 29, "madrs"))
    results = measurements(result("a", "p1", 2.0), result("b", "p2", 2.0))
    table, _, _ = build(analysis(outcome=outcome(scale="response")), people("a", "b"), results, points)
    assert table["baseline"].to_list() == [1.0, 1.0]
    assert table["outcome"].to_list() == [1.0, 0.0]


TWO_AT_ONE_SITE = [*both_visits("a", "p1", 21, 16, "hamd17"), *both_visits("a", "p1", 29, 29, "madrs")]


def test_a_declared_instrument_settles_which() -> None:
    plan = analysis(outcome=outcome(instrument="madrs"))
    table, _, _ = build(plan, people("a"), everyone(1)[0], scores(*TWO_AT_ONE_SITE))
    assert table["outcome"].to_list() == [29.0]


@pytest.mark.parametrize(
    ("plan", "points", "words"),
    [
        pytest.param(analysis(), TWO_AT_ONE_SITE, "several instruments", id="several instruments"),
        pytest.param(
            analysis(outcome=outcome(scale="reference_sd")),
            both_visits("a", "p1", 1, 1, "bare"),
            "no reference_mean",
            id="no reference",
        ),
        pytest.param(
            analysis(outcome=outcome(scale="response")), both_visits("a", "p1", 1, 1, "bare"), "no response_rule",
            id="no response rule",
        ),
        pytest.param(
            analysis(outcome=outcome(scale="response")), both_visits("a", "p1", 1, 1, "upward"), "not a fall",
            id="higher is better",
        ),
        pytest.param(
            analysis(outcome=outcome(scale="response", baseline=None)), both_visits("a", "p1", 1, 1), "baseline",
            id="response without baseline",
        ),
        pytest.param(
            analysis(outcome=outcome(scale="remission")), both_visits("a", "p1", 1, 1, "bare"), "no remission_operator",
            id="no remission rule",
        ),
        pytest.param(
            analysis(outcome=outcome(scale="reference_sd")),
            [*both_visits("a", "p1", 1, 1), *both_visits("b", "p2", 1, 1, "upward")],
            "Higher is better",
            id="opposite directions",
        ),
    ],
)  # fmt: skip
def test_refused(plan: dict[str, Any], points: list[dict[str, Any]], words: str) -> None:
    with pytest.raises(EmberError, match=words):
        build(plan, people("a", "b"), everyone(1)[0], scores(*points))


@pytest.mark.parametrize(
    ("pool", "scale", "second", "refused"),
    [
        pytest.param("one_stage", "points", "madrs", True, id="one stage, two instruments"),
        pytest.param("random_intercept", "points", "madrs", True, id="random intercept, two instruments"),
        pytest.param("two_stage", "points", "madrs", True, id="two stage, two instruments"),
        pytest.param("by_site", "points", "madrs", False, id="kept apart"),
        pytest.param("one_stage", "points", "hamd17", False, id="one instrument"),
        pytest.param("one_stage", "reference_sd", "madrs", False, id="on the reference scale"),
    ],
)
def test_points_of_several_instruments_are_not_pooled(pool: str, scale: str, second: str, refused: bool) -> None:
    plan = analysis(outcome=outcome(scale=scale), models=[{"id": "m", "family": "ancova", "pool": pool}])
    points = scores(*both_visits("a", "p1", 21, 16), *both_visits("b", "p2", 29, 29, second))
    results = measurements(result("a", "p1", 2.0), result("b", "p2", 2.0))
    if refused:
        with pytest.raises(EmberError, match="pools scores"):
            build(plan, people("a", "b"), results, points)
    else:
        assert build(plan, people("a", "b"), results, points)[0]["in_set"].all()


def test_bands_take_the_state_and_need_no_outcome() -> None:
    results = measurements(result("a", "p1", 5.0), result("a", "p2", 5.0, censoring="left"))
    roster = people(*"aaa")
    states = assign_states(results, roster, BANDS, VISITS)
    models = [{"id": "m", "family": "survey_proportion"}]
    plan = analysis(exposure=None, outcome=None, bands={"scheme": "bands"}, models=models)
    table, _, _ = build(plan, roster, results, scores(), endotypes=states)
    assert table["state"].to_list() == ["inflamed_single", "indeterminate", "indeterminate"]
    assert table["reason"].to_list() == [None, "analysis.no_exposure", "analysis.no_exposure"]
    assert table["exposure"].null_count() == 3
    assert table["outcome"].null_count() == 3


def test_bands_without_states_are_refused() -> None:
    with pytest.raises(EmberError, match="not derived"):
        build(analysis(bands={"scheme": "bands"}), people("a"), *everyone(1))


def composite_results(*persons: tuple[str, str, float, float | None]) -> list[dict[str, Any]]:
    rows = []
    for site, person, first, second in persons:
        rows.append(result(site, person, 2.0))
        rows.append(result(site, person, first, analyte="il6", assay="x"))
        if second is not None:
            rows.append(result(site, person, second, analyte="tnf", assay="x"))
    return rows


@pytest.mark.parametrize(
    ("standardise", "expected"),
    [
        pytest.param("analysis_set", [-1.0, 0.0, 1.0, None, None], id="over the set"),
        pytest.param("within_site", [-math.sqrt(0.5), math.sqrt(0.5), None, None, None], id="within a site"),
    ],
)
def test_composite_uses_only_the_set_and_needs_all_analytes(standardise: str, expected: list[float | None]) -> None:
    e = math.e
    rows = composite_results(
        ("a", "p1", e, e), ("a", "p2", e**2, e**2), ("b", "p3", e**3, e**3), ("b", "p4", e**2, None), ("b", "p5", 9, 9)
    )
    points = [row for i, site in enumerate("aabb", start=1) for row in both_visits(site, f"p{i}", 20, 10)]
    plan = analysis(composite={"analytes": ["il6", "tnf"], "standardise": standardise})
    table, _, _ = build(plan, people(*"aabbb"), measurements(*rows), scores(*points))
    assert table["in_set"].to_list() == [True, True, True, True, False]
    found = table["composite"].to_list()
    if standardise == "analysis_set":
        # il6 has four values in the set (1, 2, 3, 2 in ln), tnf three (1, 2, 3).
        scale = np.std([1, 2, 3, 2], ddof=1)
        expected = [(-1 / scale - 1) / 2, 0.0, (1 / scale + 1) / 2, None, None]
    else:
        expected[2] = None  # site b has one tnf in the set: no spread
    for value, wanted in zip(found, expected, strict=True):
        assert (value is None) == (wanted is None)
        if wanted is not None:
            assert value == pytest.approx(wanted, abs=1e-12)


def test_a_composite_needs_a_visit() -> None:
    results, points = everyone(1)
    states = assign_states(results, people("a"), BANDS, VISITS)
    composite = {"analytes": ["il6", "tnf"], "standardise": "analysis_set"}
    plan = analysis(outcome=None, exposure=None, bands={"scheme": "bands"}, composite=composite)
    with pytest.raises(EmberError, match="needs a visit"):
        build(plan, people("a"), results, points, endotypes=states)


def test_composite_below_its_limit_needs_a_declared_fill() -> None:
    rows = measurements(result("a", "p1", 0.3, analyte="il6", censoring="left"))
    plan = analysis(exposure=None, composite={"analytes": ["il6", "tnf"], "standardise": "analysis_set"})
    with pytest.raises(EmberError, match="does not say what stands for it"):
        build(plan, people("a"), rows, everyone(1)[1])


def linked(site: str, person: str, points: float, error: float | None = 2.0) -> list[dict[str, Any]]:
    extra = {"origin": "linked", "crosswalk": "made_up", "link_error_sd": error, "flags": "score.linked"}
    return [{**row, **extra} for row in both_visits(site, person, points, points)]


def test_linked_scores_enter_only_when_the_analysis_says_so() -> None:
    points = scores(*both_visits("a", "p1", 20, 10), *linked("a", "p2", 30))
    with pytest.raises(EmberError, match="linked from another instrument"):
        build(analysis(), people("a", "a"), everyone(2)[0], points)
    native, _, _ = build(analysis(outcome=outcome(linked="excluded")), people("a", "a"), everyone(2)[0], points)
    assert native["outcome"].drop_nulls().to_list() == [10.0]
    both, _, _ = build(analysis(outcome=outcome(linked="included")), people("a", "a"), everyone(2)[0], points)
    assert both["outcome"].to_list() == [10.0, 30.0]


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        pytest.param({"scale": "response"}, 2.0, "judges single people", id="response of a linked score"),
        pytest.param({"scale": "remission"}, 2.0, "judges single people", id="remission of a linked score"),
        pytest.param({}, None, "states no error", id="error of the link unknown"),
    ],
)
def test_linked_scores_that_cannot_be_averaged_are_refused(
    changes: dict[str, Any], error: float | None, words: str
) -> None:
    plan = analysis(outcome=outcome(linked="included", **changes))
    with pytest.raises(EmberError, match=words):
        build(plan, people("a"), everyone(1)[0], scores(*linked("a", "p1", 30, error)))


def versions(one: str, other: str) -> Any:
    rows = {
        name: {"construct": "severity", "direction": "higher_worse", "version_group": "x", "instrument": name,
               "reference_mean": "20", "reference_sd": "5", "response_rule": "fall_50", "remission_operator": "<=",
               "remission_value": "7"}
        for name in (one, other)
    }  # fmt: skip
    return Registry({**registry().tables, "instruments": rows})


@pytest.mark.parametrize("scale", [pytest.param(s, id=s) for s in ("points", "reference_sd", "response", "remission")])
@pytest.mark.parametrize("pool", [pytest.param(p, id=p) for p in ("two_stage", "one_stage", "random_intercept")])
def test_versions_of_one_instrument_are_never_pooled(scale: str, pool: str) -> None:
    plan = analysis(outcome=outcome(scale=scale), models=[{"id": "m", "family": "ancova", "pool": pool}])
    rows = scores(*both_visits("a", "p1", 20, 10, "hamd17"), *both_visits("b", "p2", 20, 10, "hamd21"))
    roster = people("a", "b")
    with pytest.raises(EmberError, match=r"of one instrument: hamd17, hamd21|several instruments: hamd17, hamd21"):
        build_analysis_set(study("a", "b"), plan, versions("hamd17", "hamd21"), roster, everyone(2)[0], rows)


def test_versions_stand_side_by_side_where_sites_are_kept_apart() -> None:
    plan = analysis(models=[{"id": "m", "family": "ancova", "pool": "by_site"}])
    rows = scores(*both_visits("a", "p1", 20, 10, "hamd17"), *both_visits("b", "p2", 20, 12, "hamd21"))
    found = build_analysis_set(
        study("a", "b"), plan, versions("hamd17", "hamd21"), people("a", "b"), everyone(2)[0], rows
    )
    assert found[0]["instrument"].to_list() == ["hamd17", "hamd21"]


def test_indices_of_two_value_sets_are_never_pooled() -> None:
    plan = analysis(models=[{"id": "m", "family": "ancova", "pool": "two_stage"}])
    rows = [
        {**row, "version": value_set}
        for site, person, value_set in (("a", "p1", "uk"), ("b", "p2", "spain"))
        for row in both_visits(site, person, 20, 10)
    ]
    with pytest.raises(EmberError, match="of several value sets: uk, spain"):
        build(plan, people("a", "b"), everyone(2)[0], scores(*rows))
