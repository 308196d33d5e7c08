"""A freeze binds extracts, decisions and plan: what breaks it, what does not, and how it is lifted."""

from __future__ import annotations

import argparse
import json
from datetime import date
from pathlib import Path

import pytest

from ember.cli.check import check
from ember.cli.freeze import add_parser, add_unfreeze_parser, freeze, unfreeze
from ember.errors import EmberError
from ember.provenance.freeze import extract_findings, open_queries
from ember.registry.load import load_study
from tests.unit.registry.study_folder import change, findings, log_decision, write_study

Printed = pytest.CaptureFixture[str]
FINAL = "seed: 1\nrelease: {status: final, freeze: lock}"
DAY = "2025-07-01"
DAY_OF_FREEZE = date.fromisoformat(DAY)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    return write_study(tmp_path)


@pytest.fixture
def frozen(study: Path) -> Path:
    """Return the study with one decision, frozen as `lock` and called final."""
    log_decision(study, "D1")
    freeze(str(study), "lock", DAY_OF_FREEZE)
    change(study, "study.yaml", "seed: 1", FINAL)
    return study


def test_a_draft_is_not_frozen(study: Path) -> None:
    loaded = load_study(str(study), environment={})[0]
    assert (loaded.release_status, loaded.freeze, loaded.frozen) == ("draft", None, None)


def test_a_frozen_study_may_be_called_final(frozen: Path, capsys: Printed) -> None:
    assert findings(frozen) == []
    assert check(str(frozen), quiet=True) == 0


def test_what_a_freeze_holds(frozen: Path, capsys: Printed) -> None:
    content = json.loads((frozen / "freezes" / "lock.json").read_text(encoding="utf-8"))
    assert (content["study"], content["label"], content["date"], content["open_queries"]) == ("trial", "lock", DAY, 0)
    assert set(content["extracts"]) == {"north", "south"}
    assert {"decisions", "study", "report", "site north", "site south", "scheme bands", "analysis course",
            "registry units", "registry thresholds"} <= set(content["bound"])  # fmt: skip
    assert list((frozen / "freezes").iterdir()) == [frozen / "freezes" / "lock.json"]


def test_the_command_says_what_it_bound(study: Path, capsys: Printed) -> None:
    assert freeze(str(study), "lock", DAY_OF_FREEZE) == 0
    assert capsys.readouterr().out == (
        "trial: frozen as lock: 2 extracts, 0 decisions, 0 open queries.\n"
        "Written to freezes/lock.json. A final release says `release: {status: final, freeze: lock}`.\n"
    )


def test_a_study_already_called_final_can_be_frozen(study: Path) -> None:
    change(study, "study.yaml", "seed: 1", FINAL)
    assert findings(study) == [
        "trial/freezes/lock.json\n  There is no freeze 'lock'.\n  `ember freeze trial lock` makes it."
    ]
    freeze(str(study), "lock", DAY_OF_FREEZE)
    assert findings(study) == []


def test_a_freeze_is_never_written_over(frozen: Path) -> None:
    before = (frozen / "freezes" / "lock.json").read_bytes()
    with pytest.raises(EmberError, match="a freeze is never written over"):
        freeze(str(frozen), "lock", date(2026, 1, 1))
    assert (frozen / "freezes" / "lock.json").read_bytes() == before
    assert [path.name for path in (frozen / "freezes").iterdir()] == ["lock.json"]


@pytest.mark.parametrize("label", ["", "../lock", "-lock", "a b", ".hidden"])
def test_a_label_that_cannot_be_a_file_name(study: Path, label: str) -> None:
    with pytest.raises(EmberError, match="cannot be a label"):
        freeze(str(study), label, DAY_OF_FREEZE)
    assert not (study / "freezes").exists()


def test_a_study_with_findings_is_not_frozen(study: Path) -> None:
    change(study, "report.yaml", "pooled", "poled")
    with pytest.raises(EmberError, match="poled"):
        freeze(str(study), "lock", DAY_OF_FREEZE)


def test_a_label_that_is_nearly_one(frozen: Path) -> None:
    change(frozen, "study.yaml", "freeze: lock", "freeze: locked")
    assert findings(frozen) == [
        "trial/freezes/locked.json\n  There is no freeze 'locked'.\n  Allowed: lock. Nearest: lock.\n"
        "  `ember freeze trial locked` makes it."
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        pytest.param("analyses/course.yaml", "[age, sex]", "[age]", "the analysis course changed", id="analysis"),
        pytest.param("endotypes/bands.yaml", "label: Bands", "label: Other", "the scheme bands changed", id="scheme"),
        pytest.param("sites/south.yaml", "mg/dL", "ng/mL", "the site south changed", id="site"),
        pytest.param("study.yaml", "to: 35", "to: 36", "study.yaml changed", id="window"),
        pytest.param("report.yaml", "}\n", "}\ninflamed_share: bands\n", "report.yaml changed", id="report"),
        pytest.param("decisions.csv", "For a test", "For no test", "the log of decisions changed", id="decisions"),
    ],
)
def test_a_change_after_the_freeze_is_named(frozen: Path, file: str, old: str, new: str, changed: str) -> None:
    change(frozen, file, old, new)
    assert findings(frozen) == [
        "trial/freezes/lock.json\n"
        f"  The release is called final, and {changed} since it was frozen as 'lock' on {DAY}.\n"
        "  Take the change back, or lift the freeze with `ember unfreeze trial lock`."
    ]


def test_every_change_is_named(frozen: Path) -> None:
    change(frozen, "analyses/course.yaml", "[age, sex]", "[age]")
    log_decision(frozen, "D2")
    assert [text.split("and ")[1].split(" since")[0] for text in findings(frozen)] == [
        "the analysis course changed", "the log of decisions changed",
    ]  # fmt: skip


def test_an_analysis_that_was_added(frozen: Path) -> None:
    text = (frozen / "analyses" / "course.yaml").read_text(encoding="utf-8")
    (frozen / "analyses" / "later.yaml").write_text(text.replace("analysis: course", "analysis: later"), "utf-8")
    change(frozen, "study.yaml", "[course]", "[course, later]")
    assert any("the analysis later was added" in text for text in findings(frozen))


def test_a_registry_row_that_the_study_uses(frozen: Path) -> None:
    (frozen / "registry").mkdir()
    shared = Path(__file__).parents[3] / "config" / "registry" / "assays.csv"
    header, *rows = shared.read_text(encoding="utf-8").splitlines()
    own = next(row for row in rows if row.startswith("roche_crphs,")).replace("roche_crphs", "roche_new", 1)
    (frozen / "registry" / "assays.csv").write_text(f"{header}\n{own}\n", encoding="utf-8")
    assert [text.split("and ")[1].split(" since")[0] for text in findings(frozen)] == [
        "what the study uses of config/registry/assays.csv changed"
    ]


def test_the_label_and_the_place_of_the_data_are_not_bound(frozen: Path) -> None:
    change(frozen, "study.yaml", 'label: "1"', 'label: "2"')
    (frozen / "data").rename(frozen / "moved")
    change(frozen, "study.yaml", "{folder: data}", "{folder: moved}")
    assert findings(frozen) == []


def test_a_changed_extract_is_found_by_check_and_by_the_hashes_of_a_run(frozen: Path, capsys: Printed) -> None:
    loaded = load_study(str(frozen), environment={})[0]
    assert loaded.frozen is not None
    assert extract_findings(loaded, loaded.frozen.extracts) == []
    with (frozen / "data" / "north.csv").open("a", encoding="utf-8") as lines:
        lines.write("A2,31,2,1.0,9,7\n")
    assert check(str(frozen)) == 1
    assert f"the extract north changed since it was frozen as 'lock' on {DAY}." in capsys.readouterr().out
    hashes = {"north": "0" * 64, "south": loaded.frozen.extracts["south"], "west": "1" * 64}
    told = [str(finding) for finding in extract_findings(loaded, hashes)]
    assert ["the extract north changed" in told[0], "the extract west was added" in told[1]] == [True, True]
    assert len(told) == 2


def test_corrections_beside_the_extracts_are_bound(study: Path) -> None:
    change(study, "sites/north.yaml", "participant: ID", "participant: ID\ncorrections: north_corrections.csv")
    corrections = study / "data" / "north_corrections.csv"
    corrections.write_text("row,column,expect,value,reason,provider\n", encoding="utf-8")
    freeze(str(study), "lock", DAY_OF_FREEZE)
    change(study, "study.yaml", "seed: 1", FINAL)
    before = findings(study)
    with corrections.open("a", encoding="utf-8") as lines:
        lines.write("2,AGE,30,31,typing error,site\n")
    new = [text for text in findings(study) if text not in before]
    assert any("the corrections of north, north changed" in text for text in new)


def test_open_queries_are_counted_and_may_not_become_more(frozen: Path) -> None:
    loaded = load_study(str(frozen), environment={})[0]
    assert open_queries(loaded) == 0
    register = frozen / "data" / "queries" / "north.csv"
    register.parent.mkdir()
    register.write_text("query,status\n1,open\n2,closed\n3,open\n", encoding="utf-8")
    assert open_queries(loaded) == 2
    assert any("2 queries are open and 0 were since it was frozen" in text for text in findings(frozen))
    register.write_text("query,status\n1,answered\n2,closed\n", encoding="utf-8")
    assert findings(frozen) == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{}", id="empty"),
        pytest.param("not json", id="no-json"),
        pytest.param(None, id="edited"),
    ],
)
def test_a_damaged_freeze_is_refused(frozen: Path, text: str | None) -> None:
    path = frozen / "freezes" / "lock.json"
    edited = path.read_text(encoding="utf-8").replace('"open_queries": 0', '"open_queries": 9')
    path.write_text(edited if text is None else text, encoding="utf-8")
    assert [finding.splitlines()[:2] for finding in findings(frozen)] == [
        ["trial/freezes/lock.json", "  The freeze is not as `ember freeze` wrote it."]
    ]


def test_a_lifted_freeze_carries_no_final_release_and_the_log_says_who_and_why(frozen: Path) -> None:
    assert unfreeze(str(frozen), "lock", "B. Tester", "A site sent, late,\nmore rows.", date(2025, 8, 1)) == 0
    assert (frozen / "freezes" / "log.csv").read_text(encoding="utf-8") == (
        'label,date,who,reason\nlock,2025-08-01,B. Tester,"A site sent, late, more rows."\n'
    )
    assert findings(frozen)[0].startswith(
        "trial/freezes/log.csv\n"
        "  The freeze 'lock' was lifted on 2025-08-01 by B. Tester: A site sent, late, more rows."
    )
    change(frozen, "study.yaml", "\nrelease: {status: final, freeze: lock}", "")
    loaded = load_study(str(frozen), environment={})[0]
    assert [line.who for line in loaded.unfreezings] == ["B. Tester"]
    assert loaded.resolved["unfreezings"][0]["reason"] == "A site sent, late, more rows."


def test_a_freeze_is_lifted_once(frozen: Path) -> None:
    unfreeze(str(frozen), "lock", "B. Tester", "More rows", DAY_OF_FREEZE)
    change(frozen, "study.yaml", "\nrelease: {status: final, freeze: lock}", "")
    with pytest.raises(EmberError, match="was lifted on"):
        unfreeze(str(frozen), "lock", "B. Tester", "More rows", DAY_OF_FREEZE)


def test_only_a_freeze_that_is_there_is_lifted(frozen: Path) -> None:
    with pytest.raises(EmberError, match=r"no freeze 'lok'[\s\S]*Nearest: lock"):
        unfreeze(str(frozen), "lok", "B. Tester", "More rows", DAY_OF_FREEZE)


@pytest.mark.parametrize(("who", "reason"), [pytest.param(" ", "Why", id="who"), pytest.param("B", "", id="reason")])
def test_lifting_needs_a_name_and_a_reason(frozen: Path, who: str, reason: str) -> None:
    with pytest.raises(EmberError, match="is blank"):
        unfreeze(str(frozen), "lock", who, reason, DAY_OF_FREEZE)
    assert not (frozen / "freezes" / "log.csv").exists()


def test_a_log_of_another_form_is_refused(study: Path) -> None:
    (study / "freezes").mkdir()
    (study / "freezes" / "log.csv").write_text("label,date\n", encoding="utf-8")
    assert findings(study)[0].startswith("trial/freezes/log.csv:1\n  The log of lifted freezes lacks the column who")


def test_a_log_that_is_no_text_is_refused(study: Path) -> None:
    (study / "freezes").mkdir()
    (study / "freezes" / "log.csv").write_bytes(b"label,date,who,reason\n\xff")
    assert findings(study) == ["trial/freezes/log.csv\n  The file is not UTF-8 text."]


def test_the_commands_parse(frozen: Path, capsys: Printed) -> None:
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    add_parser(commands)
    add_unfreeze_parser(commands)
    lift = parser.parse_args(["unfreeze", str(frozen), "lock", "--who", "B", "--reason", "Late rows", "--date", DAY])
    assert lift.run(lift) == 0
    again = parser.parse_args(["freeze", str(frozen), "lock2"])
    assert again.run(again) == 0
    with pytest.raises(SystemExit):
        parser.parse_args(["unfreeze", str(frozen), "lock", "--who", "B"])
    assert "--reason" in capsys.readouterr().err
