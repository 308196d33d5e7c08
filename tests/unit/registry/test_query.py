"""A query of a study is one SELECT that can only read."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.errors import EmberError
from ember.registry.query import check_select, query_text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        pytest.param("SELECT 1", "SELECT 1", id="plain"),
        pytest.param("select a from t;\n", "select a from t", id="semicolon-at-the-end"),
        pytest.param("WITH x AS (SELECT 1) SELECT * FROM x", None, id="with"),
        pytest.param("-- the laboratory's view\nSELECT a FROM t", None, id="comment-first"),
        pytest.param("/* delete; drop */ SELECT a FROM t", None, id="words-in-a-comment"),
        pytest.param("SELECT 'drop; delete' AS a, 'it''s' AS b FROM t", None, id="words-in-a-text"),
        pytest.param('SELECT "update" FROM t', None, id="quoted-column"),
        pytest.param("SELECT a, replace(b, '-', '') FROM t WHERE c LIKE 'x%' ORDER BY a", None, id="function"),
        pytest.param("SELECT updated_at, created FROM t", None, id="longer-words"),
        pytest.param("SELECT a::text FROM t", None, id="cast"),
    ],
)
def test_accepted(text: str, kept: str | None) -> None:
    assert check_select(text, "labs") == (text if kept is None else kept)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("   -- nothing\n", id="only-a-comment"),
        pytest.param("DELETE FROM t", id="delete"),
        pytest.param("SELECT 1; DELETE FROM t", id="chain"),
        pytest.param("SELECT 1;;SELECT 2", id="chain-of-selects"),
        pytest.param("SELECT a INTO other FROM t", id="select-into"),
        pytest.param("WITH x AS (DELETE FROM t RETURNING *) SELECT * FROM x", id="delete-in-with"),
        pytest.param("SELECT a FROM t FOR UPDATE", id="lock"),
        pytest.param("PRAGMA table_info(t)", id="pragma"),
        pytest.param("ATTACH DATABASE 'x' AS y", id="attach"),
        pytest.param("SELECT load_extension('x')", id="extension"),
        pytest.param("SELECT ARRAY[lo_import('x')]", id="function-in-brackets"),
        pytest.param("SELECT pg_read_file('x')", id="file"),
        pytest.param("COPY t TO PROGRAM 'x'", id="copy"),
        pytest.param("SELECT 'a\\'; DELETE FROM t --'", id="escaped-quote"),
        pytest.param("SELECT $$x$$", id="dollar-quote"),
        pytest.param("SELECT $a1$x$a1$", id="dollar-quote-with-tag"),
        pytest.param("SELECT 1 /*! DELETE */", id="comment-that-runs"),
        pytest.param("SELECT 1 /* a /* b */ ; DELETE FROM t; */", id="comment-in-a-comment"),
        pytest.param("SELECT 'a", id="open-text"),
        pytest.param("SELECT 1 /* a", id="open-comment"),
        pytest.param("SELECT 1--1 INTO x", id="minus-minus"),
        pytest.param("SELECT 1 # '\n; DELETE FROM t '", id="hash"),
        pytest.param("(SELECT 1)", id="bracket-first"),
        pytest.param("1 SELECT", id="something-first"),
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(EmberError):
        check_select(text, "labs")


def test_the_text_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "labs.sql").write_text("SELECT 1\n", encoding="utf-8")
    assert query_text("labs.sql", tmp_path) == "SELECT 1\n"
    assert query_text("SELECT 1", tmp_path) == "SELECT 1"


@pytest.mark.parametrize("name", ["absent.sql", "../outside.sql", "/etc/outside.sql"])
def test_a_file_that_is_not_in_the_study(tmp_path: Path, name: str) -> None:
    (tmp_path / "outside.sql").write_text("SELECT 1", encoding="utf-8")
    folder = tmp_path / "study"
    folder.mkdir()
    with pytest.raises(EmberError, match=r"outside the study folder|does not exist"):
        query_text(name, folder)
