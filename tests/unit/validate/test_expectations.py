"""Great Expectations and the masks say the same of every rule; a rule that cannot be evaluated is a defect."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import polars as pl
import pytest

from ember.validate.expectations import GateDefectError, check_rules, judged, open_batches, run_gates, sample_keys
from ember.validate.gate_rule import COUNT, KEY, SITE, STAGES, Counts, GateRule
from ember.validate.gates import site_counts
from ember.validate.tally import by_condition, times_table
from tests.unit.validate.dirty import clean, counts, dirty, loaded, registry, standard, study

TABLES = {
    "harmonised-dirty": ("harmonised", dirty()),
    "harmonised-clean": ("harmonised", clean()),
    "standardised-dirty": ("standardised", standard()),
}


@pytest.fixture(scope="module")
def batches() -> Any:
    return open_batches()


@pytest.mark.parametrize("batch_rows", [pytest.param(2, id="many batches"), pytest.param(1000, id="one batch")])
@pytest.mark.parametrize(("stage", "tables"), [pytest.param(*value, id=name) for name, value in TABLES.items()])
def test_the_same_counts_as_the_masks_rule_by_rule(
    stage: str, tables: dict[str, pl.DataFrame], batch_rows: int, batches: Any
) -> None:
    asked: dict[str, Counts] = {}

    def alone(tally: pl.DataFrame, rules: Sequence[GateRule]) -> dict[str, dict[str, Counts]]:
        """Let Great Expectations see every row of the tally: one site and one count each, so that cells are rows."""
        rows = tally.with_columns(pl.lit(1, pl.Int64).alias(COUNT))
        for together, cells in by_condition(rows, rules):
            asked.update(check_rules(cells, together, batches, batch_rows))
        return site_counts(rows.with_columns(pl.lit("all").alias(SITE)), rules)

    masks = counts(
        stage, {"all": {name: frame.with_columns(site_id=pl.lit("all")) for name, frame in tables.items()}}, alone
    )
    compared = {rule for rule in asked if rule in masks and not rule.endswith("key.unique")}
    assert {rule: asked[rule] for rule in compared} == {rule: masks[rule]["all"] for rule in compared}
    assert len(compared) > 20


@pytest.mark.parametrize("batch_rows", [pytest.param(2, id="many batches"), pytest.param(1000, id="one batch")])
@pytest.mark.parametrize(("stage", "tables"), [pytest.param(*value, id=name) for name, value in TABLES.items()])
def test_the_judge_counts_what_the_masks_count(
    stage: str, tables: dict[str, pl.DataFrame], batch_rows: int, batches: Any
) -> None:
    sites = {"a": tables, "b": tables}
    judge = partial(judged, batches=batches, batch_rows=batch_rows)
    assert counts(stage, sites, judge, slice_rows=2) == counts(stage, sites)


def tally(cells: pl.Series, times: int = 1) -> pl.DataFrame:
    """Return cells of the site a, each in so many rows."""
    return cells.to_frame().with_columns(pl.lit("a").alias(SITE), pl.lit(times, pl.Int64).alias(COUNT))


def test_nothing_was_checked_in_an_empty_table(batches: Any) -> None:
    empty = pl.Series("cell", [], dtype=pl.Float64)
    assert check_rules(empty.to_frame(), [rule("between", low=0)], batches) == {"x.rule": Counts(0, 0)}
    assert judged(tally(empty), [rule("between", low=0)], batches) == {"x.rule": {}}


def test_a_rule_that_cannot_be_evaluated_is_a_defect(batches: Any) -> None:
    rule = GateRule("x.word.range", "x", "between", "word", "plausibility", "error", "words have no size", low=1)
    with pytest.raises(GateDefectError, match=r"x\.word\.range"):
        check_rules(pl.DataFrame({"word": ["secret", "text"]}), [rule], batches)


def test_a_defect_does_not_show_values(batches: Any) -> None:
    rule = GateRule("x.word.range", "x", "between", "word", "plausibility", "error", "", low=1)
    with pytest.raises(GateDefectError) as raised:
        check_rules(pl.DataFrame({"word": ["secret"]}), [rule], batches)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("kind", ["between", "unique"])
def test_masks_that_disagree_are_a_defect(kind: str, batches: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = rule(kind, **({"high": 1} if kind == "between" else {}))
    cells = tally(pl.Series("cell", [1, 2]))
    assert judged(cells, [asked], batches) == {"x.rule": {"a": Counts(2, 1)}}
    monkeypatch.setattr(
        "ember.validate.expectations.masks", lambda rows, rule: (pl.col("cell") > 0, pl.col("cell") > 5)
    )
    with pytest.raises(GateDefectError, match="count differently"):
        judged(cells, [asked], batches)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param({1: 7}, Counts(7, 0), id="all once"),
        pytest.param({1: 7, 2: 4}, Counts(11, 4), id="two pairs"),
        pytest.param({1: 7, 2: 4, 3: 3}, Counts(14, 7), id="a key three times"),
        pytest.param({5_000_000: 5_000_000}, Counts(5_000_000, 5_000_000), id="all the same"),
    ],
)
def test_uniqueness_from_how_often_keys_stand(rows: dict[int, int], expected: Counts, batches: Any) -> None:
    asked = GateRule("x.rule", "x", "unique", KEY, "conformance", "error", "")
    cells = times_table(rows).with_columns(pl.lit("a").alias(SITE))
    assert judged(cells, [asked], batches) == {"x.rule": {"a": expected}}


def test_a_sample_key_stands_once_or_twice() -> None:
    assert sample_keys(pl.Series("k", [1, 2, 9])).to_series().to_list() == [0, 1, 1, 2, 2]


@pytest.mark.parametrize("stage", STAGES)
def test_run_gates_gives_each_site_its_verdicts(stage: str) -> None:
    tables = dirty() if stage == "harmonised" else standard()
    gates = run_gates(
        stage, loaded({"a": tables, "b": {name: frame.clear() for name, frame in tables.items()}}), study(), registry()
    )
    by_site = gates.group_by("site", maintain_order=True).agg(pl.col("passed").all(), pl.col("n_checked").sum())
    assert by_site["passed"].to_list() == [False, False]
    assert by_site["n_checked"].to_list()[1] == 1  # the table of participants, which must have rows
    assert gates.filter(pl.col("passed") != (pl.col("n_failed") == 0)).is_empty()


def rule(kind: str, **more: Any) -> GateRule:
    return GateRule("x.rule", "x", kind, "cell", "conformance", "error", "", **more)


@pytest.mark.parametrize(
    ("cells", "asked", "expected"),
    [
        pytest.param(["1", "1.0", " 1", "01"], rule("one_of", allowed=("1",)), Counts(4, 3), id="text is no number"),
        pytest.param(["A", "a", "Á", None], rule("one_of", allowed=("A",)), Counts(3, 2), id="case and accents count"),
        pytest.param(["", "NULL", "nan", None], rule("one_of", allowed=("",)), Counts(3, 2), id="words for missing"),
        pytest.param(["", None], rule("present"), Counts(2, 1), id="an empty text is there"),
        pytest.param([1.5, float("nan"), None], rule("present"), Counts(3, 2), id="not a number is missing"),
        pytest.param([1, 3, None], rule("between", low=1, high=2), Counts(2, 1), id="whole numbers with a gap"),
        pytest.param([float("inf"), 0.5], rule("between", low=0, high=1), Counts(2, 1), id="infinity"),
        pytest.param([True, False, None], rule("true"), Counts(2, 1), id="null is not asked"),
        pytest.param([None, None], rule("between", low=0), Counts(0, 0), id="nothing to check"),
    ],
)
def test_great_expectations_and_masks_on_awkward_cells(
    cells: list[Any], asked: GateRule, expected: Counts, batches: Any
) -> None:
    dtype = pl.Float64 if cells == [None, None] else None
    frame = tally(pl.Series("cell", cells, dtype=dtype))
    assert judged(frame, [asked], batches) == {"x.rule": {"a": expected}}
    three = {"a": Counts(3 * expected.checked, 3 * expected.failed)}
    assert judged(frame.with_columns(pl.lit(3, pl.Int64).alias(COUNT)), [asked], batches) == {"x.rule": three}


@pytest.mark.parametrize(
    ("cells", "asked"),
    [
        pytest.param(["1", "2"], rule("between", low=0), id="text compared by size"),
        pytest.param([1, 2], rule("one_of", allowed=("1",)), id="numbers compared with names"),
        pytest.param([1, 0], rule("true"), id="numbers as truth"),
    ],
)
def test_a_comparison_across_types_is_a_defect(cells: list[Any], asked: GateRule, batches: Any) -> None:
    with pytest.raises(GateDefectError, match="cannot be evaluated"):
        check_rules(pl.DataFrame({"cell": cells}), [asked], batches)


def test_results_hold_no_values(batches: Any) -> None:
    import pandas as pd
    from great_expectations import ExpectationSuite, expectations

    from ember.validate.expectations import WITHOUT_VALUES

    suite = ExpectationSuite(
        name="s", expectations=[expectations.ExpectColumnValuesToBeInSet(column="c", value_set=[1])]
    )
    frame = pd.DataFrame({"c": [987654.0, 1.0]})
    result = batches.get_batch({"dataframe": frame}).validate(suite, result_format=WITHOUT_VALUES)
    assert result.results[0].result["unexpected_count"] == 1
    assert "987654" not in str(result.to_json_dict())


def test_an_exception_inside_great_expectations_is_a_defect(batches: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from great_expectations import expectations

    absent = expectations.ExpectColumnValuesToBeUnique(column="absent", meta={"rule": "x.rule"})
    monkeypatch.setattr("ember.validate.expectations._expectation", lambda rule, frame: absent)
    with pytest.raises(GateDefectError, match="could not be evaluated"):
        check_rules(pl.DataFrame({"cell": [1]}), [rule("unique")], batches)


def test_rules_of_one_condition_see_only_their_rows(batches: Any) -> None:
    frame = pl.DataFrame({"cell": [1.0, 9.0, 9.0], "kind": ["x", "y", None], SITE: "a", COUNT: [2, 3, 4]})
    asked = [rule("between", high=5, where=(("kind", "x"),))]
    assert judged(frame, asked, batches) == {"x.rule": {"a": Counts(2, 0)}}
