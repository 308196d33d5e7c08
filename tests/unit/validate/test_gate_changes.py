"""What study.yaml changes of the rules, and what it names in vain."""

from __future__ import annotations

import pytest

from ember.registry.load import load_study
from ember.registry.model import GateChange
from ember.validate.gate_changes import with_changes
from ember.validate.gate_rule import GateRule
from ember.validate.gates import gate_frame
from ember.validate.possible_rules import gate_findings, possible_rules
from tests.unit.validate.dirty import dirty, parts, registry, study

RULE = GateRule("visits.visit.allowed", "visits", "one_of", "visit", "conformance", "error", "t")


@pytest.mark.parametrize(
    ("changes", "severity", "share"),
    [
        pytest.param([], "error", None, id="nothing"),
        pytest.param([GateChange("visits.visit.allowed", "known", severity="warning")], "warning", None, id="severity"),
        pytest.param([GateChange("visits.*", "known", share=0.1)], "error", 0.1, id="share by pattern"),
        pytest.param([GateChange("*", "known", share=0.0)], "error", 0.0, id="a share of none"),
        pytest.param([GateChange("visits.visit", "known", share=0.1)], "error", None, id="no pattern, no prefix"),
        pytest.param(
            [GateChange("visits.*", "known", share=0.1), GateChange("visits.visit.allowed", "less", share=0.2)],
            "error", 0.2, id="the last one counts",
        ),
        pytest.param(
            [GateChange("visits.*", "one", severity="warning"), GateChange("visits.v*", "two", share=0.2)],
            "warning", 0.2, id="each says its own",
        ),
    ],
)  # fmt: skip
def test_changes(changes: list[GateChange], severity: str, share: float | None) -> None:
    (changed,) = with_changes([RULE], study(changes=tuple(changes)))
    assert (changed.severity, changed.share) == (severity, share)
    assert (changed.reason is None) is (changed == RULE)


def test_the_verdict_follows_share_and_severity_and_keeps_the_reason() -> None:
    changes = (
        GateChange("visits.visit.allowed", "the site has a visit of its own", share=0.25),
        GateChange("participants.key.unique", "twins share an id", severity="warning"),
    )
    frame = gate_frame("harmonised", parts("harmonised", {"a": dirty()}, changes), ["a"])
    named = {row["rule"]: row for row in frame.to_dicts()}
    visit = named["visits.visit.allowed"]
    assert (visit["n_failed"], visit["passed"], visit["share_allowed"]) == (1, True, 0.25)
    assert visit["reason"] == "the site has a visit of its own"
    key = named["participants.key.unique"]
    assert (key["severity"], key["passed"], key["share_allowed"]) == ("warning", False, None)


def test_a_rule_that_no_gate_has_is_a_finding_with_the_nearest_name() -> None:
    changes = (
        GateChange("visits.visit.alowed", "a typing error", share=0.1),
        GateChange("scores.*", "fine", share=0.1),
    )
    (finding,) = gate_findings(study(changes=changes), registry())
    assert "visits.visit.alowed" in str(finding) and "visits.visit.allowed" in str(finding)


def test_no_change_no_finding() -> None:
    assert gate_findings(study(), registry()) == []


def test_every_rule_of_a_run_can_be_named() -> None:
    possible = set(possible_rules(study(), registry()))
    assert {rule.rule for rules, _ in parts("harmonised", {"a": dirty()}) for rule in rules} <= possible


@pytest.mark.parametrize("name", ["demo", "nhanes"])
def test_names_fit_the_schema(name: str) -> None:
    import re

    loaded, tables = load_study(name)
    names = possible_rules(loaded, tables)
    assert len(names) > 100
    assert [rule for rule in names if not re.fullmatch(r"[a-z0-9_.]+", rule)] == []
    assert any(rule.startswith("raw.") for rule in names) and any(rule.startswith("analysis.") for rule in names)
