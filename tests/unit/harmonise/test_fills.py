"""Fills: heaps at the limit become censored where that is certain, and a question where it is not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import pyreadstat
import pytest

from ember.harmonise.detection_limits import LimitPeriod, SiteLimits, with_limits
from ember.harmonise.fills import (
    KEPT_NUMBERS,
    METHODS,
    Heap,
    add_counts,
    count_numbers,
    fill_rule,
    fill_table,
    find_heaps,
    rounds,
    with_fills,
)
from ember.harmonise.limit_findings import excluded_heaps, limit_findings
from ember.harmonise.limits import with_censoring
from ember.harmonise.units import with_conversions
from ember.registry.model import Answer, Site
from tests.real_data import real_file
from tests.unit.harmonise.harmonise_rows import FILE, measurement_rows, shared_registry, study_with

SHOWN = f"resources/demo/{FILE}"
SITE = Site("porto", "Porto", ())
HONEST = {0.3: 20, 0.4: 22, 0.5: 25, 0.6: 21, 0.7: 19, 0.8: 17, 0.9: 15}
DXC, COBAS = "beckman_dxc_hscrp_nhanes_2015", "cobas_6000_hscrp_nhanes_2017"


def limit_of(low: float) -> SiteLimits:
    return {(SHOWN, "hscrp"): (LimitPeriod(low, None),)}


def results(frequency: Mapping[float, int], declared: SiteLimits, **cells: Any) -> pl.DataFrame:
    """Return measurements with each number as often as given, with their limits."""
    rows = [
        {"number": number, "value_reported": str(number), **cells} for number, n in frequency.items() for _ in range(n)
    ]
    return limited(measurement_rows(rows), declared)


def limited(rows: pl.DataFrame, declared: SiteLimits) -> pl.DataFrame:
    return with_limits(with_conversions(rows, shared_registry(), {}), shared_registry(), declared)


def heaps_of(rows: pl.DataFrame, declared: SiteLimits) -> list[Heap]:
    return find_heaps(count_numbers(rows), shared_registry(), declared)


def told(frequency: Mapping[float, int], declared: SiteLimits, **cells: Any) -> tuple[str | None, bool] | None:
    """Return the rule of the heap and whether it is asked about; None without a heap."""
    heaps = heaps_of(results(frequency, declared, **cells), declared)
    assert len(heaps) <= 1
    return (heaps[0].rule, heaps[0].doubt != "") if heaps else None


@pytest.mark.parametrize(
    ("number", "limit", "rule"),
    [
        pytest.param(0.08, 0.11, "LOD/sqrt 2", id="NHANES 2015-16, two decimals"),
        pytest.param(0.11, 0.15, "LOD/sqrt 2", id="NHANES 2017-18"),
        pytest.param(0.0777817, 0.11, "LOD/sqrt 2", id="a computer's decimals"),
        pytest.param(0.075, 0.15, "LOD/2", id="half"),
        pytest.param(0.08, 0.15, "LOD/2", id="half, rounded to even or up"),
        pytest.param(0.15, 0.15, "LOD", id="the limit"),
        pytest.param(0.2, 0.15, "LOD", id="the limit, to one decimal"),
        pytest.param(0.12, 0.15, None, id="no fill"),
        pytest.param(0.3, 0.15, None, id="above"),
    ],
)
def test_fills_to_the_decimals_of_the_number(number: float, limit: float, rule: str | None) -> None:
    assert fill_rule(number, limit) == rule


@pytest.mark.parametrize(
    ("exact", "number", "holds"),
    [(0.106, 0.11, True), (0.105, 0.11, True), (0.1049, 0.11, False), (0.115, 0.11, True), (0.1151, 0.11, False)],
)
def test_rounding_includes_both_halves(exact: float, number: float, holds: bool) -> None:
    assert rounds(exact, number) is holds


@pytest.mark.parametrize(
    ("frequency", "limit", "expected"),
    [
        pytest.param({0.18: 60, **HONEST}, 0.25, ("LOD/sqrt 2", False), id="LOD/sqrt 2"),
        pytest.param({0.125: 60, **HONEST}, 0.25, ("LOD/2", False), id="LOD/2"),
        pytest.param({0.25: 60, **HONEST}, 0.25, ("LOD", False), id="the limit itself"),
        pytest.param({0.05: 1, 0.25: 60, **HONEST}, 0.25, None, id="the file shows a smaller value"),
        pytest.param({0.25: 41, **HONEST}, 0.25, None, id="not often enough: neighbours 20 to 25"),
        pytest.param({0.25: 9, 0.3: 1, 0.4: 1}, 0.25, None, id="nine rows are no heap"),
        pytest.param({0.25: 10, 0.3: 1, 0.4: 1}, 0.25, ("LOD", False), id="ten rows are"),
        pytest.param(HONEST, 0.3, None, id="honest results from the limit on"),
        pytest.param({0.27: 60, **HONEST}, 0.25, None, id="a heap above the limit is nobody's fill"),
        pytest.param({0.25: 60}, 0.25, None, id="one number is no distribution"),
    ],
)
def test_a_heap_at_a_known_limit(
    frequency: dict[float, int], limit: float, expected: tuple[str | None, bool] | None
) -> None:
    assert told(frequency, limit_of(limit)) == expected


def test_a_heap_without_a_known_limit_is_asked_about() -> None:
    assert told({0.18: 60, **HONEST}, {}) == (None, True)


def test_a_coarse_scale_without_a_limit_is_honest() -> None:
    # Whole mg/L: 1 stands for 0.5 to 1.5, where a third of the results lie.
    assert told({1.0: 340, 2.0: 130, 3.0: 100, 4.0: 70, 5.0: 50, 6.0: 40}, {}) is None


def test_a_coarse_scale_at_the_limit_is_asked_about() -> None:
    assert told({1.0: 340, 2.0: 130, 3.0: 100, 4.0: 70, 5.0: 50, 6.0: 40}, limit_of(1.0)) == ("LOD", True)


def test_the_limit_of_another_assay_is_never_taken_for_a_fill() -> None:
    # 0.11 is the fill of this assay (0.15 / sqrt 2) and the limit of the one before it.
    heaps = heaps_of(results({0.11: 75, **HONEST}, {}, assay_id=COBAS), {})
    assert [(heap.rule, heap.below) for heap in heaps] == [("LOD/sqrt 2", True)]
    assert "limit of another assay" in heaps[0].doubt
    assert fill_table(heaps).height == 0


def test_a_limit_of_another_period_of_the_site_is_never_taken_for_a_fill() -> None:
    declared: SiteLimits = {
        (SHOWN, "hscrp"): (LimitPeriod(0.25, None, batches=("A",)), LimitPeriod(0.18, None, batches=("B",)))
    }
    heaps = heaps_of(results({0.18: 60, **HONEST}, declared, batch="A"), declared)
    assert [heap.doubt != "" for heap in heaps] == [True]


def test_comment_codes_go_before_heaps() -> None:
    marked = results({0.08: 60}, {}, assay_id=DXC, operator="<")
    measured = results({0.11: 60, **HONEST}, {}, assay_id=DXC)
    assert heaps_of(pl.concat([marked, measured]), {}) == []


def test_heaps_are_those_of_their_unit_and_limit() -> None:
    declared: SiteLimits = {
        (SHOWN, "hscrp"): (LimitPeriod(0.25, None, batches=("A",)), LimitPeriod(2.0, None, batches=("B",)))
    }
    parts = [
        results({0.125: 60, **HONEST}, declared, batch="A"),
        results({1.0: 60, 2.3: 9, 2.4: 11, 2.5: 10, 2.6: 8}, declared, batch="B"),
        results({0.0125: 60, 0.03: 20, 0.04: 22, 0.05: 20}, declared, batch="A", unit_reported="mg/dL"),
    ]
    heaps = heaps_of(pl.concat(parts), declared)
    assert [(heap.number, heap.rule, heap.method.unit_reported) for heap in heaps] == [
        (0.125, "LOD/2", "mg/L"),
        (1.0, "LOD/2", "mg/L"),
        (0.0125, "LOD/2", "mg/dL"),
    ]


def test_zero_is_no_smaller_value() -> None:
    assert told({0.0: 3, 0.18: 60, **HONEST}, limit_of(0.25)) == ("LOD/sqrt 2", False)


def test_counts_of_shares_add_up_to_those_of_the_site() -> None:
    rows = results({0.18: 60, **HONEST}, limit_of(0.25))
    shares = [count_numbers(part) for part in (rows[::3], rows[1::3], rows[2::3], rows[:0])]
    assert find_heaps(add_counts(shares), shared_registry(), limit_of(0.25)) == heaps_of(rows, limit_of(0.25))
    key = ["what", "number"]
    assert add_counts(shares).sort(key).select(*key, "n").equals(count_numbers(rows).sort(key).select(*key, "n"))


def test_fills_become_left_censored_at_the_limit_and_signs_stay() -> None:
    rows = results({0.25: 60, **HONEST}, limit_of(0.25))
    told_apart = measurement_rows(
        [{"number": 0.25, "operator": ">", "limit_reported": 0.25, "value_reported": ">0.25"}]
    )
    rows = pl.concat([rows, limited(told_apart, limit_of(0.25))])
    done = with_censoring(with_fills(rows, fill_table(heaps_of(rows, limit_of(0.25)))))
    at = done.filter(pl.col("number") == 0.25)
    assert at["censoring"].to_list() == [*["left"] * 60, "right"]
    assert set(at["value"]) == {0.25}
    assert at["measured"].null_count() == 61
    assert set(done.filter(pl.col("number") > 0.25)["censoring"]) == {"none"}


def answered(*answers: Answer, frequency: Mapping[float, int], declared: SiteLimits, **cells: Any) -> pl.DataFrame:
    rows = results(frequency, declared, **cells)
    counts = count_numbers(rows)
    heaps = find_heaps(counts, shared_registry(), declared)
    return limit_findings(study_with(answers), SITE, heaps, counts, "harmonise_site")


def test_a_heap_that_stays_numbers_stops_the_study() -> None:
    found = answered(frequency={0.18: 60, **HONEST}, declared={})
    assert found.select("finding", "rule_id", "severity", "n", "answered").rows() == [
        ("fill:porto:hscrp:no_assay", "value.fill_suspect", "error", 60, False)
    ]
    assert "0.18" not in found["message"][0]


def test_a_heap_whose_rows_are_censored_anyway_warns() -> None:
    found = answered(frequency={0.11: 75, **HONEST}, declared={}, assay_id=COBAS)
    assert found.select("finding", "severity").rows() == [(f"fill:porto:hscrp:{COBAS}", "warning")]


def test_several_numbers_below_a_limit_contradict_it() -> None:
    found = answered(frequency={0.05: 4, 0.07: 5, 0.12: 6, **HONEST}, declared=limit_of(0.25))
    assert found.select("finding", "rule_id", "severity", "n").rows() == [
        ("limit:porto:hscrp:no_assay", "value.limit_contradicted", "warning", 15)
    ]
    assert answered(frequency={0.05: 4, 0.07: 5, **HONEST}, declared=limit_of(0.25)).height == 0


def test_an_answer_that_excludes_takes_the_heap_out() -> None:
    answer = Answer("fill:porto:hscrp:no_assay", "exclude", "nobody knows what it means")
    rows = results({0.18: 60, **HONEST}, {})
    [(given, stands)] = excluded_heaps(study_with([answer]), SITE, heaps_of(rows, {}))
    assert given is answer
    assert set(rows.filter(stands)["number"]) == {0.18}
    assert rows.filter(stands).height == 60


def test_an_answer_that_confirms_keeps_the_numbers() -> None:
    answer = Answer("fill:porto:hscrp:no_assay", "confirm", "the laboratory rounds up")
    assert excluded_heaps(study_with([answer]), SITE, heaps_of(results({0.18: 60, **HONEST}, {}), {})) == []
    found = answered(answer, frequency={0.18: 60, **HONEST}, declared={})
    assert found.select("answered", "action").rows() == [(True, "confirm")]


def test_an_answer_to_what_does_not_arise_is_told() -> None:
    answer = Answer("fill:porto:hscrp:no_assay", "exclude", "nobody knows what it means")
    found = answered(answer, frequency=HONEST, declared={})
    assert found.select("rule_id", "severity").rows() == [("finding.not_found", "warning")]


def test_honest_lognormal_columns_are_never_heaps() -> None:
    random = np.random.default_rng(1)
    for decimals in (1, 2, 3):
        for low in (0.15, 0.3):
            values = np.round(np.exp(random.normal(0.6, 1.1, 3000)), decimals)
            numbers, n = np.unique(values[values >= low], return_counts=True)
            frequency = dict(zip(numbers.tolist(), n.tolist(), strict=True))
            assert told(frequency, limit_of(low)) is None
            assert told(frequency, {}) is None


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
@pytest.mark.parametrize("factor", [1 / np.sqrt(2), 0.5, 1.0])
def test_fills_of_a_lognormal_column_are_found(share: float, factor: float) -> None:
    random = np.random.default_rng(2)
    values = np.exp(random.normal(0.6, 1.1, 3000))
    low = float(np.round(np.quantile(values, share), 2))
    written = np.round(np.where(values < low, factor * low, values), 2)
    numbers, n = np.unique(written, return_counts=True)
    found = told(dict(zip(numbers.tolist(), n.tolist(), strict=True)), limit_of(low))
    assert found is not None and found[0] is not None
    assert found[1] is False


def nhanes(assay: str | None, coded: bool) -> pl.DataFrame:
    """Return the hsCRP of NHANES 2015-16, with its comment codes as signs or without them."""
    data, _ = pyreadstat.read_xport(real_file("nhanes/HSCRP_I.XPT"))
    kept = data.dropna(subset=["LBXHSCRP"])
    number = kept["LBXHSCRP"].to_numpy()
    below = (kept["LBDHRPLC"] == 1).to_numpy()
    cells: Sequence[dict[str, Any]] = [
        {
            "number": float(value),
            "value_reported": f"{value:g}",
            "operator": "<" if coded and low else "",
            "assay_id": assay,
        }
        for value, low in zip(number, below, strict=True)
    ]
    return limited(measurement_rows(cells), {})


def test_nhanes_2015_without_comment_codes_is_censored_at_its_limit() -> None:
    rows = nhanes(DXC, coded=False)
    heaps = heaps_of(rows, {})
    assert [(heap.number, heap.n, heap.rule, heap.doubt) for heap in heaps] == [(0.08, 1265, "LOD/sqrt 2", "")]
    done = with_censoring(with_fills(rows, fill_table(heaps)))
    assert done.filter(pl.col("censoring") == "left").select(pl.len(), pl.col("value").max()).row(0) == (1265, 0.11)
    assert done.filter(pl.col("censoring") == "none").height == 7867 - 1265


def test_nhanes_2015_with_comment_codes_needs_no_heap() -> None:
    rows = nhanes(DXC, coded=True)
    assert heaps_of(rows, {}) == []
    done = with_censoring(with_fills(rows, fill_table([])))
    assert done.filter(pl.col("censoring") == "left").select(pl.len(), pl.col("value").max()).row(0) == (1265, 0.11)


def test_nhanes_2015_without_codes_and_limit_stops_the_study() -> None:
    rows = nhanes(None, coded=False)
    counts = count_numbers(rows)
    found = limit_findings(study_with(), SITE, find_heaps(counts, shared_registry(), {}), counts, "harmonise_site")
    assert found.select("severity", "n").rows() == [("error", 1265)]


def test_texts_may_be_categories() -> None:
    rows = results({0.25: 60, **HONEST}, limit_of(0.25))
    texts = ["source_file", "analyte", "assay_id", "unit_reported", "operator", "value_reported"]
    shares = [rows.with_columns(pl.col(texts).cast(pl.Categorical)), rows]
    tables = [fill_table(heaps_of(share, limit_of(0.25))) for share in shares]
    assert tables[0].equals(tables[1])
    for share, fills in zip(shares, tables, strict=True):
        assert with_censoring(with_fills(share, fills))["censoring"].value_counts(sort=True)["count"].to_list() == [
            139,
            60,
        ]


def counted(values: np.ndarray[Any, Any], limit: float | None) -> pl.DataFrame:
    """Return the counts of a column of numbers in mg/L."""
    numbers, n = np.unique(values[values > 0], return_counts=True)
    kept = min(len(numbers), KEPT_NUMBERS)
    method = {
        "source_file": FILE, "analyte": "hscrp", "assay_id": None, "unit_reported": "mg/L",
        "detection_limit": limit, "numerator": 1.0, "denominator": 1.0,
    }  # fmt: skip
    rows = [{**method, "what": "number", "number": numbers[i], "n": int(n[i])} for i in range(kept)]
    return pl.DataFrame([*rows, {**method, "what": "all", "number": None, "n": int(n.sum())}], infer_schema_length=None)


def columns(seed: int, n: int) -> Iterator[np.ndarray[Any, Any]]:
    """Yield lognormal columns of several medians and spreads."""
    random = np.random.default_rng(seed)
    for _ in range(60):
        yield np.exp(random.uniform(-0.5, 1.5) + random.uniform(0.6, 1.3) * random.normal(size=n))


@pytest.mark.parametrize("n", [200, 1000])
def test_honest_columns_of_many_kinds_are_never_taken_for_fills(n: int) -> None:
    for number, values in enumerate(columns(20261124, n)):
        for decimals in (1, 2, 3):
            limit = (0.1, 0.15, 0.3, 0.5)[number % 4]
            rounded = np.round(values, decimals)
            counts = counted(rounded[rounded >= limit], limit)
            assert fill_table(find_heaps(counts, shared_registry(), {})).height == 0


@pytest.mark.parametrize("rule", METHODS)
def test_the_published_curve_of_fills(rule: str) -> None:
    # n = 1,000, two decimals, 5 % below the limit: at least 97 % of the columns in the manual.
    found = []
    for values in columns(20261124, 1000):
        limit = round(float(np.quantile(values, 0.05)), 2)
        number = round(METHODS[rule] * limit, 2)
        counts = counted(np.round(np.where(values < limit, number, values), 2), limit)
        fills = fill_table(find_heaps(counts, shared_registry(), {}))
        found.append(fills["number"].to_list() == [number] or number + 0.005 <= limit)
    assert np.mean(found) >= 0.9
