"""Numbers as they are printed."""

from __future__ import annotations

import pytest

from ember.reporting import numbers


@pytest.mark.parametrize(
    ("events", "total", "expected"),
    [
        pytest.param(0, 10, (0.0, 0.2775), id="none"),
        pytest.param(10, 10, (0.7225, 1.0), id="all"),
        pytest.param(27, 100, (0.1927, 0.3643), id="some"),
    ],
)
def test_wilson_holds_published_values(events: int, total: int, expected: tuple[float, float]) -> None:
    assert numbers.wilson(events, total) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize(
    ("p", "text"),
    [
        pytest.param(0.023456, "0.023", id="two_significant"),
        pytest.param(0.2, "0.20", id="two_significant_with_zero"),
        pytest.param(0.00041, "0.00041", id="small"),
        pytest.param(0.00005, "<0.0001", id="tiny"),
        pytest.param(0.999, ">0.99", id="near_one"),
        pytest.param(None, "–", id="none"),
    ],
)
def test_p_values(p: float | None, text: str) -> None:
    assert numbers.p_text(p) == text


@pytest.mark.parametrize(
    ("estimate", "low", "high", "text"),
    [
        pytest.param(0.12, 0.03, 0.21, "0.12 (0.03 to 0.21)", id="interval"),
        pytest.param(-0.12, -0.21, 0.001, "−0.12 (−0.21 to 0.00)", id="true_minus"),
        pytest.param(-0.001, None, None, "0.00", id="no_negative_zero"),
        pytest.param(None, 0.1, 0.2, "–", id="withheld"),
    ],
)
def test_estimates(estimate: float | None, low: float | None, high: float | None, text: str) -> None:
    assert numbers.interval_text(estimate, low, high) == text


def test_counts() -> None:
    assert numbers.count_text(1204, 10) == "1,204"
    assert numbers.count_text(None, 10) == "<10"
    assert numbers.count_text(None, 8) == "<8"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(0.104997900042, "0.105", id="fraction"),
        pytest.param(10.0, "10", id="whole"),
        pytest.param(12345.6, "12,300", id="thousands"),
        pytest.param(0.0, "0", id="zero"),
    ],
)
def test_significant_digits(value: float, text: str) -> None:
    assert numbers.rounded_text(value) == text
