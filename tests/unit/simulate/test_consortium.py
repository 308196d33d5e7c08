"""A consortium is the same for the same seed, and its sites do not depend on each other."""

from __future__ import annotations

from collections import Counter

import pytest

from ember.errors import EmberError
from ember.registry.load import PROJECT
from ember.registry.registry import Registry, read_registry
from ember.simulate.consortium import Consortium, expected_ledger, simulate_consortium
from ember.simulate.design import SHAPES, shape_named

SEED = SHAPES["demo"].seed


@pytest.fixture(scope="module")
def registry() -> Registry:
    return read_registry(PROJECT / "config" / "registry")


@pytest.fixture(scope="module")
def demo(registry: Registry) -> Consortium:
    return simulate_consortium(SEED, registry)


def test_same_seed_gives_the_same_cells_and_lines(demo: Consortium, registry: Registry) -> None:
    again = simulate_consortium(SEED, registry)
    assert all(a.cells.equals(b.cells) for a, b in zip(demo.extracts, again.extracts, strict=True))
    assert demo.lines == again.lines


def test_a_site_is_the_same_without_the_others(registry: Registry) -> None:
    tiny = simulate_consortium(5, registry, "tiny", participants_per_site=90)
    full = simulate_consortium(5, registry, "demo", participants_per_site=90)
    assert (tiny.cohorts["graz"].totals == full.cohorts["graz"].totals).all()


def test_a_ledger_line_is_never_expected_twice(demo: Consortium) -> None:
    assert max(Counter(expected_ledger(demo.lines)).values()) == 1


def test_a_cell_that_left_is_never_flagged_as_well(demo: Consortium) -> None:
    flags = {"value.below_limit", "value.above_limit", "value.acute"}
    flagged = {
        (line.site, line.source_file, line.row_number, line.column) for line in demo.lines if line.rule_id in flags
    }
    left = {
        (line.site, line.source_file, line.row_number, line.column) for line in demo.lines if line.rule_id not in flags
    }
    assert not flagged & left


@pytest.mark.parametrize(
    "rule",
    [
        "row.duplicate_exact", "value.missing_code", "value.user_missing", "value.outside_hard_limits",
        "item.outside_range", "item.missing_code", "score.incomplete", "visit.date_unreadable",
        "visit.before_enrolment", "visit.date_order", "value.finding_excluded", "value.below_limit",
        "value.above_limit", "value.acute",
    ],
)  # fmt: skip
def test_every_kind_of_fault_is_planted(demo: Consortium, rule: str) -> None:
    assert any(line.rule_id == rule for line in demo.lines)


def test_mislabelled_batch_has_60_to_90_results(demo: Consortium) -> None:
    assert 60 <= sum(line.rule_id == "value.finding_excluded" for line in demo.lines) <= 90


def test_sizes_are_as_asked(registry: Registry) -> None:
    consortium = simulate_consortium(1, registry, "demo", participants_per_site=95)
    assert {cohort.n for cohort in consortium.cohorts.values()} == {95}


@pytest.mark.parametrize("seed", [pytest.param(seed, id=f"seed {seed}") for seed in range(10)])
def test_the_smallest_size_finds_room_for_all_faults(registry: Registry, seed: int) -> None:
    kinds = {line.rule_id for line in simulate_consortium(seed, registry, "demo", 90).lines}
    assert {"value.finding_excluded", "visit.date_unreadable", "row.duplicate_exact"} <= kinds


@pytest.mark.parametrize(
    ("shape", "too_few"), [pytest.param("demo", 89, id="demo"), pytest.param("tiny", 19, id="tiny")]
)
def test_too_few_participants_are_refused(registry: Registry, shape: str, too_few: int) -> None:
    with pytest.raises(EmberError, match="at least"):
        simulate_consortium(1, registry, shape, too_few)
    assert simulate_consortium(1, registry, shape, too_few + 1).extracts


def test_unknown_shape_names_the_nearest() -> None:
    with pytest.raises(EmberError, match="tiny"):
        shape_named("tinny")
