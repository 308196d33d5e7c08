"""Addresses of object storage, and where the workflow puts what it brings."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.provenance.settings import digest, query_settings, report_settings, source_settings
from ember.registry.load import load_study
from ember.registry.stores import address_faults, object_name, scheme_of
from tests.unit.registry.study_folder import change, findings

NORTH = "north: {path: north.csv, format: csv}"
QUERY = "north: {format: sql, connection: LAB_URL, query: labs.sql}"


@pytest.mark.parametrize(
    ("path", "scheme", "name"),
    [
        pytest.param("a/b.csv", "", "", id="path"),
        pytest.param("s3://bucket/a/b.csv", "s3", "b.csv", id="s3"),
        pytest.param("GS://bucket/b.csv", "gs", "b.csv", id="capitals"),
    ],
)
def test_parts(path: str, scheme: str, name: str) -> None:
    assert (scheme_of(path), object_name(path)) == (scheme, name)


@pytest.mark.parametrize(
    ("address", "word"),
    [
        pytest.param("s3://bucket/a/b.csv", None, id="right"),
        pytest.param("a/b.csv", None, id="path"),
        pytest.param("https://host/b.csv", "web address", id="web"),
        pytest.param("ftp://host/b.csv", "no object storage", id="unknown"),
        pytest.param("s3://bucket", "one object", id="no-key"),
        pytest.param("s3://bucket/", "one object", id="folder"),
        pytest.param("s3://bucket/../b.csv", "one object", id="upwards"),
        pytest.param("s3://key:secret@bucket/b.csv", "has no place", id="credentials"),
        pytest.param("s3://bucket/b.csv?token=x", "has no place", id="token"),
    ],
)
def test_address_faults(address: str, word: str | None) -> None:
    found = list(address_faults(address))
    assert (not found) if word is None else word in found[0][0]


def test_an_object_is_expected_among_the_restricted_results(study: Path) -> None:
    change(study, "study.yaml", NORTH, "north: {path: 's3://cohort/a/north.csv', format: csv}")
    assert findings(study) == []
    source = load_study(str(study), environment={})[0].sources["north"]
    assert source.path == study / "results/trial/restricted/fetched/north/north.csv"
    assert (source.file, source.format, source.brought) == ("s3://cohort/a/north.csv", "csv", True)


def test_the_answer_of_a_query_is_a_parquet_file_among_the_restricted_results(study: Path) -> None:
    (study / "labs.sql").write_text("SELECT 1", encoding="utf-8")
    change(study, "study.yaml", NORTH, QUERY)
    assert findings(study) == []
    source = load_study(str(study), environment={})[0].sources["north"]
    assert source.path == study / "results/trial/restricted/fetched/north/north.parquet"
    assert (source.format, source.connection, source.brought) == ("parquet", "LAB_URL", True)


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        pytest.param("{format: sql, connection: LAB_URL}", "needs query", id="no-query"),
        pytest.param("{format: sql, query: SELECT 1}", "needs connection", id="no-connection"),
        pytest.param(
            "{format: sql, connection: U, query: SELECT 1, path: a.db}", "`path:` is a key of a file", id="path"
        ),
        pytest.param("{path: north.csv, format: csv, query: SELECT 1}", "`query:` is a key of a source", id="query"),
        pytest.param("{format: sql, connection: U, query: absent.sql}", "does not exist", id="no-file"),
        pytest.param("{format: sql, connection: U, query: DROP TABLE t}", "does not start with SELECT", id="drop"),
        pytest.param("{path: 'ftp://host/a.csv', format: csv}", "no object storage", id="ftp"),
    ],
)
def test_findings(study: Path, entry: str, words: str) -> None:
    change(study, "study.yaml", NORTH, f"north: {entry}")
    found = findings(study)
    assert any(words in finding and "study.yaml:" in finding for finding in found), found


def test_a_new_query_changes_what_depends_on_it(study: Path) -> None:
    (study / "labs.sql").write_text("SELECT 1", encoding="utf-8")
    change(study, "study.yaml", NORTH, QUERY)

    def digests() -> list[str]:
        loaded, registry = load_study(str(study), environment={})
        parts = (query_settings(loaded, "north"), source_settings(loaded, "north"), report_settings(loaded, registry))
        return [digest(part) for part in parts]

    first = digests()
    assert digests() == first
    (study / "labs.sql").write_text("SELECT 2", encoding="utf-8")
    assert all(now != before for now, before in zip(digests(), first, strict=True))


def test_a_file_has_no_query_in_its_settings(study: Path) -> None:
    loaded, registry = load_study(str(study), environment={})
    assert "query" not in source_settings(loaded, "north")["source"]
    assert "queries" not in report_settings(loaded, registry)
