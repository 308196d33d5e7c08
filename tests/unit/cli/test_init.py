from __future__ import annotations

import argparse
import csv
import stat
from pathlib import Path

import pytest

from ember.cli import init as command
from ember.cli.check import check
from ember.cli.init import add_parser, init, run
from ember.errors import EmberError
from ember.registry.load import PROJECT, inspect_study
from ember.registry.schema import schema_findings
from ember.registry.yaml_file import read_yaml

DEMO = PROJECT / "resources" / "demo"
FOLDERS = [DEMO / site for site in ("porto", "lund", "graz", "cork")]
TRIAL = "id,age_years,sex,crp_mg_l,visit,visit_date\n" + "".join(
    f"P{n:03d},{30 + n % 30},{'MF'[n % 2]},{0.1 * n + 0.05:.2f},{visit},2024-0{1 + (visit == 'W4')}-{1 + n % 28:02d}\n"
    for n in range(60)
    for visit in ("BL", "W4")
)


@pytest.fixture
def extract(tmp_path: Path) -> Path:
    path = tmp_path / "extracts" / "alpha" / "trial.csv"
    path.parent.mkdir(parents=True)
    path.write_text(TRIAL, encoding="utf-8")
    return path


@pytest.fixture
def drafted(tmp_path: Path, extract: Path) -> Path:
    init(tmp_path / "study", [extract])
    return tmp_path / "study"


def test_the_parser_takes_what_the_manual_says() -> None:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    found = parser.parse_args(["init", "study", "a.csv", "b", "--site", "x=c.csv", "--site", "y=d.csv", "--key", "k"])
    assert (found.folder, found.extracts, found.site, found.key) == (
        "study",
        ["a.csv", "b"],
        ["x=c.csv", "y=d.csv"],
        "k",
    )


def test_runs_from_the_command_line(tmp_path: Path, extract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = argparse.Namespace(folder=str(tmp_path / "study"), extracts=[str(extract)], site=[], key=None)
    assert run(arguments, {"EMBER_KEY_FILE": "somewhere"}) == 0
    said = capsys.readouterr().out
    assert "a draft of 1 site" in said
    assert "alpha" in said
    assert "EMBER_KEY_FILE" not in said


def test_writes_the_files_of_a_study(drafted: Path) -> None:
    written = {path.relative_to(drafted).as_posix() for path in drafted.rglob("*") if path.is_file()}
    assert written == {
        "study.yaml", "sites/alpha.yaml", "endotypes/hscrp_first.yaml", "analyses/first.yaml", "report.yaml",
        "draft.csv", "README.md",
    }  # fmt: skip


def test_every_proposal_has_its_evidence_and_status(drafted: Path) -> None:
    with (drafted / "draft.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert {row["status"] for row in rows} == {"proposed", "open"}
    assert all(row["evidence"] and row["source"] and 0 <= float(row["confidence"]) < 1 for row in rows)
    units = {(row["column"], row["proposal"]) for row in rows if row["kind"] == "unit" and row["status"] == "proposed"}
    assert units == {("age_years", "a"), ("crp_mg_l", "mg/L")}


def test_the_draft_holds_no_id_and_no_value(drafted: Path) -> None:
    texts = "".join(path.read_text(encoding="utf-8") for path in drafted.rglob("*") if path.is_file())
    assert not [f"P{n:03d}" for n in range(60) if f"P{n:03d}" in texts]
    assert "2024-0" not in texts


def test_an_open_draft_is_refused_with_what_is_missing(drafted: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(str(drafted)) == 1
    said = capsys.readouterr().out
    assert "'question', 'design', 'time_zero' is missing" in said
    assert "of the draft are open: settle them and take `open_points:` out." in said
    assert "'open_points' is not a key here" not in said


def settled(folder: Path) -> None:
    """Do what the README asks for, as a study lead would."""
    study = folder / "study.yaml"
    text = study.read_text(encoding="utf-8").split("# While this list stands")[0]
    text += "question: Does inflammation go with severity?\ndesign: cohort\n"
    text += "" if "\ntime_zero:" in text else "time_zero: enrolment\n"
    study.write_text(text, encoding="utf-8")
    for site in (folder / "sites").iterdir():
        site.write_text(site.read_text(encoding="utf-8").split("# While this list stands")[0], encoding="utf-8")


def test_the_files_pass_their_schemas_once_the_points_are_settled(drafted: Path) -> None:
    settled(drafted)
    for name, schema in (
        ("study", "study"),
        ("sites/alpha", "site"),
        ("endotypes/hscrp_first", "scheme"),
        ("analyses/first", "analysis"),
        ("report", "report"),
    ):
        assert schema_findings(read_yaml(drafted / f"{name}.yaml", name), schema) == []


def test_a_settled_draft_is_a_study(drafted: Path) -> None:
    settled(drafted)
    found = inspect_study(str(drafted))
    assert found.study is not None
    site = found.study.sites["alpha"]
    assert site.tables[0].participant == "id"
    assert site.tables[0].measurements["hscrp"].unit == "mg/L"
    assert found.study.sources["alpha"].path.resolve().is_file()
    # There is no questionnaire in the extract, which no draft can mend.
    assert [str(finding) for finding in found.findings if "severity" not in str(finding)] == []


def test_a_folder_that_is_not_empty_is_left_as_it_is(tmp_path: Path, extract: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "mine.txt").write_text("x", encoding="utf-8")
    with pytest.raises(EmberError, match="overwrites nothing"):
        init(tmp_path / "study", [extract])
    assert [path.name for path in (tmp_path / "study").iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_filled(tmp_path: Path, extract: Path) -> None:
    (tmp_path / "study").mkdir()
    assert init(tmp_path / "study", [extract]) == 0


def test_nothing_is_written_when_writing_fails(tmp_path: Path, extract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "study_files", lambda draft: {"study.yaml": "x", "sites": "y", "sites/a.yaml": "z"})
    with pytest.raises(OSError):
        init(tmp_path / "study", [extract])
    assert [path.name for path in tmp_path.iterdir()] == ["extracts"]


def test_nothing_is_written_when_an_extract_is_refused(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "empty.csv").write_bytes(b"")
    with pytest.raises(EmberError, match="0 bytes"):
        init(tmp_path / "study", [tmp_path / "site" / "empty.csv"])
    assert not (tmp_path / "study").exists()


def test_a_key_is_made_and_never_shown(tmp_path: Path, extract: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key = tmp_path / "keys" / "trial.key"
    init(tmp_path / "study", [extract], key=key)
    content = key.read_text(encoding="ascii").strip()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(content) == 64 and int(content, 16) >= 0
    said = capsys.readouterr().out
    assert content not in said
    assert f"export EMBER_KEY_FILE={key}" in said


@pytest.mark.parametrize(
    "place",
    [
        pytest.param("study/trial.key", id="in the study"),
        pytest.param("extracts/alpha/trial.key", id="beside the data"),
    ],
)
def test_a_key_lies_outside_study_and_data(place: str, tmp_path: Path, extract: Path) -> None:
    with pytest.raises(EmberError, match="inside"):
        init(tmp_path / "study", [extract], key=tmp_path / place)
    assert not (tmp_path / "study").exists()


def test_a_key_is_never_overwritten(tmp_path: Path, extract: Path) -> None:
    key = tmp_path / "trial.key"
    key.write_text("mine", encoding="ascii")
    with pytest.raises(EmberError, match="never overwritten"):
        init(tmp_path / "study", [extract], key=key)
    assert key.read_text(encoding="ascii") == "mine"


def test_sites_can_be_named(tmp_path: Path, extract: Path) -> None:
    other = extract.with_name("other.csv")
    other.write_text(TRIAL, encoding="utf-8")
    init(tmp_path / "study", [], [f"north={extract}", f"south={other}"])
    assert sorted(path.name for path in (tmp_path / "study" / "sites").iterdir()) == ["north.yaml", "south.yaml"]


def test_says_where_to_look_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    init(tmp_path / "demo", FOLDERS)
    said = capsys.readouterr().out
    assert "a draft of 4 sites" in said
    assert "look first: lund, adv as variable adversity (0.65)" in said
    assert "EMBER_KEY_FILE is not set" in said
