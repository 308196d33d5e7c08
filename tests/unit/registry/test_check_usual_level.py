"""The usual level in study files: its cut, and variability within persons that is multiplicative."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.registry.study_folder import change, findings

BANDS = "endotypes/bands.yaml"


def declare(study: Path, block: str) -> list[str]:
    change(study, BANDS, "persistent_above_10: out", f"persistent_above_10: out\nusual_level: {{{block}}}")
    return findings(study)


@pytest.mark.parametrize(
    "block",
    [
        pytest.param("cut: hscrp_at_least_3, within_person: repeats, minimum_repeats: 30", id="repeats"),
        pytest.param("cut: hscrp_at_least_3, within_person: hscrp_macy_1997, assay_cv: 0.05", id="published"),
    ],
)
def test_accepted(study: Path, block: str) -> None:
    assert declare(study, block) == []


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        pytest.param("cut: hscrp_hihg, within_person: hscrp_macy_1997, assay_cv: 0.05",
                     "'hscrp_hihg' is not a threshold of hscrp", id="unknown cut"),
        pytest.param("cut: hscrp_acute, within_person: hscrp_macy_1997, assay_cv: 0.05",
                     "'hscrp_acute' is not a threshold of hscrp below the acute one", id="the acute cut"),
        pytest.param("cut: hscrp_at_least_3, within_person: hscrp_macy, assay_cv: 0.05",
                     "Nearest: hscrp_macy_1997", id="unknown figure"),
        pytest.param("cut: hscrp_at_least_3, within_person: hscrp_bogaty_2013_weeks",
                     "is an SD of 0.36 mg/L, and the error of a biomarker is multiplicative", id="an SD in mg/L"),
        pytest.param("cut: hscrp_at_least_3, within_person: hscrp_macy_1997",
                     "leaves out the error of the assay", id="the assay is left out"),
        pytest.param("cut: hscrp_at_least_3, within_person: repeats",
                     "`minimum_repeats:` belongs to", id="repeats without a number"),
        pytest.param("cut: hscrp_at_least_3, within_person: hscrp_macy_1997, assay_cv: 0.05, minimum_repeats: 5",
                     "`minimum_repeats:` belongs to", id="a number without repeats"),
        pytest.param("cut: hscrp_at_least_3", "within_person", id="nothing said"),
    ],
)  # fmt: skip
def test_refused(study: Path, block: str, expected: str) -> None:
    assert any(expected in text for text in declare(study, block))
