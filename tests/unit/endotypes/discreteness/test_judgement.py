"""Verdicts on panels: type, shift, and what is not available."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from ember.endotypes.discreteness.beside import of_screen, variabilities
from ember.endotypes.discreteness.judgement import judge
from ember.endotypes.discreteness.tables import condition_table, curve_table, witness_table
from ember.endotypes.discreteness.variability import compare_variability
from ember.registry.load import PROJECT
from tests.unit.endotypes.discreteness.panels import classes, dimension, panel_of_values

RULE: Path = PROJECT / "config" / "registry" / "verdicts" / "inflamed_type.yaml"


@pytest.fixture(scope="module")
def plan() -> dict[str, Any]:
    return yaml.safe_load(RULE.read_text(encoding="utf-8"))


def test_classes_are_a_type_in_every_site(plan: dict[str, Any]) -> None:
    judged = judge(panel_of_values(classes(1, n=800), sites=2), plan, 1)
    assert judged.verdict == "type"
    assert judged.told["all"]["sites_with_two"] == 1
    assert judged.told["all"]["upper_share"] == pytest.approx(0.3, abs=0.05)


def test_a_dimension_is_a_shift_and_the_same_seed_says_the_same(plan: dict[str, Any]) -> None:
    panel = panel_of_values(dimension(2, n=800), limit=-0.8)
    first, second = judge(panel, plan, 1), judge(panel, plan, 1)
    assert first.verdict == "shift"
    assert first.told == second.told


@pytest.mark.parametrize(
    ("markers", "people", "available"),
    [
        pytest.param(3, 300, True, id="just-enough"),
        pytest.param(3, 299, False, id="a-person-short"),
        pytest.param(2, 600, False, id="a-marker-short"),
        pytest.param(1, 600, False, id="crp-alone"),
    ],
)
def test_taxometrics_need_markers_and_people(plan: dict[str, Any], markers: int, people: int, available: bool) -> None:
    own = {**plan, "markers": plan["markers"][:markers]}
    judged = judge(panel_of_values(dimension(3, n=people, markers=markers)), own, 1)
    told = judged.told["all"]
    assert (told["fit_index"] is not None) == available
    assert told["p_value"] is not None
    assert judged.verdict != "type"
    table = witness_table("v", own, judged, ["only"], [])
    notes = table.filter((table["witness"] == "mambac") & (table["variant"] == "all"))["note"].to_list()
    assert (notes == [""]) == available


def test_nothing_is_said_of_a_few_people(plan: dict[str, Any]) -> None:
    judged = judge(panel_of_values(dimension(4, n=60)), plan, 1)
    assert judged.verdict == "undecidable"
    assert set(judged.told["all"].values()) == {None}


def test_tables_meet_their_contracts(plan: dict[str, Any]) -> None:
    judged = judge(panel_of_values(dimension(5, n=400), limit=-0.5, sites=2), plan, 1)
    assert condition_table("v", plan, judged).height == sum(len(part) for part in plan["rule"].values())
    witnesses = witness_table("v", plan, judged, ["a", "b"], [])
    assert set(witnesses["site"]) == {"all", "a", "b"}
    curves = curve_table("v", plan, judged)
    assert set(curves["curve"]) == {"density", "mambac", "l_mode"}
    assert curves.filter(curves["series"] == "data")["n_beyond"].null_count() == 0


def test_variability_beside_a_comparison_group_of_the_same_assay() -> None:
    value = dimension(6, n=800)
    compared = np.arange(800) % 4 == 0
    value[~compared, 0] *= 1.5
    panel = panel_of_values(value, sites=2, compared=compared)
    # Sites alternate with people, so that of the two sites only the first holds the comparison group.
    found = variabilities(panel)
    assert {(one.variant, one.witness) for one in found if one.marker == 0} >= {("all", "ln_vr"), ("all", "ln_cvr")}
    screen = of_screen(found)["all"]
    assert screen["ln_vr_low"] > 0.2
    assert {one.n for one in found if one.variant == "all"} == {400}


def test_no_comparison_group_no_ratio() -> None:
    assert variabilities(panel_of_values(dimension(7))) == []


@pytest.mark.parametrize(("people", "told"), [(9, False), (10, True)])
def test_a_ratio_needs_ten_of_each(people: int, told: bool) -> None:
    value = dimension(8, n=100)[:, 0]
    none = np.zeros(100, dtype=bool)
    cases = np.arange(100) >= people
    assert (compare_variability(value, none, none, cases) is not None) == told
