"""Layouts of a site that lead nowhere: one case a rule, broken in a study that is otherwise valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.registry.study_folder import change, findings

NORTH = "sites/north.yaml"
SITE = """\
site: north
from: north
participant: ID
{head}
columns:
  age: {{column: AGE, unit: a}}
{rest}
"""
ZERO = "time_zero: {column: ZERO, date: iso}"
BY_DATE = "visits: {by_date: {column: DRAWN, date: iso}}"
SINGLE = "visits: {single: baseline}"
CRP = "measurements: {hscrp: {column: CRP, unit: mg/L}}"
LABORATORY = "laboratory:\n  analyte: {column: TEST, codes: {CRP: hscrp, IL6: il6}}\n  value: RESULT\n"
UNIT = "  unit: {column: UNIT}\n"


def written(study: Path, head: str, rest: str) -> list[str]:
    """Return the findings on the north site of a study in which it stands alone, with `head` and `rest`."""
    (study / NORTH).write_text(SITE.format(head=head, rest=rest), encoding="utf-8")
    (study / "sites" / "south.yaml").write_text(SITE.format(head=SINGLE, rest=CRP).replace("north", "south"))
    return [text for text in findings(study) if text.startswith(f"trial/{NORTH}")]


@pytest.mark.parametrize(
    ("head", "rest"),
    [
        pytest.param(f"{ZERO}\n{BY_DATE}", CRP, id="by date"),
        pytest.param("visits: {by_day: {column: DAY, offset: -1}}", CRP, id="by day"),
        pytest.param(f"{ZERO}\ndeath: {{column: DIED, date: excel_1900}}\n{SINGLE}", CRP, id="death"),
        pytest.param(f"per_participant: at_most_one\n{SINGLE}", CRP, id="cardinality"),
        pytest.param(SINGLE, 'derived: {CRP: {formula: "A + B", decision: D1}}\n' + CRP, id="derived"),
        pytest.param(SINGLE, "measurements: {hscrp: {column: CRP (mg/L), unit: mg/L}}", id="unit in the header"),
        pytest.param(SINGLE, "measurements: {hscrp: {column: CRP (ug/mL), unit: mg/L}}", id="an equal unit"),
        pytest.param(
            SINGLE,
            LABORATORY + "  unit: {column: UNIT, codes: {1: mg/L, 2: pg/mL}}\n"
            '  operator: {column: SIGN, codes: {LT: "<", EQ: "=", NONE: ""}}\n'
            "  specimen: {column: TUBE, codes: {1: serum}}\n",
            id="laboratory",
        ),
    ],
)  # fmt: skip
def test_says_nothing_of_what_can_be_carried_out(study: Path, head: str, rest: str) -> None:
    found = [text for text in written(study, head, rest) if "decision" not in text.lower()]
    assert found == []


@pytest.mark.parametrize(
    ("head", "rest", "expected"),
    [
        pytest.param(BY_DATE, CRP, "visits.by_date\n  Visits by date need a day to count from", id="no-time-zero"),
        pytest.param(f"death: {{column: DIED, date: iso}}\n{SINGLE}", CRP, "A day of death needs a day to count from",
                     id="death-without-time-zero"),
        pytest.param(f"{ZERO}\nvisits: {{by_date: {{column: D, date: iso}}, date: {{column: D, date: iso}}}}", CRP,
                     "With by_date each row has its own day", id="second-date"),
        pytest.param(f"per_participant: one\n{SINGLE}", LABORATORY + UNIT, "of which a participant has many",
                     id="cardinality-of-results"),
        pytest.param(f"duplicates: {{keep: last, reason: because it is so}}\n{SINGLE}",
                     "treatments: {name: DRUG, role: background}", "do not contradict each other",
                     id="duplicates-of-treatments"),
        pytest.param(SINGLE, 'derived: {X: {formula: "A +"}}\n' + CRP, "derived.X.formula", id="formula"),
        pytest.param(SINGLE, 'derived: {X: {formula: "X + 1"}}\n' + CRP, "The formula of 'X' uses itself",
                     id="formula-of-itself"),
        pytest.param(SINGLE, 'derived: {X: {formula: "Y + 1"}, Y: {formula: "A"}}\n' + CRP,
                     "uses 'Y', which is derived after it", id="formula-too-early"),
        pytest.param(SINGLE, 'derived: {UNIT: {formula: "A"}}\n' + LABORATORY + UNIT, "a derived column is a value",
                     id="derived-unit"),
        pytest.param("visits: {by_day: {column: X}}", 'derived: {X: {formula: "7 * WEEK"}}\n' + CRP,
                     "visits.by_day.column\n  'X' is derived", id="derived-day"),
        pytest.param("visits: {wide: {0: baseline}}",
                     'derived: {LOT_0: {formula: "A"}}\nmeasurements: {hscrp: {column: CRP, unit: mg/L, batch: LOT}}',
                     "'LOT_0' is derived", id="derived-batch-of-a-visit"),
        pytest.param(SINGLE, LABORATORY + UNIT + '  operator: {column: S, codes: {LE: "<="}}\n',
                     "laboratory.operator.codes.LE\n  '<=' is not a sign that is read", id="operator"),
        pytest.param(SINGLE, LABORATORY + UNIT + "  specimen: {column: S, codes: {1: serrum}}\n", "Nearest: serum",
                     id="specimen-code"),
        pytest.param(SINGLE, LABORATORY + "  unit: {column: U, codes: {1: mmol/L}}\n",
                     "laboratory.unit.codes.1\n  'mmol/L' is not a unit of hscrp or il6", id="unit-code"),
        pytest.param(SINGLE, "measurements: {hscrp: {column: CRP, unit: {column: U, codes: {1: pgg/mL}}}}",
                     "'pgg/mL' is not a unit of hscrp", id="unit-code-of-a-measurement"),
        pytest.param(SINGLE, "measurements: {hscrp: {column: crp_mg_dl, unit: mg/L}}",
                     "measurements.hscrp.unit\n  The name of crp_mg_dl states mg/dL; the site file declares mg/L",
                     id="header-unit"),
        pytest.param('visits: {wide: {V0: baseline}, pattern: "{column} {visit} (mg/dL)"}', CRP,
                     "The name of CRP states mg/dL", id="header-unit-of-a-wide-file"),
        pytest.param(SINGLE, LABORATORY.replace("RESULT", "RESULT (pg/mL)") + "  unit: mg/L\n",
                     "laboratory.unit", id="header-unit-of-results"),
    ],
)  # fmt: skip
def test_finding(study: Path, head: str, rest: str, expected: str) -> None:
    found = written(study, head, rest)
    assert any(expected in text for text in found), found


def test_windows_that_meet(study: Path) -> None:
    change(study, "study.yaml", "from: 21", "from: 7")
    found = written(study, f"{ZERO}\n{BY_DATE}", CRP)
    assert any("windows of baseline and week_4 share days" in text for text in found), found
    assert written(study, SINGLE, CRP) == []


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        pytest.param("sex: {column: SEX, codelist: sexx}", "'sexx' is not a list", id="unknown list"),
        pytest.param(
            "bmi: {column: BMI, unit: kg/m2, codelist: sex}", "is a number, which has no codelist", id="number"
        ),
        pytest.param("smoker: {column: SMOKER, codelist: sex}", "No code of the list 'sex'", id="list of another"),
        pytest.param("sex: {column: SEX, codelist: sex}", "", id="its own list"),
    ],
)
def test_codelists(study: Path, column: str, expected: str) -> None:
    found = written(study, SINGLE, CRP)
    assert found == []
    change(study, NORTH, "  age: {column: AGE, unit: a}", f"  {column}")
    found = [text for text in findings(study) if f"trial/{NORTH}" in text and "column" in text]
    assert found == [] if not expected else any(expected in text for text in found), found


TABLES = """\
site: north
tables:
  people: {{from: north, participant: ID, {people}columns: {{age: {{column: AGE, unit: a}}}}}}
  blood:
    from: north
    participant: ID
{blood}    visits: {{single: baseline}}
    measurements: {{hscrp: {{column: CRP, unit: mg/L}}}}
"""


@pytest.mark.parametrize(
    ("people", "blood", "found"),
    [
        pytest.param("rows: {column: K, equals: P}, ", "    rows: {column: K, equals: B}\n", False, id="told apart"),
        pytest.param("rows: {column: K, equals: P}, ", "", True, id="one takes all"),
        pytest.param("rows: {column: K, equals: B}, ", '    rows: {column: K, equals: " B"}\n', True, id="the same"),
    ],
)
def test_tables_of_one_source(study: Path, people: str, blood: str, found: bool) -> None:
    (study / NORTH).write_text(TABLES.format(people=people, blood=blood), encoding="utf-8")
    (study / "sites" / "south.yaml").write_text(SITE.format(head=SINGLE, rest=CRP).replace("north", "south"))
    assert any("people and blood read the same rows of north" in text for text in findings(study)) is found


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        pytest.param('decimal: ",", thousands: "."', False, id="two marks"),
        pytest.param('thousands: "."', True, id="the mark of the default decimal"),
        pytest.param('decimal: ",", thousands: ","', True, id="one mark for both"),
        pytest.param('decimal: "."', False, id="none"),
    ],
)
def test_thousands(study: Path, keys: str, found: bool) -> None:
    change(study, "study.yaml", "path: north.csv, format: csv", f"path: north.csv, format: csv, {keys}")
    told = [text for text in findings(study) if "thousands" in text]
    assert [text.splitlines()[0] for text in told] == (
        ["trial/study.yaml:16  sources.north.thousands"] if found else []
    )
