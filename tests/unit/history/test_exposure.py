"""An anti-inflammatory drug before the sample is a modifier: when it is before, when not, and when nobody can say."""

from __future__ import annotations

from typing import Any

import pytest

from ember.registry.model import Answer
from tests.unit.history.invented import history_of, row_of, trial

LISTED = {"kinds": ["anti_inflammatory"], "reason": "asked of everybody", "without_rows": "none"}
SAMPLE = 10


def drug(role: str, **changes: Any) -> dict[str, Any]:
    return trial("celecoxib", role=role, trial=False, **changes)


def flag(*rows: dict[str, Any], samples: tuple[int | None, ...] = (SAMPLE,), complete: Any = LISTED) -> str:
    found: str = row_of(rows, samples=samples, complete=complete)["anti_inflammatory_before_sample"]
    return found


@pytest.mark.parametrize(
    ("row", "answer"),
    [
        pytest.param(drug("exposure_before_sampling"), "yes", id="declared as such"),
        pytest.param(drug("concomitant", start_day=9), "yes", id="started the day before"),
        pytest.param(drug("concomitant", start_day=10), "no", id="started on the day of the sample"),
        pytest.param(drug("concomitant", start_day=11), "no", id="started the day after"),
        pytest.param(drug("background", start_day=-400, end_day=-18), "yes", id="ended four weeks before"),
        pytest.param(drug("background", start_day=-400, end_day=-19), "no", id="ended longer before"),
        pytest.param(drug("concomitant", study_day=10), "yes", id="in use at the visit of the sample"),
        pytest.param(drug("concomitant", study_day=11), "indeterminate", id="in use later, start not known"),
        pytest.param(drug("arm", start_day=9), "yes", id="an arm that started before"),
        pytest.param(drug("arm", start_day=11), "no", id="an arm that started after"),
        pytest.param(drug("arm"), "yes", id="an arm starts at randomisation, before this sample"),
        pytest.param(trial("simvastatin", role="concomitant", trial=False), "no", id="a statin is another modifier"),
        pytest.param(trial("sertraline", role="concomitant", trial=False), "no", id="an antidepressant"),
        pytest.param(trial(None, role="concomitant", trial=False), "indeterminate", id="a name that is not known"),
        pytest.param(trial(None, role="concomitant", trial=False, start_day=30), "no", id="a later one of any name"),
    ],
)
def test_when_a_drug_was_taken_before_the_sample(row: dict[str, Any], answer: str) -> None:
    assert flag(row) == answer


def test_an_arm_at_a_baseline_sample_comes_after_it() -> None:
    assert flag(drug("arm"), samples=(-3,)) == "no"


def test_the_first_sample_counts() -> None:
    assert flag(drug("concomitant", start_day=20), samples=(30, SAMPLE)) == "no"


@pytest.mark.parametrize(
    ("samples", "complete", "answer"),
    [
        pytest.param((SAMPLE,), LISTED, "no", id="none is listed and the list is complete"),
        pytest.param((SAMPLE,), None, "indeterminate", id="the list may not be complete"),
        pytest.param((), LISTED, "indeterminate", id="no sample"),
        pytest.param((None,), LISTED, "indeterminate", id="a sample without its day"),
    ],
)
def test_absence_has_to_be_known(samples: tuple[int | None, ...], complete: Any, answer: str) -> None:
    assert flag(samples=samples, complete=complete) == answer


class TestArm:
    FINDING = "treatment:s:arm_before_sample"

    def test_an_arm_that_started_before_the_sample_stops_the_study(self) -> None:
        result = history_of([drug("arm", start_day=9)], samples=(SAMPLE,))
        found = result.findings.row(0, named=True)
        assert (found["finding"], found["severity"], found["n"], found["answered"]) == (self.FINDING, "error", 1, False)
        assert result.ledger.select("row_number", "rule_id", "action").rows() == [
            (2, "treatment.arm_before_sample", "flagged")
        ]

    @pytest.mark.parametrize(
        "row",
        [
            pytest.param(drug("arm", start_day=10), id="on the day of the sample"),
            pytest.param(drug("arm"), id="without a start"),
            pytest.param(drug("exposure_before_sampling", start_day=9), id="declared as an exposure"),
            pytest.param(trial("sertraline", role="arm", trial=False, start_day=9), id="another kind"),
        ],
    )
    def test_what_is_no_finding(self, row: dict[str, Any]) -> None:
        assert history_of([row], samples=(SAMPLE,)).findings.is_empty()

    @pytest.mark.parametrize(
        ("action", "answered"),
        [pytest.param("confirm", True, id="confirm"), pytest.param("exclude", False, id="exclude")],
    )
    def test_only_a_confirmation_answers_it(self, action: str, answered: bool) -> None:
        answer = Answer(self.FINDING, action, "the trial tests it")
        result = history_of([drug("arm", start_day=9)], samples=(SAMPLE,), answers=[answer])
        assert result.findings["answered"].to_list() == [answered]
