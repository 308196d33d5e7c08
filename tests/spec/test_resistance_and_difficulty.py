"""When depression is called treatment-resistant, and when difficult to treat: every case as a table to read.

The two are different variables. Treatment resistance (TRD) is about drugs that were tried. Difficult-to-treat
depression (DTD) is about burden that goes on under usual treatment, by a rule that the study itself declares.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import polars as pl
import pytest

from ember.history.difficult import decided
from tests.unit.history.invented import COMPLETE, row_of, trial

SERTRALINE = trial("sertraline", dose=100.0, weeks=8.0)
VENLAFAXINE = trial("venlafaxine", dose=150.0, weeks=6.0)
ESCITALOPRAM = trial("escitalopram", dose=20.0, weeks=10.0)


@pytest.mark.parametrize(
    ("trials", "verdict"),
    [
        pytest.param([SERTRALINE, VENLAFAXINE], "yes", id="two adequate trials of different drugs failed"),
        pytest.param([SERTRALINE, VENLAFAXINE, ESCITALOPRAM], "yes", id="three failed"),
        pytest.param([SERTRALINE, VENLAFAXINE, trial(None)], "yes", id="two failed, an unknown third changes nothing"),
        pytest.param([SERTRALINE], "no", id="one failed"),
        pytest.param([SERTRALINE, SERTRALINE], "no", id="one drug failed twice"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, dose=37.5)], "no", id="the second was given too little"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, weeks=3.9)], "no", id="the second was given too short"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, dose=75.0, weeks=4.0)], "yes", id="exactly the minimum is enough"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, outcome="partial")], "no", id="partial response is no failure"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, outcome="response")], "no", id="the second helped"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, outcome="intolerance")], "no", id="the second was not tolerated"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, adherence="not_adherent")], "no", id="the second was not taken"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, episode="earlier")], "no", id="the second in an earlier episode"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, role="arm")], "no", id="the second is the study's arm"),
        pytest.param([SERTRALINE, trial("lithium")], "no", id="augmentation is no antidepressant trial"),
        pytest.param([SERTRALINE, trial("cbt", dose_unit="sessions")], "no", id="psychotherapy is none either"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, dose=None)], "indeterminate", id="dose of the second not known"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, weeks=None)], "indeterminate", id="duration not known"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, outcome=None)], "indeterminate", id="outcome not known"),
        pytest.param([SERTRALINE, dict(VENLAFAXINE, episode=None)], "indeterminate", id="episode not known"),
        pytest.param([SERTRALINE, trial(None)], "indeterminate", id="name not known"),
        pytest.param([SERTRALINE, trial("opipramol")], "indeterminate", id="no minimum dose in the registry"),
        pytest.param([trial("antidepressant_unspecified")] * 2, "indeterminate", id="two without a name may be two"),
        pytest.param([dict(VENLAFAXINE, dose=None, weeks=2.0), SERTRALINE], "no", id="too short whatever the dose"),
        pytest.param([dict(VENLAFAXINE, dose=None)], "no", id="one unknown alone cannot be two"),
    ],
)
def test_treatment_resistance(trials: list[dict[str, Any]], verdict: str) -> None:
    assert row_of(trials)["trd"] == verdict


@pytest.mark.parametrize(
    ("trials", "complete", "verdict"),
    [
        pytest.param([SERTRALINE, VENLAFAXINE], None, "yes", id="two failures stand without a complete list"),
        pytest.param([SERTRALINE], None, "indeterminate", id="one failure and perhaps others"),
        pytest.param([], None, "indeterminate", id="nothing is listed"),
        pytest.param([], COMPLETE, "indeterminate", id="nobody knows whether this person was asked"),
        pytest.param([], {**COMPLETE, "without_rows": "none"}, "no", id="without a row means without a trial"),
        pytest.param([SERTRALINE], {**COMPLETE, "kinds": ["augmentation"]}, "indeterminate", id="another list"),
    ],
)
def test_an_incomplete_list_never_says_no(trials: list[dict[str, Any]], complete: Any, verdict: str) -> None:
    assert row_of(trials, complete=complete)["trd"] == verdict


# ---- difficult-to-treat depression ---------------------------------------------------------------------------------

RULE = {
    "disorder": {"column": "depressive_disorder", "equals": ["yes"]},
    "burden": {
        "domains": {
            "functioning": [{"instrument": "wsas", "operator": ">=", "value": 20}],
            "symptoms": [{"instrument": "phq9", "operator": ">=", "value": 10}],
        },
        "at_least": 2,
        "visits": 2,
        "days_apart": 56,
    },
    "usual_treatment": {"column": "usual_treatment", "equals": ["yes"]},
    "reason": "invented for a test",
}
ANSWERS: dict[str, bool | None] = {"yes": True, "no": False, "unknown": None}


def expected(disorder: str, burden: str, treatment: str) -> str:
    """Any part unknown is indeterminate; else every part must be yes."""
    parts = (disorder, burden, treatment)
    return "indeterminate" if "unknown" in parts else "yes" if parts == ("yes", "yes", "yes") else "no"


@pytest.mark.parametrize(
    ("disorder", "burden", "treatment"), [pytest.param(*row, id="-".join(row)) for row in product(ANSWERS, repeat=3)]
)
def test_every_combination_of_the_three_parts(disorder: str, burden: str, treatment: str) -> None:
    parts = pl.DataFrame(
        {"disorder": [ANSWERS[disorder]], "burden": [ANSWERS[burden]], "usual_treatment": [ANSWERS[treatment]]},
        schema=dict.fromkeys(("disorder", "burden", "usual_treatment"), pl.Boolean),
    )
    found = decided(parts).row(0, named=True)
    assert found["dtd"] == expected(disorder, burden, treatment)
    assert (found["dtd_disorder"], found["dtd_burden"], found["dtd_usual_treatment"]) == (disorder, burden, treatment)
    said = {"disorder": disorder, "burden": burden, "usual_treatment": treatment}
    deciding = {"yes": "yes", "no": "no", "indeterminate": "unknown"}[found["dtd"]]
    assert found["dtd_decided_by"].split(";") == [part for part, answer in said.items() if answer == deciding]


HIGH = {"wsas": 25.0, "phq9": 15.0}
LOW = {"wsas": 5.0, "phq9": 3.0}
ILL = {"depressive_disorder": "yes", "usual_treatment": "yes"}


def scores(**visits: dict[str, float]) -> list[tuple[str, str, float]]:
    return [(visit, name, score) for visit, scored in visits.items() for name, score in scored.items()]


@pytest.mark.parametrize(
    ("scored", "burden"),
    [
        pytest.param(scores(baseline=HIGH, week_4=LOW, week_12=HIGH), "yes", id="two visits twelve weeks apart"),
        pytest.param(scores(baseline=HIGH, week_4=HIGH, week_12=LOW), "no", id="two visits four weeks apart"),
        pytest.param(scores(baseline=LOW, week_4=HIGH, week_12=HIGH), "yes", id="two visits exactly 56 days apart"),
        pytest.param(scores(baseline=HIGH, week_4=LOW, week_12=LOW), "no", id="one visit"),
        pytest.param(
            scores(baseline=HIGH, week_4=LOW, week_12={"wsas": 25.0, "phq9": 3.0}), "no", id="one domain of two"
        ),
        pytest.param(scores(baseline=HIGH, week_4=LOW, week_12={"wsas": 25.0}), "unknown", id="one domain not scored"),
        pytest.param(scores(baseline=HIGH, week_4=LOW, week_12={"wsas": 5.0}), "no", id="the other would not do"),
        pytest.param(scores(baseline=HIGH, week_4=LOW), "unknown", id="a visit without scores"),
        pytest.param(scores(baseline=LOW, week_4=LOW), "no", id="the missing visit alone would not do"),
        pytest.param(
            scores(baseline={"wsas": 20.0, "phq9": 10.0}, week_4=LOW, week_12=HIGH), "yes", id="exactly at the limits"
        ),
        pytest.param([], "unknown", id="no scores"),
    ],
)
def test_burden(scored: list[tuple[str, str, float]], burden: str) -> None:
    found = row_of(person=ILL, scores=scored, dtd=RULE)
    assert found["dtd_burden"] == burden
    assert found["dtd"] == expected("yes", burden, "yes")


def test_a_visit_that_did_not_take_place_may_have_been_one_of_burden() -> None:
    known = scores(baseline=HIGH, week_4=LOW)
    assert row_of(person=ILL, scores=known, attended={"baseline": 0, "week_4": 28}, dtd=RULE)["dtd_burden"] == "unknown"


def test_a_visit_without_its_day_proves_no_distance() -> None:
    days = {"baseline": 0, "week_4": 28, "week_12": None}
    known = scores(baseline=HIGH, week_4=LOW, week_12=HIGH)
    assert row_of(person=ILL, scores=known, attended=days, dtd=RULE)["dtd_burden"] == "unknown"


def test_a_visit_without_its_day_and_without_burden_is_none_of_burden() -> None:
    days = {"baseline": 0, "week_4": 28, "week_12": None}
    known = scores(baseline=HIGH, week_4=LOW, week_12=LOW)
    assert row_of(person=ILL, scores=known, attended=days, dtd=RULE)["dtd_burden"] == "no"


def usual(*visits: str, kind: str = "sertraline", role: str = "concomitant") -> list[dict[str, Any]]:
    days = {"baseline": 0, "week_4": 28, "week_12": 84}
    return [trial(kind, visit=visit, study_day=days[visit], role=role, trial=False) for visit in visits]


@pytest.mark.parametrize(
    ("rows", "complete", "answer"),
    [
        pytest.param(usual("baseline", "week_12"), None, "yes", id="at two visits twelve weeks apart"),
        pytest.param(usual("baseline", "week_4"), COMPLETE, "no", id="four weeks apart, everything listed"),
        pytest.param(usual("baseline", "week_4"), None, "unknown", id="four weeks apart, perhaps not all listed"),
        pytest.param(usual("baseline", "week_12", kind="lithium"), COMPLETE, "no", id="of another kind"),
        pytest.param(usual("baseline", "week_12", role="arm"), COMPLETE, "no", id="as the study's arm"),
        pytest.param([], None, "unknown", id="nothing is listed"),
    ],
)
def test_usual_treatment_told_by_rows(rows: list[dict[str, Any]], complete: Any, answer: str) -> None:
    rule = {**RULE, "usual_treatment": {"kinds": ["antidepressant"], "roles": ["concomitant", "background"]}}
    burdened = scores(baseline=HIGH, week_4=LOW, week_12=HIGH)
    found = row_of(rows, person=ILL, scores=burdened, dtd=rule, complete=complete)
    assert found["dtd_usual_treatment"] == answer
    assert found["dtd"] == expected("yes", "yes", answer)


def test_a_complete_list_says_nothing_of_a_visit_that_did_not_take_place() -> None:
    rule = {**RULE, "usual_treatment": {"kinds": ["antidepressant"], "roles": ["concomitant"]}}
    days = {"baseline": 0, "week_4": 28}
    found = row_of(usual("baseline"), person=ILL, attended=days, dtd=rule)
    assert found["dtd_usual_treatment"] == "unknown"


RESISTANT = {"yes": [SERTRALINE, VENLAFAXINE], "no": [SERTRALINE], "indeterminate": [SERTRALINE, trial(None)]}
DIFFICULT = {
    "yes": scores(baseline=HIGH, week_4=LOW, week_12=HIGH),
    "no": scores(baseline=LOW, week_4=LOW, week_12=LOW),
    "indeterminate": [],
}


@pytest.mark.parametrize(
    ("trd", "dtd"), [pytest.param(*row, id=f"TRD {row[0]}, DTD {row[1]}") for row in product(RESISTANT, DIFFICULT)]
)
def test_neither_is_inferred_from_the_other(trd: str, dtd: str) -> None:
    found = row_of(RESISTANT[trd], person=ILL, scores=DIFFICULT[dtd], dtd=RULE)
    assert (found["trd"], found["dtd"]) == (trd, dtd)


def test_without_a_declared_rule_there_is_no_answer() -> None:
    found = row_of(RESISTANT["yes"], person=ILL, scores=DIFFICULT["yes"])
    assert (found["trd"], found["dtd"], found["dtd_decided_by"]) == ("yes", None, None)
