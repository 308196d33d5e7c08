"""`ember check`: files, hashes, columns, schemes, the closing line, and what --record writes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from ember.cli.check import check
from ember.errors import EmberError
from tests.unit.cli.tiny_study import change_yaml, tiny_copy
from tests.unit.registry.study_folder import change

Printed = pytest.CaptureFixture[str]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def declare(study: Path) -> None:
    """Write the true hashes of both files into the table of files."""
    for name in ("north", "south"):
        change(study, "files.csv", f"{name}.csv,,", f"{name}.csv,{sha256(study / 'data' / f'{name}.csv')},")


def test_a_study_without_findings(study: Path, capsys: Printed) -> None:
    declare(study)
    assert check(str(study)) == 0
    assert capsys.readouterr().out == (
        "trial: 2 sites, 2 sources, 1 endotype scheme, 1 analysis; no findings. Nothing was run.\n"
    )


def test_quiet_says_nothing_about_a_study_without_findings(study: Path, capsys: Printed) -> None:
    declare(study)
    assert check(str(study), quiet=True) == 0
    assert capsys.readouterr().out == ""


def test_findings_of_the_folder_and_of_the_files_come_together(study: Path, capsys: Printed) -> None:
    declare(study)
    change(study, "report.yaml", "pooled", "poled")
    change(study, "sites/north.yaml", "column: CRP", "column: CRPP")
    change(study, "sites/south.yaml", "measurements:\n  hscrp: {unit: mg/dL}", "measurements:\n  hscrp: {column: CRP}")
    assert check(str(study)) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "trial/report.yaml:1  headline.model"
    assert "trial/sites/north.yaml:9  measurements.hscrp.column" in lines
    assert "  The site file of north names CRPP_V0; the file has 6 columns, nearest: CRP_V0, PHQ_V0." in lines
    assert lines[-1] == "2 errors, 0 warnings in 2 sites. Nothing was run."


def test_a_file_that_is_not_the_declared_one(study: Path, capsys: Printed) -> None:
    declare(study)
    before = sha256(study / "data" / "north.csv")
    (study / "data" / "north.csv").write_text("ID,AGE,SEX,CRP_V0,PHQ_V0,PHQ_V4\nA2,30,1,2.0,1,8\n", encoding="utf-8")
    assert check(str(study)) == 1
    shown = capsys.readouterr().out
    assert "its SHA-256 differs" in shown
    assert before[:12] in shown
    assert "1 error, 0 warnings" in shown


def test_a_hash_that_nobody_declared_is_a_warning(study: Path, capsys: Printed) -> None:
    assert check(str(study)) == 0
    shown = capsys.readouterr().out
    assert shown.count("No SHA-256 is declared") == 2
    assert shown.endswith("0 errors, 2 warnings in 2 sites. Nothing was run.\n")


def test_a_study_without_table_of_files_is_not_warned(study: Path, capsys: Printed) -> None:
    change(study, "study.yaml", "files: files.csv\n", "")
    assert check(str(study)) == 0
    assert "no findings" in capsys.readouterr().out


def test_record_writes_blank_hashes_once_and_says_so(study: Path, capsys: Printed) -> None:
    north, south = (sha256(study / "data" / f"{name}.csv") for name in ("north", "south"))
    assert check(str(study), record=True) == 0
    assert f"Recorded in files.csv: north.csv  {north}" in capsys.readouterr().out
    written = (study / "files.csv").read_text(encoding="utf-8")
    assert written == (
        "file,sha256,url,recorded,source\n"
        f"north.csv,{north},,true,a test\n"
        f"south.csv,{south},,true,a test\n"
    )  # fmt: skip
    assert check(str(study), record=True) == 0
    assert "nothing was recorded" in capsys.readouterr().out
    assert (study / "files.csv").read_text(encoding="utf-8") == written


def test_record_never_overwrites_a_hash(study: Path, capsys: Printed) -> None:
    change(study, "files.csv", "north.csv,,", f"north.csv,{'0' * 64},")
    assert check(str(study), record=True) == 1
    assert "its SHA-256 differs" in capsys.readouterr().out
    assert f"north.csv,{'0' * 64},,false,a test\n" in (study / "files.csv").read_text(encoding="utf-8")


def test_record_needs_a_table_of_files(study: Path) -> None:
    change(study, "study.yaml", "files: files.csv\n", "")
    with pytest.raises(EmberError, match="no table of files"):
        check(str(study), record=True)


def test_a_file_that_will_be_fetched_is_told_and_is_no_finding(study: Path, capsys: Printed) -> None:
    declare(study)
    row = (study / "files.csv").read_text(encoding="utf-8").splitlines()[2]
    change(study, "files.csv", row, row.replace(",,a test", ",https://example.org/south.csv,a test"))
    (study / "data" / "south.csv").unlink()
    assert check(str(study)) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Fetched when the study runs: south.csv.\n")
    assert "no findings" in shown


def test_a_file_without_hash_is_not_fetched_until_it_was_recorded(study: Path, capsys: Printed) -> None:
    content = (study / "data" / "south.csv").read_text(encoding="utf-8")
    declare(study)
    row = (study / "files.csv").read_text(encoding="utf-8").splitlines()[2]
    change(study, "files.csv", row, "south.csv,,https://example.org/south.csv,a test")
    (study / "data" / "south.csv").unlink()
    assert check(str(study)) == 1
    assert "Download it once from https://example.org/south.csv" in capsys.readouterr().out
    place = study / "resources" / "trial" / "south.csv"
    place.parent.mkdir(parents=True)
    place.write_text(content, encoding="utf-8")
    assert check(str(study), record=True) == 0
    assert check(str(study)) == 0


def test_a_file_that_is_not_of_the_declared_format(study: Path, capsys: Printed) -> None:
    declare(study)
    change(study, "study.yaml", "{path: north.csv, format: csv}", "{path: north.csv, format: spss}")
    assert check(str(study)) == 1
    assert "format: spss" in capsys.readouterr().out


def test_a_scheme_that_leaves_a_value_out(study: Path, capsys: Printed) -> None:
    declare(study)
    change(study, "endotypes/bands.yaml", "{rule: low, ", "{rule: low, when: hscrp_acute, ")
    assert check(str(study)) == 1
    assert "endotypes/bands.yaml" in capsys.readouterr().out


def test_a_mapping_that_cannot_be_carried_out(study: Path, capsys: Printed) -> None:
    declare(study)
    change(study, "sites/north.yaml", "  phq9: {total: PHQ}", "  phq9: {total: PHQ}\n  madrs: {total: PHQ}")
    assert check(str(study)) == 1
    assert "sites/north.yaml" in capsys.readouterr().out


def test_a_restricted_study_needs_its_key(study: Path, capsys: Printed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EMBER_KEY_FILE", raising=False)
    declare(study)
    change(study, "study.yaml", "privacy: synthetic", "privacy: restricted")
    assert check(str(study)) == 1
    assert capsys.readouterr().out.startswith("EMBER_KEY_FILE\n")


def test_a_study_that_cannot_be_built(study: Path, capsys: Printed) -> None:
    change(study, "study.yaml", "seed: 1", "seed: one")
    assert check(str(study)) == 1
    assert capsys.readouterr().out.endswith("1 error, 0 warnings. Nothing was run.\n")


def test_no_participant_value_is_printed(study: Path, capsys: Printed) -> None:
    change(study, "sites/north.yaml", "column: CRP", "column: CRPP")
    (study / "data" / "north.csv").write_text("ID,AGE,SEX\nSECRET77,30,1\n", encoding="utf-8")
    check(str(study))
    assert "SECRET77" not in capsys.readouterr().out


def test_a_file_of_corrections_is_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = tiny_copy(tmp_path)
    change_yaml(study / "sites" / "porto.yaml", corrections="porto/corrections.csv")
    assert check(str(study)) == 1
    assert "The file of corrections 'porto/corrections.csv' does not exist." in capsys.readouterr().out
    (study / "extracts" / "porto" / "corrections.csv").write_text("KANARIE,1\n", encoding="utf-8")
    assert check(str(study)) == 1
    said = capsys.readouterr().out
    assert "porto/corrections.csv:1" in said
    assert "KANARIE" not in said


@pytest.mark.parametrize("delimiter", ['"', "\n", "§"])
def test_a_delimiter_that_no_reader_can_split_at_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], delimiter: str
) -> None:
    study = tiny_copy(tmp_path)
    change_yaml(study / "study.yaml", "sources", "porto", delimiter=delimiter)
    assert check(str(study)) == 1
    assert "sources.porto.delimiter" in capsys.readouterr().out
