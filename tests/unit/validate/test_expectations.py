"""Great Expectations and the masks say the same of every rule; a rule that cannot be evaluated is a defect."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ember.validate.expectations import GateDefectError, check_rules, counts_by_site, open_batches, run_gates
from ember.validate.gate_rules import STAGES, GateRule
from ember.validate.gates import Counts, GateTable, gate_tables, site_counts
from tests.unit.validate.dirty import clean, dirty, registry, standard, study

PARTS: dict[str, GateTable] = {
    f"{stage}-{name}-{part.table}": part
    for stage, name, tables in (
        ("harmonised", "dirty", dirty()),
        ("harmonised", "clean", clean()),
        ("standardised", "dirty", standard()),
    )
    for part in gate_tables(stage, {"a": tables, "b": tables}, study(), registry())
}


@pytest.fixture(scope="module")
def batches() -> Any:
    return open_batches()


@pytest.mark.parametrize("batch_rows", [pytest.param(2, id="many batches"), pytest.param(1000, id="one batch")])
@pytest.mark.parametrize("part", [pytest.param(part, id=name) for name, part in PARTS.items()])
def test_the_same_counts_as_the_masks_rule_by_rule(part: GateTable, batch_rows: int, batches: Any) -> None:
    found = check_rules(part.frame, part.rules, batches, batch_rows)
    assert found == {rule.rule: sum(site_counts(part.frame, rule).values(), Counts()) for rule in part.rules}
    assert len(found) == len(part.rules)


def test_nothing_was_checked_in_an_empty_table(batches: Any) -> None:
    part = PARTS["harmonised-dirty-measurements"]
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
    monkeypatch.setattr("ember.validate.expectations.site_counts", lambda frame, rule: {"a": Counts(frame.height, 1)})
    with pytest.raises(GateDefectError, match="count differently"):
        counts_by_site(PARTS["harmonised-clean-visits"], batches)


@pytest.mark.parametrize("stage", STAGES)
def test_run_gates_gives_each_site_its_verdicts(stage: str) -> None:
    tables = dirty() if stage == "harmonised" else standard()
    gates = run_gates(
        stage, {"a": tables, "b": {name: frame.clear() for name, frame in tables.items()}}, study(), registry()
    )
    by_site = gates.group_by("site", maintain_order=True).agg(pl.col("passed").all(), pl.col("n_checked").sum())
    assert by_site["passed"].to_list() == [False, True]
    assert by_site["n_checked"].to_list()[1] == 0
    assert gates.filter(pl.col("passed") != (pl.col("n_failed") == 0)).is_empty()
