from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest

from ember.cli.queries import queries
from ember.errors import EmberError
from ember.registry.load import load_study
from tests.in_process import harmonise, read, standardise
from tests.unit.cli.tiny_study import set_cell, tiny_copy

MONDAY, LATER = date(2026, 3, 2), date(2026, 4, 1)


@pytest.fixture
def study(tmp_path: Path) -> Path:
    folder = tiny_copy(tmp_path)
    set_cell(folder / "extracts/porto/estudo.csv", 2, "PCR_V0", "n.d.")
    set_cell(folder / "extracts/porto/estudo.csv", 4, "SEXO", "7")
    run(folder)
    return folder


def run(folder: Path) -> None:
    loaded, _ = load_study(str(folder))
    results = folder / "results" / "tiny"
    read(loaded, folder, results, "porto")
    standardise(loaded, folder, results, "porto")
    harmonise(folder, results, "porto")


def listed(study: Path) -> pl.DataFrame:
    return pl.read_csv(study / "results/tiny/restricted/queries/porto.csv")


def test_the_list_says_row_column_rule_question_status_and_age(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert queries(str(study), "porto", MONDAY) == 0
    shown = listed(study).select("number", "status", "row_number", "column", "visit", "rule_id", "age_days")
    assert shown.rows() == [
        ("porto-00001", "open", 2, "PCR_V0", "baseline", "value.not_numeric", 0),
        ("porto-00002", "open", 4, "SEXO", None, "value.not_in_codes", 0),
    ]
    assert listed(study)["question"][0] == "The cell of PCR_V0 is not a number. What is the value?"
    said = capsys.readouterr().out
    assert "porto  2 queries: 2 open, 0 answered, 0 closed" in said
    assert "n.d." not in said + (study / "results/tiny/restricted/queries/porto.csv").read_text()


def test_numbers_persist_over_extracts_and_what_no_longer_arises_is_closed(study: Path) -> None:
    queries(str(study), "porto", MONDAY)
    extract = study / "extracts/porto/estudo.csv"
    set_cell(extract, 2, "PCR_V0", "0,3")
    lines = extract.read_text(encoding="latin-1").splitlines()
    extract.write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n", encoding="latin-1")
    run(study)
    queries(str(study), "porto", LATER)
    shown = listed(study).select("number", "status", "row_number", "age_days")
    assert shown.rows() == [("porto-00001", "closed", 2, 30), ("porto-00002", "open", 29, 30)]


def test_refuses_an_unknown_site_and_a_study_that_has_not_been_run(tmp_path: Path) -> None:
    folder = tiny_copy(tmp_path)
    with pytest.raises(EmberError, match="Nearest: porto"):
        queries(str(folder), "proto", MONDAY)
    with pytest.raises(EmberError, match="has not been run"):
        queries(str(folder), "porto", MONDAY)
