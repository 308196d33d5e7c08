"""Distinct cells and their counts: the same whatever the slices, and judged before they grow too many."""

from __future__ import annotations

import polars as pl
import pytest

from ember.validate.gate_rule import COUNT, KEY, SITE, Counts, GateRule
from ember.validate.gates import site_counts
from ember.validate.tally import Tally, by_condition, distinct_counts, merged, times_of


def rule(name: str, kind: str, checked: str, **more: object) -> GateRule:
    return GateRule(name, "x", kind, checked, "conformance", "error", "", **more)  # type: ignore[arg-type]


ROWS = pl.DataFrame(
    {
        "value": [1.0, 1.0, 2.0, None, 2.0, float("nan")],
        "kind": ["a", "a", "b", "a", None, "b"],
        "other": [True, True, True, True, True, True],
    }
)
RULES = [
    rule("present", "present", "value"),
    rule("low", "between", "value", high=1.5),
    rule("low.b", "between", "value", high=1.5, where=(("kind", "b"),)),
    rule("kind", "one_of", "kind", allowed=("a",)),
    rule("other", "true", "other"),
]


def test_a_set_of_columns_within_another_is_counted_from_it() -> None:
    found = distinct_counts(ROWS, [("value",), ("value", "kind"), ("other",)])
    assert {columns: table[COUNT].sum() for columns, table in found.items()} == dict.fromkeys(found, 6)
    assert {columns: table.height for columns, table in found.items()} == {
        ("value",): 4, ("value", "kind"): 5, ("other",): 1,
    }  # fmt: skip


@pytest.mark.parametrize("largest", [pytest.param(largest, id=f"judged above {largest}") for largest in (1, 3, 1000)])
@pytest.mark.parametrize("height", [pytest.param(height, id=f"{height} rows a slice") for height in (1, 4, 6)])
def test_counts_by_site(height: int, largest: int) -> None:
    tally = Tally(site_counts, RULES, largest)
    for site, times in (("a", 1), ("b", 2)):
        for start in list(range(0, ROWS.height, height)) * times:
            tally.add(site, ROWS.slice(start, height))
    found = tally.settle_all()
    assert {name: by_site["a"] for name, by_site in found.items()} == {
        "present": Counts(6, 2), "low": Counts(4, 2), "low.b": Counts(1, 1), "kind": Counts(5, 2),
        "other": Counts(6, 0),
    }  # fmt: skip
    assert all(by_site["b"] == by_site["a"] + by_site["a"] for by_site in found.values())


def test_what_waits_is_never_much_more_than_the_largest() -> None:
    tally = Tally(site_counts, [rule("low", "between", "value", high=1.5)], largest=100)
    for start in range(0, 3000, 30):
        tally.add("a", pl.DataFrame({"value": pl.int_range(start, start + 30, eager=True).cast(pl.Float64)}))
        assert sum(part.height for parts in tally.waiting.values() for part in parts) <= 100
    assert tally.settle_all() == {"low": {"a": Counts(3000, 2998)}}


def test_the_same_cells_are_merged() -> None:
    table = pl.DataFrame({SITE: ["a", "b", "a"], "c": [None, None, None], COUNT: [1, 2, 3]})
    assert merged(table).rows() == [("a", None, 4), ("b", None, 2)]


def test_no_rows() -> None:
    tally = Tally(site_counts, RULES)
    tally.add("a", ROWS.clear())
    assert tally.settle_all() == {rule.rule: {} for rule in RULES}


def test_rules_of_a_condition_that_no_row_meets_are_left_out() -> None:
    asked = [
        rule("x", "present", "value", where=(("kind", "nobody"),)),
        rule("b", "present", "value", where=(("kind", "b"),)),
    ]
    assert [([each.rule for each in rules], rows.height) for rules, rows in by_condition(ROWS, asked)] == [(["b"], 2)]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        pytest.param([1, 5, 9], {1: 3}, id="in order"),
        pytest.param([9, 1, 5], {1: 3}, id="out of order"),
        pytest.param([1, 1, 5], {1: 1, 2: 2}, id="twice, in order"),
        pytest.param([7, 1, 7, 5, 7, 1], {1: 1, 2: 2, 3: 3}, id="thrice"),
        pytest.param([2**53, 2**53 + 1], {1: 2}, id="every digit counts"),
        pytest.param([2**53 + 1, 2**53], {1: 2}, id="every digit counts, out of order"),
        pytest.param([], {}, id="none"),
    ],
)
def test_how_often_keys_stand(keys: list[int], expected: dict[int, int]) -> None:
    assert dict(times_of(pl.Series(keys, dtype=pl.Int64)).select(KEY, COUNT).sort(KEY).rows()) == expected
