"""What a site file and a study may say of treatments, and what they are told when it does not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.registry.study_folder import change, findings, log_decision, write_study

BASE = "  phq9: {total: PHQ}\n"
SITE = "sites/north.yaml"
TRIALS = """\
  phq9: {total: PHQ}
treatments:
  name: DRUG
  role: background
  dose: {column: MG, unit: mg/day}
  duration: {column: WEEKS, unit: weeks}
  outcome: {column: RESULT, codes: {"0": none, "1": response}}
  episode: current
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = write_study(tmp_path)
    change(folder, SITE, BASE, TRIALS)
    return folder


def told(folder: Path) -> list[str]:
    """Return the findings at the site that maps treatments; the other one is like it."""
    return [text for text in findings(folder) if "sites/south" not in text]


def test_a_mapping_of_trials_loads(study: Path) -> None:
    assert findings(study) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("unit: mg/day", "unit: mg/week", "'mg/week' is not a unit of doses", id="unit"),
        pytest.param("dose: {column: MG,", "dose: {column: MG, in_name: true,", "The dose stands either", id="both"),
        pytest.param("dose: {column: MG, unit: mg/day}", "frequency: {column: F, codes: {od: '1'}}",
                     "Intakes a day belong to a dose", id="frequency-alone"),
        pytest.param("unit: mg/day}", "unit: mg/day}\n  frequency: {column: F, codes: {od: '1'}}",
                     "'mg/day' is not the unit of one intake", id="frequency-of-a-day"),
        pytest.param("duration: {column: WEEKS, unit: weeks}", "start: {column: FROM, date: '%Y'}",
                     "the site has no time zero", id="dates-without-time-zero"),
        pytest.param("duration: {", "start: {column: FROM, unit: study_day}\n  end: {column: TO, unit: study_day}\n"
                     "  duration: {", "`duration:` would be a second one", id="duration-twice"),
        pytest.param('"1": response', '"1": respons', "Nearest: response", id="outcome"),
        pytest.param("  episode: current\n", "", "Trials need their episode", id="no-episode"),
        pytest.param("episode: current", "episode: now", "episode", id="another-episode"),
        pytest.param("name: DRUG", "name: 'DRUG_{trial}'", "belong together", id="trial-without-numbers"),
        pytest.param("column: MG", "column: 'MG_{trial}'", "without `trials:`", id="number-beside-alone"),
        pytest.param("unit: weeks", "unit: months", "months", id="months-are-no-number-of-days"),
        pytest.param("role: background", "role: history", "role", id="role"),
        pytest.param("  episode: current\n", "  episode: current\n  doze: 1\n", "'doze' is not a key here", id="key"),
    ],
)  # fmt: skip
def test_what_does_not_fit(study: Path, old: str, new: str, expected: str) -> None:
    change(study, SITE, old, new)
    assert any(expected in text for text in told(study)), told(study)


COMPLETE = "  episode: current\n  complete: {kinds: [antidepressant], reason: asked of everybody"
CONVERSION = "unit: mg/week, conversion: {to: mg/day, numerator: 1, denominator: 7, reason: once a week"


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        pytest.param("  episode: current\n", COMPLETE + "@}\n", "A list that is taken for complete", id="complete"),
        pytest.param("unit: mg/day", CONVERSION + "@}", "A conversion of doses", id="conversion"),
        pytest.param(
            '"1": response}', '"1": response, "2": response}@', "A recoding of several codes onto one", id="recoding"
        ),
    ],
)
def test_a_choice_cites_its_decision(study: Path, old: str, new: str, what: str) -> None:
    change(study, SITE, old, new.replace("@", ""))
    assert [what in text for text in told(study)] == [True]
    change(study, SITE, new.replace("@", ""), new.replace("@", ", decision: D1"))
    log_decision(study, "D1", variable="treatments")
    assert told(study) == []


def test_kinds_of_a_complete_list_are_in_the_registry(study: Path) -> None:
    log_decision(study, "D1")
    change(
        study, SITE, "  episode: current\n", COMPLETE.replace("antidepressant", "antidepresant") + ", decision: D1}\n"
    )
    assert any("Nearest: antidepressant" in text for text in told(study))


def test_a_conversion_of_a_unit_that_the_registry_knows_is_refused(study: Path) -> None:
    log_decision(study, "D1")
    change(study, SITE, "unit: mg/day", CONVERSION.replace("mg/week", "g/day") + ", decision: D1}")
    assert any("that the registry does not convert" in text for text in told(study))


RULE = """\
dtd:
  disorder: {column: sex, equals: [male]}
  burden:
    domains:
      symptoms: [{instrument: phq9, operator: ">=", value: 10}]
    at_least: 1
    visits: 2
    days_apart: 28
  usual_treatment: {kinds: [antidepressant], roles: [concomitant]}
  reason: what the study group agreed on
"""


@pytest.fixture
def ruled(study: Path) -> Path:
    change(study, "study.yaml", "endotypes: [bands]\n", f"endotypes: [bands]\n{RULE}")
    return study


def test_a_rule_of_the_study_loads(ruled: Path) -> None:
    assert findings(ruled) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("column: sex", "column: sexx", "Nearest: sex", id="column"),
        pytest.param("equals: [male]", "equals: [man]", "'man' is not a code of 'sex'", id="code"),
        pytest.param("column: sex, equals: [male]", "column: depressive_disorder, equals: ['yes']",
                     "No site maps depressive_disorder", id="column-that-nobody-maps"),
        pytest.param("instrument: phq9", "instrument: wsas", "'wsas' is not an instrument", id="instrument"),
        pytest.param('operator: ">="', 'operator: "<"', "higher is worse", id="direction"),
        pytest.param("value: 10", "value: 28", "phq9 goes from 0 to 27", id="value"),
        pytest.param("at_least: 1", "at_least: 2", "2 domains must be burdened and 1 are declared", id="domains"),
        pytest.param("visits: 2", "visits: 3", "fewer visits", id="visits"),
        pytest.param("visits: 2", "visits: 1", "visits", id="one-visit"),
        pytest.param("days_apart: 28", "days_apart: 29", "No two planned visits", id="distance"),
        pytest.param("kinds: [antidepressant]", "kinds: [antidepresant]", "Nearest: antidepressant", id="kind"),
        pytest.param("roles: [concomitant]", "roles: [exposure_before_sampling]", "usual_treatment", id="role"),
        pytest.param("      symptoms:", "      mood:", "mood", id="domain"),
        pytest.param("  reason: what the study group agreed on\n", "", "reason", id="no-reason"),
    ],
)  # fmt: skip
def test_what_does_not_fit_in_the_rule(ruled: Path, old: str, new: str, expected: str) -> None:
    change(ruled, "study.yaml", old, new)
    assert any(expected in text for text in findings(ruled)), findings(ruled)


@pytest.mark.parametrize("name", ["anti_inflammatory_before_sample", "trd", "dtd"])
def test_an_analysis_may_name_what_the_history_says(ruled: Path, name: str) -> None:
    change(ruled, "analyses/course.yaml", "covariates: [age, sex]", f"covariates: [age, {name}]")
    assert findings(ruled) == []


def test_without_treatments_there_is_no_history_to_name(tmp_path: Path) -> None:
    folder = write_study(tmp_path)
    change(folder, "analyses/course.yaml", "covariates: [age, sex]", "covariates: [age, trd]")
    assert any("'trd' is not a column of participants" in text for text in findings(folder))
