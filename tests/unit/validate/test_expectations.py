"""Great Expectations and the masks say the same of every rule; a rule that cannot be evaluated is a defect."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ember.validate.expectations import GateDefectError, check_rules, counts_by_site, open_batches, run_gates
from ember.validate.gate_rule import SITE, STAGES, Counts, GateRule
from ember.validate.gate_tables import GateTable, loaded
from ember.validate.gates import site_counts
from tests.unit.validate.dirty import clean, dirty, parts, registry, standard, study

PARTS: dict[str, GateTable] = {
    f"{stage}-{name}-{number}-{part.table}": part
    for stage, name, tables in (
        ("harmonised", "dirty", dirty()),
        ("harmonised", "clean", clean()),
        ("standardised", "dirty", standard()),
    )
    for number, part in enumerate(parts(stage, {"a": tables, "b": tables}))
}


@pytest.fixture(scope="module")
def batches() -> Any:
    return open_batches()


@pytest.mark.parametrize("batch_rows", [pytest.param(2, id="many batches"), pytest.param(1000, id="one batch")])
@pytest.mark.parametrize("part", [pytest.param(part, id=name) for name, part in PARTS.items()])
def test_the_same_counts_as_the_masks_rule_by_rule(part: GateTable, batch_rows: int, batches: Any) -> None:
    found = check_rules(part.frame, part.rules, batches, batch_rows)
    masks = site_counts(part.frame, part.rules)
    assert found == {rule: sum(by_site.values(), Counts()) for rule, by_site in masks.items()}
    assert len(found) == len(part.rules)


def test_nothing_was_checked_in_an_empty_table(batches: Any) -> None:
    part = next(
        part for name, part in PARTS.items() if name.startswith("harmonised-dirty") and part.table == "measurements"
    )
    found = check_rules(part.frame.clear(), part.rules, batches)
    assert {(number.checked, number.failed) for number in found.values()} == {(0, 0)}


def test_a_rule_that_cannot_be_evaluated_is_a_defect(batches: Any) -> None:
    rule = GateRule("x.word.range", "x", "between", "word", "plausibility", "error", "words have no size", low=1)
    with pytest.raises(GateDefectError, match=r"x\.word\.range"):
        check_rules(pl.DataFrame({"word": ["secret", "text"]}), [rule], batches)


def test_a_defect_does_not_show_values(batches: Any) -> None:
    rule = GateRule("x.word.range", "x", "between", "word", "plausibility", "error", "", low=1)
    with pytest.raises(GateDefectError) as raised:
        check_rules(pl.DataFrame({"word": ["secret"]}), [rule], batches)
    assert "secret" not in str(raised.value)


def test_masks_that_disagree_are_a_defect(batches: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "ember.validate.expectations.site_counts",
        lambda frame, rules: {rule.rule: {"a": Counts(frame.height, 1)} for rule in rules},
    )
    part = next(part for name, part in PARTS.items() if name.startswith("harmonised-clean") and part.table == "visits")
    with pytest.raises(GateDefectError, match="count differently"):
        counts_by_site(part.frame, part.rules, batches)


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
        pytest.param([2**53, 2**53 + 1], rule("unique"), Counts(2, 0), id="keys keep every digit"),
        pytest.param([float("inf"), 0.5], rule("between", low=0, high=1), Counts(2, 1), id="infinity"),
        pytest.param([True, False, None], rule("true"), Counts(2, 1), id="null is not asked"),
        pytest.param([None, None], rule("between", low=0), Counts(0, 0), id="nothing to check"),
    ],
)
def test_great_expectations_and_masks_on_awkward_cells(
    cells: list[Any], asked: GateRule, expected: Counts, batches: Any
) -> None:
    dtype = pl.Float64 if cells == [None, None] else None
    frame = pl.DataFrame({"cell": cells}, schema_overrides={"cell": dtype} if dtype else None)
    frame = frame.with_columns(pl.lit("a", pl.Categorical()).alias(SITE))
    assert counts_by_site(frame, [asked], batches) == {"x.rule": {"a": expected}}


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
    frame = pl.DataFrame({"cell": [1.0, 9.0, 9.0], "kind": ["x", "y", None]})
    asked = [
        rule("between", high=5, where=(("kind", "x"),)),
    ]
    assert check_rules(frame, asked, batches) == {"x.rule": Counts(1, 0)}
