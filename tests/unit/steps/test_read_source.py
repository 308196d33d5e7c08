"""The step as a whole: rows by site, pseudonyms, ledger, accounts, and refusals."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from argparse import Namespace
from pathlib import Path

import polars as pl
import pytest
import yaml

from ember.errors import EmberError
from ember.extract import csv_file
from ember.extract.raw_file import read_raw
from ember.extract.readers import read_header
from ember.registry.load import PROJECT, load_study
from ember.steps.read_source import main
from ember.tables.store import read_table
from tests.real_data import real_file

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
    """A study of two sites in one file, with the analyses of the demo."""
    folder = tmp_path / "study"
    shutil.copytree(DEMO / "analyses", folder / "analyses")
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


def run(folder: Path, source: str = "pooled") -> Namespace:
    out = folder / "out"
    arguments = Namespace(
        study=str(folder),
        source=source,
        consent=[],
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


def many_rows(bad: str = "") -> str:
    lines = [f"p{number % 90},{'NS'[number % 2]},0,41,1,A,2024-01-02,{number},x" for number in range(600)]
    return "\n".join([ROWS.splitlines()[0], *lines, *([bad] if bad else [])]) + "\n"


def replace_rows(study: Path, content: str) -> None:
    (study / "extracts" / "in" / "pooled.csv").write_text(content, encoding="utf-8")


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(csv_file, "BLOCK", 1024)
    monkeypatch.setattr(csv_file, "BATCH_ROWS", 50)


def test_many_batches_are_one_file(study, small_batches):
    replace_rows(study, many_rows("009,W,0,54,1,A,2024-01-02,1,z"))
    written = run(study)
    south, _ = read_raw(written.raw, "south")
    north, _ = read_raw(written.raw, "north")
    assert south["_row"].to_list() == list(range(3, 602, 2))
    assert north["_row"].to_list() == list(range(2, 602, 2))
    assert [int(cell) + 2 for cell in south["crp"]] == south["_row"].to_list()
    assert south["_participant"].n_unique() == north["_participant"].n_unique() == 45
    assert south.select("_participant", number=(pl.col("_row") - 2) % 90).unique().height == 45
    assert read_table(written.ledger, "ledger")["row_number"].to_list() == [602]
    assert read_table(written.accounting, "accounting")["n_in"].to_list() == [300, 300, 1]


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        pytest.param('p1,N,0,41,1,A,2024-01-02,3,"x', "quote", id="open-quote"),
        pytest.param("p1,N,0,41,1,A,2024-01-02,3,x\0", "NUL", id="nul"),
    ],
)
def test_an_error_in_the_last_batch_leaves_nothing(study, small_batches, bad, words):
    replace_rows(study, many_rows(bad))
    with pytest.raises(EmberError, match=rf"pooled\.csv:602\n.*{words}"):
        run(study)
    assert not [path for path in (study / "out").rglob("*") if path.is_file()]


def test_a_site_without_rows_is_refused_at_the_end(study, small_batches):
    replace_rows(study, many_rows().replace(",S,", ",N,"))
    with pytest.raises(EmberError, match="No row has the value that the site file of south gives"):
        run(study)
    assert not list((study / "out").iterdir())


def test_of_a_wrong_file_only_its_hash_is_told(study):
    (study / "files.csv").write_text(f"file,sha256,url,source\nin/pooled.csv,{'0' * 64},,x\n", encoding="utf-8")
    change(study / "study.yaml", files="files.csv")
    replace_rows(study, "another,file\n1,2\n")
    with pytest.raises(EmberError, match="not the declared one"):
        run(study)


def test_two_tables_of_a_site_read_their_rows_of_one_source(study):
    content = site_file("south", "S")
    mapping = {key: content.pop(key) for key in list(content) if key not in {"site", "from"}}
    del content["from"]
    other = {"from": "pooled", "participant": "q1", "rows": {"column": "centre", "equals": "W"}}
    content["tables"] = {"own": {"from": "pooled", **mapping}, "west": other}
    write(study / "sites" / "south.yaml", content)
    written = run(study)
    south, _ = read_raw(written.raw, "south")
    assert south["_row"].to_list() == [3, 6, 7]
    assert south["_participant"].null_count() == 1
    assert not {"pid", "q1"} & set(south.columns)
    assert read_table(written.accounting, "accounting").select("site", "n_out").rows()[0] == ("south", 3)


def test_a_packed_source_is_known_by_its_packed_file(study):
    packed = study / "extracts" / "in" / "pooled.csv.gz"
    packed.write_bytes(gzip.compress(ROWS.encode(), mtime=0))
    change(
        study / "study.yaml", sources={"pooled": {"path": "in/pooled.csv.gz", "format": "csv", "compression": "gzip"}}
    )
    written = run(study)
    record = json.loads(written.record.read_text(encoding="utf-8"))
    assert record["sha256"] == hashlib.sha256(packed.read_bytes()).hexdigest()
    assert record["bytes"] == packed.stat().st_size
    assert read_raw(written.raw, "south")[0]["_row"].to_list() == [3, 7]
    assert sorted(path.name for path in (study / "out").iterdir()) == sorted(
        path.name for path in (written.raw, written.ledger, written.accounting, written.record, written.log)
    )


@pytest.fixture
def joined(study):
    """The rows without their centre, which another source gives by participant."""
    header, *rows = [line.split(",") for line in ROWS.splitlines() if line]
    left = [[header[0], *header[2:]], *[[f"{row[0]}{row[1]}" if row[0] else "", *row[2:]] for row in rows]]
    replace_rows(study, "\n".join(",".join(row) for row in left) + "\n")
    (study / "extracts" / "centres.csv").write_text("who,centre\n007N,N\n007S,S\n008S,S\n", encoding="utf-8")
    join = {"source": "centres", "on": {"pid": "who"}, "cardinality": "many_to_one", "columns": ["centre"]}
    sources = {
        "pooled": {"path": "in/pooled.csv", "format": "csv", "join": [join]},
        "centres": {"path": "centres.csv", "format": "csv"},
    }
    change(study / "study.yaml", sources=sources)
    return study


def test_a_join_tells_the_site_of_a_row(joined):
    written = run(joined)
    assert read_raw(written.raw, "south")[0]["_row"].to_list() == [3]
    assert read_raw(written.raw, "north")[0]["_row"].to_list() == [2]
    assert read_table(written.ledger, "ledger").select("row_number", "rule_id").rows() == [
        (4, "row.wrong_width"),
        (5, "row.no_partner"),
        (6, "row.no_partner"),
    ]
    record = json.loads(written.record.read_text(encoding="utf-8"))
    assert (record["rows"], record["columns"]) == (5, 8)


def test_a_source_that_is_only_joined_hands_its_rows_on(joined):
    written = run(joined, "centres")
    assert pl.read_parquet(written.raw).is_empty()
    assert read_table(written.ledger, "ledger").is_empty()
    assert read_table(written.accounting, "accounting").select("site", "n_in", "n_out").rows() == [("", 3, 3)]


REAL = {
    "knudsen": ("Knudsen2008individual.csv", {}, "Subject", "IL6_pgml-1", "2,68"),
    "meta": ("IL6_data.csv", {"encoding": "latin-1"}, "Study", "IL6_pgml-1", "9,868440612"),
    "sothern": (
        "Sothern1995IndividualData.csv",
        {"header_row": 0, "names": ["subject", "age", *[f"il6_{hour}" for hour in range(1, 9)]]},
        "subject",
        "il6_1",
        "1,22",
    ),
}


@pytest.mark.parametrize("name", list(REAL))
def test_real_files_come_through_a_study(study, name):
    file, keys, participant, column, first = REAL[name]
    shutil.copy(real_file(f"il6_diurnal/{file}"), study / "extracts" / file)
    pooled = {"path": "in/pooled.csv", "format": "csv"}
    real = {"path": file, "format": "csv", "delimiter": ";", "decimal": ",", **keys}
    change(study / "study.yaml", sources={"pooled": pooled, "real": real}, sites=["south", "north", "sleep"])
    content = {
        "site": "sleep",
        "from": "real",
        "participant": participant,
        "visits": {"single": "baseline"},
        "columns": {"age": {"column": column, "unit": "a"}},
        "measurements": {"il6": {"column": column, "unit": "pg/mL", "specimen": "plasma"}},
    }
    write(study / "sites" / "sleep.yaml", content)
    table, _ = read_raw(run(study, "real").raw, "sleep")
    lines = real_file(f"il6_diurnal/{file}").read_bytes().decode(keys.get("encoding", "utf-8-sig")).splitlines()
    declared = load_study(study)[0].sources["real"]
    place = read_header(declared).index(column)
    assert table[column][0] == first
    assert table[column].to_list() == [lines[row - 1].split(";")[place] for row in table["_row"]]
    assert table.height == sum(1 for line in lines if line.strip(";")) - ("names" not in keys)
