"""Exports of OMOP and REDCap from file to standard tables, as a site sends them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ember.errors import EmberError
from ember.registry.load import load_study
from tests.in_process import ledger_of, read, standardise
from tests.unit.registry.study_folder import FILES

STUDY = FILES["study.yaml"].replace("files: files.csv\n", "").replace("sites: [north, south]", "sites: [north]")
OMOP = """\
site: north
tables:
  person:
    participant: person_id
    time_zero: {column: enrolled, date: iso}
    columns: {sex: {column: gender_concept_id, codes: {8507: male, 8532: female}}}
  measurement:
    preset: omop_measurement
    laboratory: {specimen: serum, assays: {hscrp: roche_crphs}}
  observation:
    preset: omop_observation
    rows: {column: observation_concept_id, equals: "40758879"}
    laboratory:
    visits: {single: week_4}
    instruments: {phq9: {total: value_as_number}}
  score:
    from: observation
    preset: omop_observation
    rows: {column: observation_concept_id, equals: "1"}
    laboratory:
    visits: {single: baseline}
    instruments: {phq9: {total: value_as_number}}
"""
MEASUREMENT = """\
person_id,measurement_concept_id,measurement_date,operator_concept_id,value_as_number,unit_concept_id
1,3010156,2020-01-01,4172703,0.2,8840
1,3010156,2020-01-29,4171756,0.15,8751
2,3010156,2020-01-01,,3.0,8751
2,3000905,2020-01-01,,6.1,8848
2,3023091,2020-01-01,,2.5,8845
2,3023091,2020-01-29,4171755,2.5,8845
"""
REDCAP = """\
site: north
tables:
  base:
    from: export
    participant: record_id
    rows: {column: redcap_repeat_instrument, equals: ""}
    visits: {single: baseline}
    columns: {sex: {column: sex, codes: {1: male, 2: female}}}
    instruments: {phq9: {total: phq9}}
  labs:
    from: export
    participant: record_id
    rows: {column: redcap_repeat_instrument, equals: labs}
    visits: {long: {column: redcap_repeat_instance, codes: {1: baseline, 2: week_4}}}
    measurements:
      hscrp: {column: crp, unit: mg/L, specimen: serum, assay: roche_crphs}
"""
DICTIONARY = """\
"Variable / Field Name","Form Name","Field Type","Field Label","Choices, Calculations, OR Slider Labels"
record_id,base,text,Record,
sex,base,radio,Sex,"1, Male | 2, Female"
phq9,base,calc,PHQ-9,
crp,labs,text,CRP,
"""
EXPORT = """\
record_id,redcap_repeat_instrument,redcap_repeat_instance,sex,phq9,crp
1,,,1,10,
1,labs,1,,,2.5
1,labs,2,,,1.5
2,,,2,-99,
2,labs,1,,,-99
"""


def run(folder: Path, sources: str, site: str, tables: dict[str, str]) -> tuple[Path, pl.DataFrame]:
    """Write a study of one site, read and standardise it; return its standard tables and its ledger."""
    study = STUDY.replace("  north: {path: north.csv, format: csv}\n  south: {path: south.csv, format: csv}\n", sources)
    files = {**FILES, "study.yaml": study, "sites/north.yaml": site, **{f"data/{n}": t for n, t in tables.items()}}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    loaded, _ = load_study(str(folder), environment={})
    results = folder / "results" / loaded.id
    for source in loaded.sources:
        read(loaded, folder, results, source)
    standardise(loaded, folder, results, "north")
    return results / "restricted/standard/north", ledger_of(results)


def test_omop(tmp_path: Path) -> None:
    sources = "".join(
        f"  {name}: {{path: {name}.csv, format: csv}}\n" for name in ("person", "measurement", "observation")
    )
    tables = {
        "person.csv": "person_id,enrolled,gender_concept_id\n1,2020-01-01,8507\n2,2020-01-01,8532\n",
        "measurement.csv": MEASUREMENT,
        "observation.csv": "person_id,observation_concept_id,observation_date,value_as_number\n"
        "1,40758879,2020-01-29,7\n1,1,2020-01-01,12\n",
    }
    standard, ledger = run(tmp_path / "trial", sources, OMOP, tables)
    found = pl.read_parquet(standard / "measurements.parquet")
    rows = found.select("analyte", "visit", "number", "operator", "unit_reported").rows()
    assert ("hscrp", "baseline", 0.2, "", "mg/dL") in rows
    assert ("hscrp", "week_4", 0.15, "<", "mg/L") in rows
    assert {(row[0], row[4]) for row in rows} == {
        ("hscrp", "mg/dL"), ("hscrp", "mg/L"), ("wbc", "10*3/uL"), ("il6", "pg/mL"),
    }  # fmt: skip
    # ">=" is no sign that EMBER reads: its result is refused, not kept as a number.
    assert len(rows) == 5
    assert ledger.filter(pl.col("action") == "quarantined").height == 1
    totals = pl.read_parquet(standard / "items.parquet")
    assert totals.height == 2


def test_redcap_with_a_repeating_instrument(tmp_path: Path) -> None:
    missing = '{"-99": Not asked}'
    sources = f"  export: {{path: export.csv, format: csv, dictionary: dictionary.csv, missing_codes: {missing}}}\n"
    tables = {"export.csv": EXPORT, "dictionary.csv": DICTIONARY}
    standard, ledger = run(tmp_path / "trial", sources, REDCAP, tables)
    found = pl.read_parquet(standard / "measurements.parquet")
    assert found.select("visit", "number").rows() == [("baseline", 2.5), ("week_4", 1.5)]
    assert pl.read_parquet(standard / "participants.parquet").height == 2
    missing_cells = ledger.filter(pl.col("rule_id").is_in(["value.user_missing", "value.missing_code"]))
    assert missing_cells.height == 2


MARKED = """\
"Variable / Field Name","Form Name","Field Type","Field Label","Choices, Calculations, OR Slider Labels","Identifier?"
record_id,base,text,Record,,y
name,base,text,Name,,y
born,base,text,Born,,y
sex,base,radio,Sex,"1, Male | 2, Female",
phq9,base,calc,PHQ-9,,
crp,base,text,CRP,,
"""
ONE_TABLE = """\
site: north
from: export
participant: record_id
time_zero: {column: born, date: iso}
visits: {single: baseline}
columns: {sex: {column: sex, codes: {1: male, 2: female}}}
instruments: {phq9: {total: phq9}}
measurements:
  hscrp: {column: crp, unit: mg/L, specimen: serum, assay: roche_crphs}
"""
EXPORT_SOURCE = "  export: {path: export.csv, format: csv, dictionary: dictionary.csv}\n"


def test_an_identifier_that_no_site_maps_is_not_kept(tmp_path: Path) -> None:
    rows = "record_id,name,born,sex,phq9,crp\n1,Ann Example,2020-01-01,1,10,2.5\n2,Bob Example,2020-01-02,2,12,1.5\n"
    folder = tmp_path / "trial"
    run(folder, EXPORT_SOURCE, ONE_TABLE, {"export.csv": rows, "dictionary.csv": MARKED})
    path = folder / "results/trial/restricted/raw/export.parquet"
    raw = pl.read_parquet(path)
    assert [name for name in raw.columns if not name.startswith("_")] == ["born", "sex", "phq9", "crp"]
    assert b"Example" not in path.read_bytes() and b'"name"' not in path.read_bytes()


def test_repeating_rows_that_nobody_tells_apart_are_refused(tmp_path: Path) -> None:
    rows = "record_id,redcap_repeat_instrument,name,born,sex,phq9,crp\n1,,,2020-01-01,1,10,\n1,base,,,,,2.5\n"
    folder = tmp_path / "trial"
    with pytest.raises(EmberError, match=r"1 rows repeat an instrument \(base\)"):
        run(folder, EXPORT_SOURCE, ONE_TABLE, {"export.csv": rows, "dictionary.csv": MARKED})
    assert not (folder / "results/trial/restricted/raw/export.parquet").exists()
