"""Schemes that are not total are refused, with the rule that is at fault."""

from __future__ import annotations

from typing import Any

import pytest

from ember.endotypes.scheme import check_scheme, scheme_rules
from ember.errors import EmberError
from tests.unit.endotypes.frames import BANDS, HIGH, SUPPORTED


def changed(number: int, **keys: Any) -> dict[str, Any]:
    states = [dict(row) for row in BANDS["states"]]
    states[number] = {key: value for key, value in {**states[number], **keys}.items() if value is not None}
    return {**BANDS, "states": states}


def bound(operator: str, value: float) -> dict[str, Any]:
    return {"operator": operator, "value": value}


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        pytest.param(changed(0, below=bound("<", 1.5)), "overlap between 1.5 and 1", id="overlap"),
        pytest.param(changed(0, below=bound("<", 0.5)), "leave a gap between 0.5 and 1", id="gap"),
        pytest.param(changed(0, below=bound("<=", 1)), "both contain 1", id="both hold the cut"),
        pytest.param(changed(2, above=bound(">=", 3)), "both contain 3", id="both hold the upper cut"),
        pytest.param(changed(1, above=bound(">", 1)), "both leave out 1", id="none holds the cut"),
        pytest.param(changed(0, below=None), "no bound where they meet", id="no upper bound"),
        pytest.param(changed(0, above=bound(">", 0)), "reach down to nothing", id="bounded below"),
        pytest.param(changed(2, below=bound("<", 100)), "without end", id="bounded above"),
        pytest.param(changed(1, above=bound("<=", 1)), "has the operator <=", id="operator the wrong way"),
        pytest.param({**BANDS, "acute": {**BANDS["acute"], "value": 3}}, "does not lie above", id="acute too low"),
        pytest.param({**BANDS, "states": BANDS["states"][::-1]}, "reach down", id="falling order"),
        pytest.param(
            {**BANDS, "states": [*BANDS["states"], {**BANDS["states"][2], "rule": "again"}]},
            "hold for the same values",
            id="band twice",
        ),
        pytest.param(
            {**SUPPORTED, "states": SUPPORTED["states"][:3]}, "do not cover every composite", id="one side only"
        ),
        pytest.param(
            {
                **SUPPORTED,
                "states": [
                    *SUPPORTED["states"][:3],
                    {"rule": "x", "state": "inflamed_single", "above": HIGH, "composite": bound("<", 0)},
                ],
            },
            "do not cover every composite",
            id="composite cut in neither",
        ),
        pytest.param(
            {key: value for key, value in SUPPORTED.items() if key != "composite"}, "not declare", id="no composite"
        ),
    ],
)
def test_refused(scheme: dict[str, Any], words: str) -> None:
    with pytest.raises(EmberError, match=words):
        check_scheme(scheme)


def test_classes_follow_the_scheme() -> None:
    assert scheme_rules(BANDS).classes == (
        "not_inflamed",
        "intermediate",
        "inflamed_single",
        "acute_suspect",
        "indeterminate",
    )


def test_classes_hold_the_state_without_composite() -> None:
    assert scheme_rules(SUPPORTED).classes == (
        "not_inflamed",
        "intermediate",
        "inflamed_unsupported",
        "inflamed_supported",
        "inflamed_single",
        "acute_suspect",
        "indeterminate",
    )
