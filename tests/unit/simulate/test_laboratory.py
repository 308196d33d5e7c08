"""A laboratory rounds, and marks what lies outside its limits."""

from __future__ import annotations

import numpy as np
import pytest

from ember.simulate.design import MOLAR_FACTOR, Reporting
from ember.simulate.laboratory import analysed_values, report_results, result_texts

MG_PER_L = Reporting("mg/L", 1.0, 2, 0.2, cap=10.0)
MG_PER_DL = Reporting("mg/dL", 0.1, 3, 0.02)
NMOL_PER_L = Reporting("nmol/L", MOLAR_FACTOR, 2, 1.905)


@pytest.mark.parametrize(
    ("value", "reporting", "decimal", "text"),
    [
        pytest.param(0.19, MG_PER_L, ".", "<0.2", id="below the limit"),
        pytest.param(0.20, MG_PER_L, ".", "0.20", id="at the limit"),
        pytest.param(10.0, MG_PER_L, ".", "10.00", id="at the cap"),
        pytest.param(10.01, MG_PER_L, ".", ">10", id="above the cap"),
        pytest.param(31.4, MG_PER_DL, ",", "3,140", id="mg/dL with a decimal comma"),
        pytest.param(0.1, MG_PER_DL, ",", "<0,02", id="below the limit in mg/dL"),
        pytest.param(3.0, NMOL_PER_L, ".", "28.57", id="nmol/L by the molar factor"),
        pytest.param(0.19, NMOL_PER_L, ".", "<1.905", id="below the limit in nmol/L"),
    ],
)
def test_text_of_a_result(value: float, reporting: Reporting, decimal: str, text: str) -> None:
    reported = report_results(np.array([value]), reporting)
    assert result_texts(reported, reporting, decimal) == [text]


def test_analysis_fills_below_and_keeps_the_cap() -> None:
    reported = report_results(np.array([0.1, 2.5, 50.0]), MG_PER_L)
    assert analysed_values(reported, MG_PER_L) == pytest.approx([0.2 / np.sqrt(2), 2.5, 10.0])


def test_analysis_is_in_the_canonical_unit() -> None:
    assert analysed_values(report_results(np.array([3.0]), MG_PER_DL), MG_PER_DL) == pytest.approx([3.0])
