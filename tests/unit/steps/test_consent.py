"""Consent and corrections from the files of a study to its raw, standard and ledger files."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from ember.errors import EmberError
from ember.registry.load import load_study
from ember.validate.expectations import run_raw_gate
from tests.in_process import harmonise, ledger_of, read, standardise
from tests.unit.cli.tiny_study import change_yaml, set_cell, tiny_copy

CODES = {"1": "granted", "0": "refused"}
EXTRACT = "extracts/porto/estudo.csv"


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """The tiny study with four columns of consent at Porto; only Porto is read."""
    folder = tiny_copy(tmp_path)
    path = folder / EXTRACT
    lines = path.read_text(encoding="latin-1").splitlines()
    with_consent = [f"{lines[0]};BIO;SEC;LEFT;WHAT", *(f"{line};1;1;;" for line in lines[1:])]
    path.write_text("\n".join(with_consent) + "\n", encoding="latin-1")
    consent = {
        "purposes": {
            "biomarkers": {"column": "BIO", "codes": CODES},
            "secondary_use": {"column": "SEC", "codes": CODES},
        },
        "withdrawn": {"column": "LEFT", "date": "%d/%m/%Y"},
        "on_withdrawal": {"column": "WHAT", "codes": {"K": "keep", "E": "erase"}},
    }
    change_yaml(folder / "sites/porto.yaml", consent=consent)
    change_yaml(folder / "study.yaml", consent={"required": ["secondary_use"]})
    change_yaml(
        folder / "study.yaml", exclude_sites=[{"site": "graz", "reason": "its consent is not part of this test"}]
    )
    return folder


def run(folder: Path) -> Path:
    loaded, _ = load_study(str(folder))
    results = folder / "results" / "tiny"
    read(loaded, folder, results, "porto")
    standardise(loaded, folder, results, "porto")
    harmonise(folder, results, "porto")
    return results


def rules(results: Path) -> dict[str, list[int]]:
    ledger = ledger_of(results).filter(pl.col("rule_id").str.starts_with("consent."))
    return {rule: part["row_number"].unique().sort().to_list() for (rule,), part in ledger.group_by(["rule_id"])}


def people(results: Path) -> int:
    return pl.read_parquet(results / "restricted/standard/porto/participants.parquet").height


def test_everybody_agreed(study: Path) -> None:
    results = run(study)
    assert (people(results), rules(results)) == (30, {})


def test_refused_unknown_and_erased_leave_first_each_with_its_reason(study: Path) -> None:
    set_cell(study / EXTRACT, 3, "SEC", "0")
    set_cell(study / EXTRACT, 5, "SEC", "")
    set_cell(study / EXTRACT, 7, "LEFT", "01/03/2024")
    set_cell(study / EXTRACT, 7, "WHAT", "E")
    results = run(study)
    assert rules(results) == {"consent.refused": [3], "consent.unknown": [5], "consent.erased": [7]}
    assert people(results) == 27
    accounts = pl.read_csv(results / "checks/accounting/porto/read_source.csv")
    assert accounts.select("n_in", "n_out", "n_excluded").row(0) == (30, 27, 3)
    counts = pl.read_csv(results / "checks/consent.csv").filter(pl.col("site") == "porto")
    assert counts["n"].to_list() == [1, 1, 1, 27]


def test_an_erased_person_is_in_no_restricted_file_but_the_register(study: Path) -> None:
    before = run(study)
    row = pl.read_parquet(before / "restricted/raw/porto.parquet").filter(pl.col("_row") == 7)
    gone = row["_participant"][0]
    set_cell(study / EXTRACT, 7, "WHAT", "E")
    results = run(study)
    for path in results.rglob("*.parquet"):
        frame = pl.read_parquet(path)
        names = [name for name in ("participant_id", "_participant") if name in frame.columns]
        held = any(frame[name].is_in([gone]).any() for name in names)
        assert held == (path.name == "consent.parquet"), path.name


def test_who_keeps_data_up_to_a_day_has_no_visit_after_it(study: Path) -> None:
    set_cell(study / EXTRACT, 2, "LEFT", "01/04/2024")
    set_cell(study / EXTRACT, 2, "WHAT", "K")
    results = run(study)
    assert people(results) == 30
    ledger = ledger_of(results).filter(pl.col("rule_id") == "visit.after_withdrawal")
    assert ledger["row_number"].unique().to_list() == [2]
    assert set(ledger["column"]) >= {"DT_V12", "PCR_V12"}
    assert not ledger["column"].str.ends_with("_V4").any()


def test_a_missing_code_is_no_day_of_withdrawal(study: Path) -> None:
    set_cell(study / EXTRACT, 2, "LEFT", "-9")
    set_cell(study / EXTRACT, 3, "WHAT", "999")
    results = run(study)
    assert (people(results), rules(results)) == (30, {})


def test_without_consent_to_biomarkers_laboratory_results_leave_and_the_rest_stays(study: Path) -> None:
    set_cell(study / EXTRACT, 2, "BIO", "0")
    results = run(study)
    assert people(results) == 30
    ledger = ledger_of(results).filter(pl.col("rule_id") == "consent.biomarkers")
    assert set(ledger["column"]) == {f"{name}_{visit}" for name in ("PCR", "IL6", "TNF") for visit in ("V0", "V12")}
    assert ledger["row_number"].unique().to_list() == [2]


def test_a_site_that_does_not_tell_is_an_error_of_the_study(study: Path) -> None:
    change_yaml(study / "study.yaml", exclude_sites=[])
    with pytest.raises(EmberError, match="graz does not tell about consent to secondary_use"):
        load_study(str(study))


def correction(study: Path, expect: str, **changes: str) -> None:
    line = {
        "id": "C1",
        "participant": "PT0001",
        "visit": "",
        "column": "PCR_V0",
        "expect": expect,
        "value": "0,31",
        "reason": "transcribed wrongly",
        "provider": "laboratory",
        "date": "2026-01-02",
        **changes,
    }
    header, cells = ",".join(line), ",".join(f'"{cell}"' for cell in line.values())
    (study / "extracts/porto/corrections.csv").write_text(f"{header}\n{cells}\n", encoding="utf-8")
    change_yaml(study / "sites/porto.yaml", corrections="porto/corrections.csv")


def test_a_correction_changes_one_cell_and_stands_in_the_ledger(study: Path) -> None:
    correction(study, "0,298")
    results = run(study)
    raw = pl.read_parquet(results / "restricted/raw/porto.parquet")
    assert raw.filter(pl.col("_row") == 2)["PCR_V0"].to_list() == ["0,31"]
    ledger = ledger_of(results).filter(pl.col("action") == "corrected")
    assert ledger.select("row_number", "column", "rule_id", "reason", "message").rows() == [
        (2, "PCR_V0", "value.corrected", "transcribed wrongly", "Correction C1.")
    ]
    accounts = pl.read_csv(results / "checks/accounting/porto/read_source.csv")
    assert accounts.select("n_in", "n_out").row(0) == (30, 30)


def test_a_correction_is_refused_once_the_source_is_fixed_and_nothing_is_written(study: Path) -> None:
    correction(study, "0,3")
    with pytest.raises(EmberError, match="Correction C1 does not fit: the cell is no longer what it expects"):
        run(study)
    assert not (study / "results/tiny/restricted/raw/porto.parquet").exists()


def test_a_correction_may_mend_the_consent_itself(study: Path) -> None:
    set_cell(study / EXTRACT, 2, "SEC", "")
    correction(study, "", column="SEC", value="1")
    assert people(run(study)) == 30


def test_answers_may_stand_in_a_file_that_is_joined(study: Path) -> None:
    set_cell(study / EXTRACT, 3, "SEC", "0")
    path = study / EXTRACT
    rows = [line.split(";") for line in path.read_text(encoding="latin-1").splitlines()]
    path.write_text("\n".join(";".join(cells[:-4]) for cells in rows) + "\n", encoding="latin-1")
    answers = [";".join([cells[0], *cells[-4:]]) for cells in rows]
    answers[0] = answers[0].replace("PATID", "WHO")
    (path.parent / "answers.csv").write_text("\n".join(answers) + "\n", encoding="latin-1")
    text = (study / "study.yaml").read_text(encoding="utf-8")
    declared = yaml.safe_load(text)["sources"]
    declared["answers"] = {"path": "porto/answers.csv", "format": "csv", "delimiter": ";"}
    declared["porto"]["join"] = [
        {
            "source": "answers",
            "on": {"PATID": "WHO"},
            "cardinality": "one_to_one",
            "columns": ["BIO", "SEC", "LEFT", "WHAT"],
        }
    ]
    change_yaml(study / "study.yaml", sources=declared)
    results = run(study)
    assert (people(results), rules(results)) == (29, {"consent.refused": [3]})


def test_a_site_where_nobody_agreed_is_told_at_the_raw_gate(study: Path) -> None:
    path = study / EXTRACT
    path.write_text(path.read_text(encoding="latin-1").replace(";1;1;;", ";1;0;;"), encoding="latin-1")
    results = run(study)
    assert people(results) == 0
    loaded, registry = load_study(str(study))
    gates = run_raw_gate({"porto": results / "restricted/raw/porto.parquet"}, loaded, registry)
    assert "raw.hscrp.some_value" in gates.filter(~pl.col("passed"))["rule"].to_list()
