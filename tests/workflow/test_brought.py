"""Sources that the workflow brings: the answer of a query, and an object of a store."""

from __future__ import annotations

import csv
import hashlib
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from snakemake_interface_storage_plugins.registry import StoragePluginRegistry

from tests.workflow.conftest import Workspace, new_workspace

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group(name="workflow")]

RAW = "results/tiny/restricted/raw/porto.parquet"
TARGET = ("--", RAW)
FETCHED = "results/tiny/restricted/fetched/porto"
DECLARED = 'porto: {path: porto/estudo.csv, format: csv, encoding: latin-1, delimiter: ";", decimal: ","}'


def rows_of(workspace: Workspace) -> list[list[str]]:
    path = workspace.study / "extracts" / "porto" / "estudo.csv"
    with path.open(encoding="latin-1", newline="") as lines:
        return list(csv.reader(lines, delimiter=";"))


def change(workspace: Workspace, old: str, new: str) -> None:
    path = workspace.study / "study.yaml"
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def queried(tmp_path: Path) -> tuple[Workspace, Path]:
    """The tiny study with its first source in a database."""
    workspace = new_workspace(tmp_path)
    header, *rows = rows_of(workspace)
    database = tmp_path / "s3cret" / "hospital.sqlite"
    database.parent.mkdir()
    columns = ", ".join(f'"{name}" TEXT' for name in header)
    with sqlite3.connect(database) as connection:
        connection.execute(f"CREATE TABLE study ({columns})")
        connection.executemany(f"INSERT INTO study VALUES ({', '.join('?' * len(header))})", rows)
    connection.close()
    (workspace.study / "porto.sql").write_text("SELECT * FROM study ORDER BY rowid;\n", encoding="utf-8")
    change(workspace, DECLARED, 'porto: {format: sql, connection: HOSPITAL_URL, query: porto.sql, decimal: ","}')
    return workspace, database


def test_a_database_is_asked_once_for_each_query(queried: tuple[Workspace, Path]) -> None:
    workspace, database = queried
    url = {"HOSPITAL_URL": f"sqlite:///{database}"}
    first = workspace.snakemake(*TARGET, **url)
    assert first.status == 0, first.output
    assert first.jobs == {"query_source": 1, "read_source": 1}
    raw = pl.read_parquet(workspace.study / RAW)
    _, *rows = rows_of(workspace)
    assert raw.height == len(rows)
    snapshot = workspace.study / FETCHED / "porto.parquet"
    before = hashlib.sha256(snapshot.read_bytes()).hexdigest()
    (log,) = (workspace.results / "logs" / "query_source").glob("*.log")
    assert before in log.read_text(encoding="utf-8")
    assert before in (workspace.results / "checks" / "inputs" / "porto.json").read_text(encoding="utf-8")

    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM study WHERE rowid > 20")
    connection.close()
    # Neither new rows nor an absent URL lead to another question.
    assert workspace.snakemake(*TARGET).jobs == {}
    forced = workspace.snakemake("--forcerun", "query_source", *TARGET, **url)
    assert forced.jobs == {"query_source": 1, "read_source": 1}
    assert pl.read_parquet(snapshot).height == 20
    query = "SELECT * FROM study WHERE rowid <= 10 ORDER BY rowid"
    (workspace.study / "porto.sql").write_text(query, encoding="utf-8")
    assert workspace.snakemake(*TARGET, **url).jobs == {"query_source": 1, "read_source": 1}
    assert pl.read_parquet(snapshot).height == 10
    written = [path for path in workspace.study.rglob("*") if path.is_file()]
    told = [path for path in written if b"s3cret" in path.read_bytes()]
    assert told == [] and "s3cret" not in first.output + forced.output


def test_a_url_that_is_not_set_stops_the_job_with_its_name(queried: tuple[Workspace, Path]) -> None:
    run = queried[0].snakemake(*TARGET)
    assert run.status != 0
    assert "HOSPITAL_URL is not set" in run.output


def test_an_absent_plugin_is_named_before_anything_runs(tmp_path: Path) -> None:
    workspace = new_workspace(tmp_path)
    change(workspace, "path: porto/estudo.csv", "path: az://account/container/estudo.csv")
    if StoragePluginRegistry().is_installed("azure"):
        pytest.skip("snakemake-storage-plugin-azure is installed here")
    run = workspace.snakemake(*TARGET)
    assert run.status != 0
    assert "snakemake-storage-plugin-azure is not installed" in run.output
    assert not (workspace.results / "logs").exists()


@pytest.fixture
def store() -> Iterator[str]:
    """The address of an S3 server on this machine, stopped at the end."""
    if not StoragePluginRegistry().is_installed("s3"):
        pytest.skip("needs requirements-storage.lock (snakemake-storage-plugin-s3), which is an extra")
    pytest.importorskip("moto.server", reason="needs moto[server], a stand-in for S3")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with socket.socket() as attempt:
                if attempt.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def test_an_object_of_a_store_is_read_like_a_file(store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import boto3  # type: ignore[import-not-found]

    for name in ("AWS_ACCESS_KEY_ID", "SNAKEMAKE_STORAGE_S3_ACCESS_KEY"):
        monkeypatch.setenv(name, "tester")
    for name in ("AWS_SECRET_ACCESS_KEY", "SNAKEMAKE_STORAGE_S3_SECRET_KEY"):
        monkeypatch.setenv(name, "s3cretkey")
    workspace = new_workspace(tmp_path)
    content = (workspace.study / "extracts" / "porto" / "estudo.csv").read_bytes()
    client = boto3.client("s3", endpoint_url=store, region_name="us-east-1")
    client.create_bucket(Bucket="cohort")
    client.put_object(Bucket="cohort", Key="porto/estudo.csv", Body=content)
    (workspace.study / "extracts" / "porto" / "estudo.csv").unlink()
    change(workspace, "path: porto/estudo.csv", "path: s3://cohort/porto/estudo.csv")
    options = ("--storage-s3-endpoint-url", store)
    run = workspace.snakemake(*options, *TARGET)
    assert run.status == 0, run.output
    assert run.jobs == {"fetch_object": 1, "read_source": 1}
    assert (workspace.study / FETCHED / "estudo.csv").read_bytes() == content
    assert pl.read_parquet(workspace.study / RAW)["_file"].unique().to_list() == ["s3://cohort/porto/estudo.csv"]
    # Snakemake's own copy of participant data is gone once the job has ended.
    assert list((workspace.study / ".snakemake").rglob("estudo.csv")) == []
    assert workspace.snakemake(*options, *TARGET).jobs == {}
    written = [path for path in workspace.study.rglob("*") if path.is_file() and ".snakemake" not in path.parts]
    assert [path for path in written if b"s3cretkey" in path.read_bytes()] == []

    files = workspace.study / "files.csv"
    files.write_text(f"file,sha256,url,source\ns3://cohort/porto/estudo.csv,{'0' * 64},,a test\n", encoding="utf-8")
    change(workspace, "data: {folder: extracts}", "data: {folder: extracts}\nfiles: files.csv")
    other = workspace.snakemake(*options, "--forcerun", "fetch_object", *TARGET)
    assert other.status != 0
    assert "The object is not the declared one" in other.output
