from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from ember.cli.extracts import extracts
from ember.errors import EmberError
from tests.unit.cli.tiny_study import change_yaml, set_cell, tiny_copy


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study whose second extract of Porto supersedes the first, with the same content so far."""
    folder = tiny_copy(tmp_path)
    porto = folder / "extracts" / "porto"
    shutil.copyfile(porto / "estudo.csv", porto / "estudo_1.csv")
    declared = {"version": "2", "received": "2026-03-01", "cut_off": "2026-02-01", "supersedes": "porto/estudo_1.csv"}
    change_yaml(folder / "study.yaml", "sources", "porto", **declared)
    change_yaml(folder / "study.yaml", locked_visits=["baseline"])
    return folder


def extract(study: Path) -> Path:
    return study / "extracts" / "porto" / "estudo.csv"


def test_an_extract_that_changes_nothing(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert extracts(str(study)) == 0
    said = capsys.readouterr().out
    assert "porto  extracts/porto/estudo.csv  version 2, received 2026-03-01, cut off 2026-02-01" in said
    assert "30 rows before, 30 now: 0 added, 0 removed, 0 changed (0 cells)" in said
    assert "graz  extracts/graz/redcap_export.csv  no version" in said


def test_an_unannounced_change_to_a_locked_visit_has_to_be_answered(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    set_cell(extract(study), 2, "PCR_V0", "9,99")
    set_cell(extract(study), 2, "PCR_V12", "8,88")
    assert extracts(str(study), "porto") == 1
    said = capsys.readouterr().out
    assert "1 changed (2 cells)" in said
    assert "unannounced: 1 cells of PCR_V0 changed at the locked visit baseline" in said
    assert "PCR_V12" not in said
    assert "9,99" not in said


def test_an_announced_change_is_counted_and_asks_nothing(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    set_cell(extract(study), 2, "PCR_V0", "9,99")
    announced = [{"visit": "baseline", "columns": ["PCR_V0"], "reason": "the laboratory reissued its report"}]
    change_yaml(study / "study.yaml", "sources", "porto", announced=announced)
    assert extracts(str(study), "porto") == 0
    assert "1 changes to locked visits were announced" in capsys.readouterr().out


def test_a_pseudonym_that_vanishes_has_to_be_answered_and_is_listed_in_the_restricted_tier(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = extract(study).read_text(encoding="latin-1").splitlines()
    identifier = lines[5].split(";")[0]
    extract(study).write_text("\n".join([*lines[:5], *lines[6:]]) + "\n", encoding="latin-1")
    assert extracts(str(study), "porto") == 1
    said = capsys.readouterr().out
    assert "1 participant vanished" in said
    listed = study / "results" / "tiny" / "restricted" / "extracts" / "porto.porto.csv"
    rows = pl.read_csv(listed)
    assert rows["change"].to_list() == ["removed", "vanished"]
    assert rows["row_before"].to_list() == [6, None]
    assert identifier not in said + listed.read_text()


def test_columns_that_come_or_go_are_named(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = extract(study).read_text(encoding="latin-1")
    extract(study).write_text(text.replace("ADVERSIDADE", "ADVERSIDADE2", 1), encoding="latin-1")
    change_yaml(study / "sites" / "porto.yaml", "columns", "adversity", column="ADVERSIDADE2")
    extracts(str(study), "porto")
    said = capsys.readouterr().out
    assert "columns new: ADVERSIDADE2" in said
    assert "columns gone: ADVERSIDADE" in said


def test_refuses_an_unknown_source_and_an_absent_extract(study: Path) -> None:
    with pytest.raises(EmberError, match="Nearest: porto"):
        extracts(str(study), "portto")
    (study / "extracts" / "porto" / "estudo_1.csv").unlink()
    with pytest.raises(EmberError, match="superseded extract does not exist"):
        extracts(str(study), "porto")


def test_columns_that_are_joined_are_compared_too(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    porto = study / "extracts" / "porto"
    rows = [line.split(";") for line in extract(study).read_text(encoding="latin-1").splitlines()]
    for name in ("estudo.csv", "estudo_1.csv"):
        (porto / name).write_text("\n".join(";".join(cells[:-1]) for cells in rows) + "\n", encoding="latin-1")
    last = [";".join(["WHO" if place == 0 else cells[0], cells[-1]]) for place, cells in enumerate(rows)]
    (porto / "last.csv").write_text("\n".join(last) + "\n", encoding="latin-1")
    other = {"path": "porto/last.csv", "format": "csv", "delimiter": ";", "encoding": "latin-1"}
    change_yaml(study / "study.yaml", "sources", last=other)
    join = {"source": "last", "on": {"PATID": "WHO"}, "cardinality": "one_to_one", "columns": [rows[0][-1]]}
    change_yaml(study / "study.yaml", "sources", "porto", join=[join])
    assert extracts(str(study), "porto") == 0
    assert "30 rows before, 30 now" in capsys.readouterr().out
