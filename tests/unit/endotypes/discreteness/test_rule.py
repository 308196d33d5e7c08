"""The rule of a verdict: its boundaries, the variants it looks at, and witnesses that are not available."""

from __future__ import annotations

import pytest

from ember.endotypes.discreteness.rule import VARIANTS, decide


def condition(witness: str, over: str, operator: str, value: float, **more: str) -> dict[str, object]:
    return {"witness": witness, "over": over, "operator": operator, "value": value, **more}


RULE = {
    "type": [condition("fit_index", "mean", ">", 0.6), condition("p_value", "each", "<=", 0.05)],
    "shift": [condition("fit_index", "mean", "<", 0.4), condition("p_value", "any", ">", 0.05)],
}


def found(index: float | None, p_values: tuple[float, ...]) -> dict[str, dict[str, float | None]]:
    return {name: {"fit_index": index, "p_value": p} for name, p in zip(VARIANTS, p_values, strict=True)}


@pytest.mark.parametrize(
    ("index", "p_values", "verdict"),
    [
        pytest.param(0.61, (0.05,) * 4, "type", id="p-at-its-bound"),
        pytest.param(0.60, (0.01,) * 4, "undecidable", id="index-at-its-bound"),
        pytest.param(0.61, (0.01, 0.01, 0.01, 0.06), "undecidable", id="one-variant-against"),
        pytest.param(0.39, (0.01, 0.01, 0.01, 0.06), "shift", id="any-variant"),
        pytest.param(0.39, (0.01,) * 4, "undecidable", id="two-components-and-a-low-index"),
        pytest.param(0.40, (0.9,) * 4, "undecidable", id="lower-index-at-its-bound"),
        pytest.param(None, (0.9,) * 4, "undecidable", id="index-not-available"),
    ],
)
def test_decides(index: float | None, p_values: tuple[float, ...], verdict: str) -> None:
    assert decide(RULE, found(index, p_values))[0] == verdict


@pytest.mark.parametrize(("missing", "holds"), [("passes", True), ("fails", False)])
def test_a_missing_witness_counts_as_the_plan_says(missing: str, holds: bool) -> None:
    rule = {**RULE, "type": [condition("ln_vr_high", "all", ">", 0, missing=missing)]}
    verdict, holdings = decide(rule, found(0.5, (0.5,) * 4))
    assert (holdings[0].holds, holdings[0].value) == (holds, None)
    assert (verdict == "type") == holds


@pytest.mark.parametrize(
    ("over", "operator", "value"),
    [
        ("each", ">", 1.0),
        ("each", "<", 4.0),
        ("any", ">", 4.0),
        ("any", "<", 1.0),
        ("mean", ">", 2.5),
        ("all", ">", 1.0),
    ],
)
def test_the_number_that_decides(over: str, operator: str, value: float) -> None:
    told = {name: {"p_value": float(number)} for number, name in enumerate(VARIANTS, 1)}
    rule = {"type": [condition("p_value", over, operator, 2)], "shift": [condition("p_value", "all", ">", 9)]}
    assert decide(rule, told)[1][0].value == value
