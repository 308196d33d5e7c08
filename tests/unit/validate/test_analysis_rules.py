"""The rules of an analysis set: what the set must have, and that nobody is left out without a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from ember.tables.store import write_table
from ember.validate.analysis_rules import analysis_counts
from ember.validate.gate_files import set_loader
from ember.validate.gates import site_counts
from tests.unit.validate.dirty import loaded, registry, study, table

ANALYSIS = {"analysis": "main", "exposure": {}, "outcome": {}, "treatment": {}}
OUT = {"in_set": False, "reason": "analysis.no_outcome", "outcome": None, "exposure": None}


def person(name: str, **more: Any) -> dict[str, Any]:
    return {
        "site_id": "a", "participant_id": name, "row_number": 2, "in_set": True, "treatment": 1, "exposure": 0.5,
        "outcome": 1.0, **more,
    }  # fmt: skip


def failures(*rows: dict[str, Any], analysis: dict[str, Any] | None = None) -> dict[str, int]:
    frame = table("analysis_set", list(rows))
    found: dict[str, int] = {}
    load = loaded({"a": {"main": frame}}, slice_rows=2)
    for _, counted in analysis_counts(analysis or ANALYSIS, ["a"], load, study(), registry(), site_counts):
        for rule, by_site in counted.items():
            found[rule.removeprefix("analysis.main.")] = sum(counts.failed for counts in by_site.values())
    return {rule: failed for rule, failed in found.items() if failed}


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        pytest.param([person("p1"), person("p2", treatment=0), person("p3", **OUT)], {}, id="clean"),
        pytest.param([person("p1"), person("p2", treatment=0, exposure=None)], {"exposure.in_set": 1}, id="exposure"),
        pytest.param(
            [person("p1"), person("p2", treatment=0, outcome=float("nan"))], {"outcome.in_set": 1}, id="outcome is nan"
        ),
        pytest.param(
            [person("p1"), person("p2", treatment=0), person("p3", treatment=None)], {"treatment.in_set": 1}, id="arm"
        ),
        pytest.param([person("p1"), person("p2")], {"arms.both": 1}, id="one arm"),
        pytest.param([person("p1"), person("p2", **{**OUT, "treatment": 0})], {"arms.both": 1}, id="other arm is out"),
        pytest.param(
            [person("p1"), person("p2", treatment=0), person("p3", **{**OUT, "reason": None})],
            {"reason.outside": 1}, id="out without reason",
        ),
        pytest.param(
            [person("p1"), person("p2", treatment=0, reason="analysis.no_outcome")],
            {"reason.outside": 1}, id="in with reason",
        ),
        pytest.param(
            [person("p1"), person("p2", treatment=0), person("p3", **{**OUT, "reason": "made.up"})],
            {"reason.known": 1}, id="unknown reason",
        ),
        pytest.param([person("p1"), person("p1", treatment=0)], {"key.unique": 2}, id="twice"),
        pytest.param([], {"rows.present": 1, "arms.both": 1}, id="empty"),
    ],
)  # fmt: skip
def test_rules(rows: list[dict[str, Any]], expected: dict[str, int]) -> None:
    assert failures(*rows) == expected


def test_a_set_without_arms_is_not_asked_for_them() -> None:
    assert failures(person("p1", treatment=None), analysis={"analysis": "main", "exposure": {}}) == {}


def test_the_loader_finds_the_rows_of_each_site(tmp_path: Path) -> None:
    people = [("b", "p1"), ("b", "p2"), ("a", "p3"), ("b", "p4"), ("c", "p5")]
    frame = table("analysis_set", [person(name, site_id=site) for site, name in people])
    write_table(frame, tmp_path / "analysis/main.parquet", "analysis_set")
    load = set_loader(tmp_path, slice_rows=2)
    found = {site: pl.concat(load(site, "main", ["participant_id"]))["participant_id"].to_list() for site in "abd"}
    assert found == {"a": ["p3"], "b": ["p1", "p2", "p4"], "d": []}
