"""The answer of a query is kept as text, whole or not at all, and nothing tells the URL."""

from __future__ import annotations

import datetime
import decimal
import sqlite3
import uuid
from pathlib import Path

import polars as pl
import pytest

from ember.errors import EmberError
from ember.extract import sql_query
from ember.extract.readers import read_table
from ember.extract.sql_query import run_query, value_text
from ember.registry.model import Source

SELECT = "SELECT id, crp, taken, note FROM labs ORDER BY id"


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "a lab's.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE labs (id TEXT, crp REAL, taken TEXT, note TEXT, photo BLOB)")
        rows = [
            ("001", 2.5, "2020-01-02", "<3", b"x"),
            ("002", 0.1, "2020-01-03", "", b"x"),
            ("003", None, None, "Ünal", None),
            ("004", 12.0, "2020-01-05", " two ", None),
        ]
        connection.executemany("INSERT INTO labs VALUES (?, ?, ?, ?, ?)", rows)
    connection.close()
    return path


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "fetched" / "labs.parquet"
    return Source("labs", path, "results/labs.parquet", "parquet", connection="LABS_URL", file="labs.parquet")


def ask(source: Source, query: str, url: object) -> int:
    return run_query(source, query, {"LABS_URL": str(url)}, source.path)


@pytest.mark.parametrize("batch", [1, 3, 50_000])
def test_the_answer_is_text(source: Source, database: Path, batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_query, "BATCH", batch)
    assert ask(source, SELECT, f"sqlite:///{database}") == 4
    frame = pl.read_parquet(source.path)
    assert frame.schema == dict.fromkeys(["id", "crp", "taken", "note"], pl.String())
    assert frame["id"].to_list() == ["001", "002", "003", "004"]
    assert frame["crp"].to_list() == ["2.5", "0.1", "", "12"]
    assert frame["taken"].to_list()[2] == ""
    assert frame["note"].to_list() == ["<3", "", "Ünal", " two "]
    assert source.path.stat().st_mode & 0o077 == 0


def test_the_parquet_reader_reads_it(source: Source, database: Path) -> None:
    ask(source, SELECT, f"sqlite:///{database}")
    table = read_table(source)
    assert table.names == ["id", "crp", "taken", "note"]
    assert table.frame["_row"].to_list() == [1, 2, 3, 4]


def test_the_same_answer_makes_the_same_bytes(source: Source, database: Path) -> None:
    ask(source, SELECT, f"sqlite:///{database}")
    first = source.path.read_bytes()
    ask(source, SELECT, f"sqlite:///{database}")
    assert source.path.read_bytes() == first


def test_percent_signs_and_colons_are_not_parameters(source: Source, database: Path) -> None:
    assert ask(source, "SELECT id, ':a %s %(b)s' AS x FROM labs WHERE note LIKE '%3'", f"sqlite:///{database}") == 1
    assert pl.read_parquet(source.path)["x"].to_list() == [":a %s %(b)s"]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(None, "", id="none"),
        pytest.param("", "", id="empty"),
        pytest.param(7, "7", id="whole"),
        pytest.param(2**62, str(2**62), id="large"),
        pytest.param(0.1, "0.1", id="decimal"),
        pytest.param(1 / 3, "0.3333333333333333", id="all-digits"),
        pytest.param(float("nan"), "", id="nan"),
        pytest.param(decimal.Decimal("1.50"), "1.50", id="numeric-keeps-its-digits"),
        pytest.param(decimal.Decimal("1E+3"), "1000", id="numeric-without-exponent"),
        pytest.param(decimal.Decimal("NaN"), "", id="numeric-nan"),
        pytest.param(True, "true", id="true"),
        pytest.param(datetime.date(2020, 1, 2), "2020-01-02", id="date"),
        pytest.param(datetime.datetime(2020, 1, 2, 3, 4, 5), "2020-01-02T03:04:05", id="time-stamp"),
        pytest.param(uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001", id="uuid"),
    ],
)
def test_value_text(value: object, text: str) -> None:
    assert value_text(value, "labs") == text


@pytest.mark.parametrize("value", [b"x", memoryview(b"x"), [1], {"a": 1}])
def test_what_has_no_one_text(value: object) -> None:
    with pytest.raises(EmberError, match="no one text"):
        value_text(value, "labs")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        pytest.param("SELECT id, photo FROM labs", "bytes", id="bytes"),
        pytest.param("SELECT id, crp AS id FROM labs", "two columns called id", id="two-names"),
        pytest.param("SELECT id FROM labs WHERE id = 'x'", "no row", id="no-row"),
        pytest.param("SELECT id FROM absent_table", "did not answer", id="no-table"),
        pytest.param("DELETE FROM labs", "does not start with SELECT", id="no-select"),
    ],
)
def test_refused_and_nothing_written(source: Source, database: Path, query: str, words: str) -> None:
    with pytest.raises(EmberError, match=words) as error:
        ask(source, query, f"sqlite:///{database}")
    assert str(database) not in str(error.value)
    assert "001" not in str(error.value)
    assert list(source.path.parent.glob("*")) == [] if source.path.parent.exists() else True


def test_the_database_itself_cannot_be_changed(source: Source, database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sql_query, "check_select", lambda text, where: text)
    before = database.read_bytes()
    with pytest.raises(EmberError):
        ask(source, "DELETE FROM labs RETURNING id", f"sqlite:///{database}")
    assert database.read_bytes() == before


@pytest.mark.parametrize(
    ("url", "words"),
    [
        pytest.param("", "LABS_URL is not set", id="not-set"),
        pytest.param("s3cret", "no URL of a database", id="no-url"),
        pytest.param("postgresql://user:s3cret@host:port/x", "no URL of a database", id="port-is-a-word"),
        pytest.param("oracle+cx_oracle://user:s3cret@host/x", "driver.*is not installed", id="no-driver"),
        pytest.param("s3cretdb://user:s3cret@host/x", "is not installed", id="no-dialect"),
        pytest.param("sqlite:////absent/s3cret.sqlite", "does not exist", id="no-file"),
        pytest.param("sqlite://", "does not exist", id="in-memory"),
    ],
)
def test_the_url_is_never_told(source: Source, url: str, words: str) -> None:
    with pytest.raises(EmberError, match=words) as error:
        ask(source, SELECT, url)
    assert "s3cret" not in str(error.value)
    assert "LABS_URL" in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__ or error.value.__context__ is None
