"""What study.yaml says of rules: another severity, or the largest share of failures that passes, each with a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ember.errors import EmberError, nearest_name
from ember.registry.model import GateChange, Study
from ember.validate.gate_rule import GateRule


def with_changes(rules: Iterable[GateRule], study: Study) -> list[GateRule]:
    """Return rules as the study changes them; of several entries that meet a rule the last one that says it counts."""
    return [_changed(rule, [change for change in study.gate_changes if matches(change, rule.rule)]) for rule in rules]


def matches(change: GateChange, rule: str) -> bool:
    """Return whether an entry is about a rule; a pattern that ends in * meets every rule that begins so."""
    if change.rule.endswith("*"):
        return rule.startswith(change.rule[:-1])
    return rule == change.rule


def _changed(rule: GateRule, changes: list[GateChange]) -> GateRule:
    for change in changes:
        rule = replace(
            rule,
            severity=change.severity or rule.severity,
            share=rule.share if change.share is None else change.share,
        )
    reasons = dict.fromkeys(change.reason for change in changes)
    return replace(rule, reason="; ".join(reasons)) if changes else rule


def unmatched(study: Study, possible: Iterable[str]) -> list[EmberError]:
    """Return a finding for each entry of `gates:` that meets no rule.

    Parameters
    ----------
    possible : iterable of str
        Rules that the study can give rise to, whatever its data (see `ember.validate.possible_rules`).
    """
    names = list(possible)
    return [
        EmberError(
            f"`gates:` names the rule '{change.rule}', which no gate of this study has.",
            where="study.yaml  gates",
            nearest=nearest_name(change.rule.rstrip("*"), names),
            fix="Take a name from the column `rule` of checks/gates/*.csv; a pattern may end in *.",
        )
        for change in study.gate_changes
        if not any(matches(change, name) for name in names)
    ]
