"""The log of decisions: its form, what it refers to, and the mappings that have to cite it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.registry.load import load_study
from tests.unit.registry.study_folder import change, findings, log_decision

NORTH = "sites/north.yaml"
HEADER = "id,date,who,variable,sites,decision,reason,evidence,alternative,supersedes"
LINE = "D1,2025-06-30,A tester,hscrp,all,Done so,For a test,,,"
FACTOR = "molar_factor: {nmol_per_mg: 9.524, reason: as the laboratory states"
BELOW = "hscrp: {column: CRP, unit: mg/L, below: {limit: 0.2"


def write_log(study: Path, *lines: str, header: str = HEADER) -> None:
    (study / "decisions.csv").write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")


def cite(study: Path, decision: str) -> None:
    """Give north, and south through it, a molar factor that cites a decision."""
    change(study, NORTH, "unit: mg/L", f"unit: nmol/L, {FACTOR}, decision: {decision}}}")


def test_a_study_that_leaves_no_choice_needs_no_log(study: Path) -> None:
    assert findings(study) == []
    assert load_study(str(study), environment={})[0].decisions == ()


def test_a_log_is_read_in_its_order_with_text_over_several_lines(study: Path) -> None:
    write_log(
        study, 'D1,2025-06-30,A tester,hscrp,north; south,"One,\ntwo",For a test,,,', "", LINE.replace("D1", "D2")
    )
    assert findings(study) == []
    decisions = load_study(str(study), environment={})[0].decisions
    assert [(decision.id, decision.place) for decision in decisions] == [
        ("D1", "trial/decisions.csv:2"),
        ("D2", "trial/decisions.csv:5"),
    ]
    assert decisions[0].decision == "One,\ntwo"
    assert [decisions[0].covers_site(site) for site in ("north", "south", "west")] == [True, True, False]


def test_the_log_is_part_of_what_a_version_is_made_of(study: Path) -> None:
    write_log(study, LINE)
    resolved = load_study(str(study), environment={})[0].resolved
    assert resolved["decisions"] == [dict(zip(HEADER.split(","), LINE.split(","), strict=True))]


@pytest.mark.parametrize(
    ("header", "line", "expected"),
    [
        pytest.param(HEADER.replace("who", "whom"), LINE,
                     "trial/decisions.csv:1\n  Column 3 of the header is none of the decisions log.",
                     id="column-unknown"),
        pytest.param(HEADER.replace("who", "whom"), LINE, "Nearest: who.", id="column-nearest"),
        pytest.param(HEADER.replace(",who", ""), LINE,
                     "trial/decisions.csv:1\n  The decisions log lacks the column who.", id="column-missing"),
        pytest.param(f"{HEADER},who", LINE, "The column 'who' stands 2 times.", id="column-twice"),
        pytest.param(HEADER, LINE[:-1], "trial/decisions.csv:2\n  The line has 9 cells and the header 10.",
                     id="too-few-cells"),
        pytest.param(HEADER, LINE.replace("2025-06-30", "30.06.2025"),
                     "trial/decisions.csv:2  date\n  '30.06.2025' is not", id="date-order"),
        pytest.param(HEADER, LINE.replace("2025-06-30", "2025-02-30"), "'2025-02-30' is not a date", id="no-such-day"),
        pytest.param(HEADER, LINE.replace("A tester", " "), "trial/decisions.csv:2  who\n  A decision needs its who.",
                     id="nobody"),
        pytest.param(HEADER, LINE.replace("For a test", ""), "A decision needs its reason.", id="no-reason"),
        pytest.param(HEADER, LINE.replace("D1", "1 D"), "trial/decisions.csv:2  id\n  '1 D' cannot be an id",
                     id="id-form"),
        pytest.param(HEADER, f"{LINE}\n{LINE}",
                     "trial/decisions.csv:3  id\n  The id stands twice; the other one is on line 2.", id="id-twice"),
        pytest.param(HEADER, LINE.replace(",all,", ",nort;south,"),
                     "trial/decisions.csv:2  sites\n  'nort' is not a site of the study.\n"
                     "  Allowed: all, north, south. Nearest: north.", id="site-unknown"),
        pytest.param(HEADER, f"{LINE}D11",
                     "trial/decisions.csv:2  supersedes\n  'D11' is not a decision of the log.\n"
                     "  Allowed: D1. Nearest: D1.", id="supersedes-nothing"),
        pytest.param(HEADER, f"{LINE}D1", "The decisions supersede each other: D1 supersedes D1.", id="itself"),
        pytest.param(HEADER, f"{LINE}D2\n{LINE.replace('D1', 'D2')}D1",
                     "trial/decisions.csv:2  supersedes\n  The decisions supersede each other: "
                     "D1 supersedes D2 supersedes D1.", id="cycle"),
    ],
)  # fmt: skip
def test_a_fault_of_the_log(study: Path, header: str, line: str, expected: str) -> None:
    write_log(study, line, header=header)
    found = findings(study)
    assert any(expected in text for text in found), found


def test_a_cycle_is_told_once(study: Path) -> None:
    write_log(study, f"{LINE}D3", f"{LINE.replace('D1', 'D2')}D1", f"{LINE.replace('D1', 'D3')}D2")
    assert len(findings(study)) == 1


def test_a_log_that_is_no_text(study: Path) -> None:
    (study / "decisions.csv").write_bytes(b"id,date\xff\n")
    assert findings(study) == ["trial/decisions.csv\n  The file is not UTF-8 text."]


@pytest.mark.parametrize(
    ("old", "new", "place", "what"),
    [
        pytest.param("unit: mg/L", f"unit: nmol/L, {FACTOR}}}", "9  measurements.hscrp.molar_factor", "A molar factor",
                     id="molar-factor"),
        pytest.param("hscrp: {column: CRP, unit: mg/L", f"{BELOW}}}", "9  measurements.hscrp.below",
                     "A fill or limit given by the site", id="limit"),
        pytest.param("hscrp: {column: CRP, unit: mg/L", "hscrp: {column: CRP, unit: mg/L, below: {heap: 0.1}",
                     "9  measurements.hscrp.below", "A fill or limit given by the site", id="fill"),
        pytest.param("2: female}", "2: female, 9: female}", "7  columns.sex", "A recoding of several codes onto one",
                     id="recoding"),
        pytest.param("instruments:", 'derived: {half: {formula: "PHQ_V0 / 2"}}\ninstruments:', "10  derived.half",
                     "A derived column", id="derived"),
        pytest.param("instruments:", "duplicates: {keep: first, reason: entered twice}\ninstruments:", "10  duplicates",
                     "A choice between duplicate rows", id="duplicates"),
    ],
)  # fmt: skip
def test_a_choice_cites_a_decision(study: Path, old: str, new: str, place: str, what: str) -> None:
    change(study, NORTH, old, new)
    told = f"trial/sites/north.yaml:{place}\n  {what} is a choice, and the study has no decisions.csv"
    assert any(text.startswith(told) for text in findings(study)), findings(study)
    log_decision(study, "D1", variable="hscrp; sex")
    uncited = [text for text in findings(study) if "cites no decision" in text]
    assert uncited == [
        f"trial/sites/north.yaml:{place}\n  {what} is a choice, and cites no decision.\n  Allowed: D1.\n"
        "  Log it in decisions.csv and add `decision: <its id>` here."
    ]


def test_without_a_log_one_finding_tells_all_choices(study: Path) -> None:
    change(study, NORTH, "unit: mg/L", f"unit: nmol/L, {FACTOR}}}")
    change(study, NORTH, "2: female}", "2: female, 9: female}")
    found = findings(study)
    assert len(found) == 1
    assert "So are those at trial/sites/north.yaml:9  measurements.hscrp.molar_factor." in found[0]


@pytest.mark.parametrize(
    "mapping",
    [
        pytest.param("hscrp: {column: CRP, unit: mg/L, below: {column: FLAG, codes: ['1']}", id="flag-column"),
        pytest.param("hscrp: {column: CRP, unit: mg/dL", id="exact-conversion"),
    ],
)
def test_what_is_no_choice_cites_nothing(study: Path, mapping: str) -> None:
    change(study, NORTH, "hscrp: {column: CRP, unit: mg/L", mapping)
    assert findings(study) == []


def test_a_decision_that_is_not_logged(study: Path) -> None:
    cite(study, "D11")
    log_decision(study, "D1", variable="hscrp")
    assert findings(study) == [
        "trial/sites/north.yaml:9  measurements.hscrp.molar_factor.decision\n"
        "  'D11' is not a decision of decisions.csv.\n  Allowed: D1. Nearest: D1.\n"
        f"  Log it: a line of decisions.csv with {HEADER}."
    ]


def test_a_superseded_decision_is_not_cited(study: Path) -> None:
    cite(study, "D1")
    log_decision(study, "D1")
    log_decision(study, "D2", supersedes="D1")
    assert findings(study) == [
        "trial/sites/north.yaml:9  measurements.hscrp.molar_factor.decision\n"
        "  The decision 'D1' is superseded by 'D2'.\n  Allowed: D2. Nearest: D2."
    ]


def test_a_decision_about_another_site(study: Path) -> None:
    cite(study, "D1")
    log_decision(study, "D1", sites="north")
    found = findings(study)
    assert len(found) == 1
    assert "The decision 'D1' is about north, not about south." in found[0]


def test_a_decision_about_another_variable(study: Path) -> None:
    cite(study, "D1")
    log_decision(study, "D1", variable="bmi")
    found = findings(study)
    assert len(found) == 1
    assert "The decision 'D1' is about bmi, not about hscrp." in found[0]
