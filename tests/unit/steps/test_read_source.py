"""The step as a whole: rows by site, pseudonyms, ledger, accounts, and refusals."""

from __future__ import annotations

import hashlib
import json
import shutil
from argparse import Namespace
from pathlib import Path

import polars as pl
import pytest
import yaml

from ember.errors import EmberError
from ember.extract.raw_file import read_raw
from ember.registry.load import PROJECT
from ember.steps.read_source import main
from ember.tables.store import read_table

ROWS = (
    "pid,centre,visit,age,sex,arm,rand,crp,q1\n"
    "007,N,0,41,1,A,2024-01-02,0.3,x\n"
    "007,S,0,52,2,B,2024-01-02,3,y\n"
    "\n"
    "008,S,0,53,2\n"
    "009,W,0,54,1,A,2024-01-02,1,z\n"
    ",S,0,55,1,A,2024-01-02,2,w\n"
)
DEMO = PROJECT / "config" / "studies" / "demo"


def site_file(name: str, centre: str) -> dict:
    return {
        "site": name,
        "from": "pooled",
        "participant": "pid",
        "rows": {"column": "centre", "equals": centre},
        "time_zero": {"column": "rand", "date": "%Y-%m-%d"},
        "visits": {"long": {"column": "visit", "codes": {"0": "baseline"}}},
        "columns": {
            "age": {"column": "age", "unit": "a"},
            "sex": {"column": "sex", "codes": {"1": "male", "2": "female"}},
            "arm": {"column": "arm", "codes": {"A": "escitalopram", "B": "escitalopram_bupropion"}},
        },
        "instruments": {"phq9": {"total": "q1"}},
        "measurements": {"hscrp": {"column": "crp", "unit": "mg/L", "specimen": "serum"}},
    }


@pytest.fixture
def study(tmp_path):
    """A study of two sites in one file, with the endotypes and analyses of the demo."""
    folder = tmp_path / "study"
    for part in ("endotypes", "analyses"):
        shutil.copytree(DEMO / part, folder / part)
    shutil.copy(DEMO / "report.yaml", folder / "report.yaml")
    content = yaml.safe_load((DEMO / "study.yaml").read_text(encoding="utf-8"))
    content.update(
        study="small",
        data={"folder": "extracts"},
        sources={"pooled": {"path": "in/pooled.csv", "format": "csv"}},
        sites=["south", "north"],
        findings=[],
        date_of_data="2025",
    )
    write(folder / "study.yaml", content)
    for name, centre in (("south", "S"), ("north", "N")):
        write(folder / "sites" / f"{name}.yaml", site_file(name, centre))
    data = folder / "extracts" / "in" / "pooled.csv"
    data.parent.mkdir(parents=True)
    data.write_text(ROWS, encoding="utf-8")
    return folder


def write(path: Path, content: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def change(path: Path, **keys: object) -> None:
    write(path, {**yaml.safe_load(path.read_text(encoding="utf-8")), **keys})


def run(folder: Path) -> Namespace:
    out = folder / "out"
    arguments = Namespace(
        study=str(folder),
        source="pooled",
        raw=out / "pooled.parquet",
        ledger=out / "ledger.parquet",
        accounting=out / "accounting.csv",
        record=out / "pooled.json",
        log=out / "pooled.log",
    )
    main(arguments)
    return arguments


def test_rows_go_to_their_sites_under_pseudonyms(study):
    written = run(study)
    south, metadata = read_raw(written.raw, "south")
    north, _ = read_raw(written.raw, "north")
    assert pl.read_parquet(written.raw)["_site"].to_list() == ["south", "south", "north"]
    assert south["_row"].to_list() == [3, 7]
    assert set(south["_file"]) == {"in/pooled.csv"}
    assert "pid" not in south.columns and "pid" not in metadata["columns"]
    assert south["_participant"][1] is None
    assert len(north["_participant"][0]) == 20
    assert north["_participant"][0] != south["_participant"][0]


def test_every_row_is_accounted_for(study):
    written = run(study)
    ledger = read_table(written.ledger, "ledger")
    assert ledger.select("row_number", "rule_id", "site_id").rows() == [
        (4, "row.blank", None),
        (5, "row.wrong_width", None),
        (6, "row.unclaimed", None),
    ]
    accounting = read_table(written.accounting, "accounting")
    assert accounting.select("site", "n_in", "n_out", "n_quarantined", "n_excluded").rows() == [
        ("south", 2, 2, 0, 0),
        ("north", 1, 1, 0, 0),
        ("", 3, 0, 2, 1),
    ]


def test_input_record(study):
    record = json.loads(run(study).record.read_text(encoding="utf-8"))
    assert record == {
        "source": "pooled",
        "file": "in/pooled.csv",
        "sha256": hashlib.sha256(ROWS.encode()).hexdigest(),
        "bytes": len(ROWS.encode()),
        "rows": 6,
        "columns": 9,
        "variant": None,
        "sha256_declared": False,
        "recorded": False,
    }


def test_nothing_written_holds_an_id(study):
    written = run(study)
    for path in (written.raw, written.ledger):
        cells = pl.read_parquet(path).select(pl.all().cast(pl.String)).rows()
        assert not any(cell and "007" in cell and len(cell) < 20 for row in cells for cell in row)
    assert "007" not in written.log.read_text(encoding="utf-8") + written.accounting.read_text(encoding="utf-8")


def test_declared_hash_is_verified(study):
    (study / "files.csv").write_text(f"file,sha256,url,source\nin/pooled.csv,{'0' * 64},,x\n", encoding="utf-8")
    change(study / "study.yaml", files="files.csv")
    with pytest.raises(EmberError) as error:
        run(study)
    found = hashlib.sha256(ROWS.encode()).hexdigest()
    assert all(word in str(error.value) for word in ("in/pooled.csv", "0" * 64, found))


def test_absent_column_is_refused_before_anything_is_written(study):
    content = site_file("south", "S")
    content["measurements"]["hscrp"]["column"] = "CRPP"
    write(study / "sites" / "south.yaml", content)
    with pytest.raises(EmberError, match="names CRPP; the file has 9 columns, nearest: crp"):
        run(study)
    assert not (study / "out").exists()


def test_restricted_study_needs_its_key(study, monkeypatch):
    monkeypatch.delenv("EMBER_KEY_FILE", raising=False)
    change(study / "study.yaml", privacy="restricted")
    with pytest.raises(EmberError, match="EMBER_KEY_FILE"):
        run(study)
