"""Each way in which an input can be bad: known before the first job, and said with file, row or line, key and fix."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from ember.cli.check import check
from ember.cli.main import main
from ember.errors import EmberError
from ember.steps import pass_gates
from ember.tables.store import empty_table, write_table
from tests.in_process import call, run_stages

TINY = Path(__file__).parents[1] / "data" / "tiny"
DEMO_DATA = Path(__file__).parents[2] / "resources" / "demo"
PORTO = "extracts/porto/estudo.csv"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    shutil.copytree(TINY, tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture
def said(study: Path, capsys: pytest.CaptureFixture[str]) -> Callable[[], str]:
    """Return what `ember check` says of the study, which must be refused."""

    def run() -> str:
        assert check(str(study)) == 1
        output = capsys.readouterr().out
        assert "Nothing was run." in output
        assert not (study / "results").exists()
        return output

    return run


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_the_unchanged_study_is_accepted(study: Path) -> None:
    assert check(str(study)) == 0


def test_missing_file(study: Path, said: Callable[[], str]) -> None:
    (study / PORTO).unlink()
    output = said()
    assert "study.yaml:" in output and "sources.porto" in output and "does not exist" in output
    assert "porto/estudo.csv" in output


def test_unknown_column_in_a_map(study: Path, said: Callable[[], str]) -> None:
    change(study / "sites" / "porto.yaml", "column: IDADE", "column: IDADEE")
    output = said()
    assert "IDADEE" in output and "IDADE" in output and "earest" in output
    assert "sites/porto.yaml:" in output or "porto/estudo.csv" in output


def test_unknown_unit(study: Path, said: Callable[[], str]) -> None:
    change(study / "sites" / "porto.yaml", "unit: pg/mL", "unit: pg/L")
    output = said()
    assert "sites/porto.yaml:" in output and ".unit" in output
    assert "'pg/L' is not a unit of" in output and "pg/mL" in output


def test_unknown_key_in_a_config(study: Path, said: Callable[[], str]) -> None:
    change(study / "study.yaml", "time_zero:", "time_zro:")
    output = said()
    assert "study.yaml:" in output and "time_zro" in output and "Nearest: time_zero" in output


def test_empty_extract(study: Path, said: Callable[[], str]) -> None:
    (study / PORTO).write_bytes(b"")
    output = said()
    assert "porto/estudo.csv" in output and "empty" in output


def test_extract_with_a_header_only(study: Path, said: Callable[[], str]) -> None:
    header = (study / PORTO).read_bytes().split(b"\n")[0] + b"\n"
    (study / PORTO).write_bytes(header)
    output = said()
    assert "porto/estudo.csv" in output and "header" in output


def test_wrong_encoding(study: Path) -> None:
    change(study / "study.yaml", "encoding: latin-1", "encoding: utf-8")
    text = (study / PORTO).read_bytes()
    (study / PORTO).write_bytes(text.replace(b"\n", b"\n", 1) + "é".encode("latin-1"))

    with pytest.raises(EmberError) as refused:
        run_stages(study)
    assert "porto/estudo.csv" in str(refused.value)
    assert "utf-8" in str(refused.value).lower() and "line" in str(refused.value).lower()


def test_truncated_sav(study: Path, said: Callable[[], str]) -> None:
    _with_file(study, "lund.sav", "spss", (DEMO_DATA / "lund" / "quest.sav").read_bytes()[:1000])
    output = said()
    assert "lund.sav" in output and "damaged or cut off" in output


def test_unreadable_workbook(study: Path, said: Callable[[], str]) -> None:
    _with_file(study, "cork.xlsx", "excel, sheet: Visits", b"PK\x03\x04 this is not a workbook")
    output = said()
    assert "cork.xlsx" in output and "workbook" in output


def test_site_with_no_biomarker(study: Path, said: Callable[[], str]) -> None:
    site = study / "sites" / "porto.yaml"
    lines = site.read_text(encoding="utf-8").splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("measurements:"))
    end = next(i for i in range(start + 1, len(lines)) if not lines[i].startswith(" "))
    site.write_text("".join(lines[:start] + lines[end:]), encoding="utf-8")
    output = said()
    assert "sites/porto.yaml" in output and "no biomarker" in output and "exclude_sites" in output


def test_two_sites_with_one_id(study: Path, said: Callable[[], str]) -> None:
    change(study / "sites" / "graz.yaml", "site: graz", "site: porto")
    output = said()
    assert "sites/graz.yaml:" in output and "porto" in output and "same" in output


def test_study_that_does_not_exist(capsys: pytest.CaptureFixture[str]) -> None:

    assert main(["check", "nhannes"]) == 1
    output = capsys.readouterr()
    assert "There is no study 'nhannes'." in output.out + output.err
    assert "Nearest: nhanes" in output.out + output.err


def test_duplicate_participant(study: Path) -> None:
    """A participant twice with other content: both rows wait in the ledger, and the gate stops the study."""
    lines = (study / PORTO).read_bytes().rstrip(b"\n").split(b"\n")
    cells = lines[3].split(b";")
    cells[lines[0].split(b";").index(b"IDADE")] = b"44,5"
    (study / PORTO).write_bytes(b"\n".join([*lines, b";".join(cells)]) + b"\n")
    _, results = run_stages(study)
    ledger = pl.read_parquet(results / "restricted/ledger/porto/standardise_site.parquet")
    rows = ledger.filter(pl.col("rule_id") == "row.duplicate_conflict")["row_number"].to_list()
    assert rows == [4, len(lines) + 1]
    finding = pl.read_csv(results / "checks/findings/porto/standardise_site.csv").row(0, named=True)
    assert finding["finding"] == "duplicate:porto:porto"
    assert finding["severity"] == "error" and not finding["answered"]

    write_table(empty_table("gates"), results / "gates.csv", "gates")
    with pytest.raises(EmberError) as stopped:
        call(
            pass_gates,
            study,
            stage="standardised",
            gates=[results / "gates.csv"],
            findings=[results / "checks/findings/porto/standardise_site.csv"],
            passed=results / "passed",
        )
    said = str(stopped.value)
    assert "duplicate:porto:porto" in said and "findings:" in said and "ledger/porto/standardise_site" in said
    assert not (results / "passed").exists()


def _with_file(study: Path, name: str, kind: str, content: bytes) -> None:
    """Make the source porto a broken file of another format."""
    (study / "extracts" / name).write_bytes(content)
    text = (study / "study.yaml").read_text(encoding="utf-8").splitlines()
    changed = [f"  porto: {{path: {name}, format: {kind}}}" if line.startswith("  porto:") else line for line in text]
    (study / "study.yaml").write_text("\n".join(changed) + "\n", encoding="utf-8")
