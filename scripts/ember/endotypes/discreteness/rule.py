"""The rule by which witnesses become a verdict: conditions that the plan file fixed before anybody looked."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

VARIANTS = ("all", "all_without_bmi", "without_acute", "without_acute_without_bmi")
"""Everybody's values and those of people below the acute threshold, as they are and with BMI removed."""

TYPE, SHIFT, UNDECIDABLE = "type", "shift", "undecidable"
OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
Found = Mapping[str, Mapping[str, float | None]]
"""By variant, by witness: what it says, or None where it is not available."""


@dataclass(frozen=True)
class Holding:
    """A condition of the rule, what was found, and whether it holds.

    `value` is the number that decided: the worst of the variants, their mean, the best, or that of the one named;
    None where a witness is not available.
    """

    decision: str
    witness: str
    over: str
    operator: str
    limit: float
    value: float | None
    holds: bool


def decide(rule: Mapping[str, Sequence[Mapping[str, Any]]], found: Found) -> tuple[str, list[Holding]]:
    """Return the verdict and every condition behind it.

    Parameters
    ----------
    rule : mapping
        `type` and `shift`, each a sequence of conditions that must all hold (content of verdicts/<verdict>.yaml).

    Returns
    -------
    str
        "type" if all its conditions hold, "shift" if all of that hold and not all of type, else "undecidable".
    """
    holdings = [_holding(decision, condition, found) for decision in (TYPE, SHIFT) for condition in rule[decision]]
    for decision in (TYPE, SHIFT):
        if all(holding.holds for holding in holdings if holding.decision == decision):
            return decision, holdings
    return UNDECIDABLE, holdings


def _holding(decision: str, condition: Mapping[str, Any], found: Found) -> Holding:
    over, sign, limit = condition["over"], condition["operator"], float(condition["value"])
    variants = VARIANTS if over in ("each", "any", "mean") else (over,)
    values = [found.get(variant, {}).get(condition["witness"]) for variant in variants]
    known = [value for value in values if value is not None]
    told = None if len(known) < len(values) else _summary(known, over, sign)
    holds = condition.get("missing") == "passes" if told is None else OPERATORS[sign](told, limit)
    return Holding(decision, condition["witness"], over, sign, limit, told, holds)


def _summary(values: Sequence[float], over: str, sign: str) -> float:
    """Return the number that decides: for "each" the one farthest on the wrong side, for "any" the best."""
    if over == "mean":
        return sum(values) / len(values)
    upward = sign in (">", ">=")
    return min(values) if upward == (over != "any") else max(values)
