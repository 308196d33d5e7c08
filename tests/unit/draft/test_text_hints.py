from __future__ import annotations

import pytest

from ember.draft.text_hints import decimal_hint, delimiter_hint, encoding_hint, header_hint


@pytest.mark.parametrize(
    ("content", "encoding", "is_open"),
    [
        pytest.param(b"a,b\n1,2\n", "utf-8", False, id="ASCII"),
        pytest.param("a,é\n".encode(), "utf-8", False, id="UTF-8"),
        pytest.param(b"\xef\xbb\xbfa,b\n", "utf-8", False, id="mark of UTF-8"),
        pytest.param("a,b\n".encode("utf-16"), "utf-16", False, id="mark of UTF-16"),
        pytest.param("a,é\n".encode("latin-1"), "latin-1", True, id="latin-1 or cp1252"),
        pytest.param("a,€\n".encode("cp1252"), "cp1252", True, id="a byte of cp1252 alone"),
    ],
)
def test_encoding(content, encoding, is_open, tmp_path):
    path = tmp_path / "x.csv"
    path.write_bytes(content)
    hint = encoding_hint(path)
    assert (hint.value, bool(hint.alternatives)) == (encoding, is_open)


@pytest.mark.parametrize(
    ("lines", "delimiter"),
    [
        pytest.param(["a;b;c\n", "1,5;2;3\n"], ";", id="semicolon with decimal commas"),
        pytest.param(["a,b\n", '"x, y",2\n'], ",", id="comma within quotes"),
        pytest.param(["a\tb\n", "1\t2\n"], "\t", id="tab"),
        pytest.param(["a|b\n", "1|2\n"], "|", id="bar"),
    ],
)
def test_delimiter(lines, delimiter):
    assert delimiter_hint(lines).value == delimiter


def test_one_column_is_said_to_be_one():
    assert delimiter_hint(["a\n", "1\n"]).confidence < 0.8


@pytest.mark.parametrize(
    ("cells", "decimal", "is_open"),
    [
        pytest.param(["1,5", "2,25"], ",", False, id="commas"),
        pytest.param(["1.5", "2.25"], ".", False, id="points"),
        pytest.param(["1", "2"], ".", False, id="whole numbers"),
        pytest.param(["1,5", "2.25"], ".", True, id="both"),
        pytest.param(["01.02.2024", "x,y"], ".", False, id="neither dates nor words"),
    ],
)
def test_decimal(cells, decimal, is_open):
    hint = decimal_hint([cells], ";")
    assert (hint.value, bool(hint.alternatives)) == (decimal, is_open)


ROWS = [
    ["P1", "M", "1.5"],
    ["P2", "F", "2.5"],
    ["P3", "M", "3.5"],
    ["P4", "F", "1"],
    ["P5", "M", "2"],
    ["P6", "F", "2"],
]


@pytest.mark.parametrize(
    ("rows", "row"),
    [
        pytest.param([["id", "sex", "crp"], *ROWS], 1, id="first row"),
        pytest.param([["A study", "", ""], ["", "", ""], ["id", "sex", "crp"], *ROWS], 3, id="below titles"),
        pytest.param(ROWS, 0, id="none: a number stands in it"),
        pytest.param([row[:2] for row in ROWS], 0, id="none: its cells have the form of those below"),
    ],
)
def test_header(rows, row):
    assert header_hint(rows).value == row


def test_a_header_that_repeats_names_is_open():
    hint = header_hint([["", "Visit 1", ""], ["id", "BP", "BP"], ["1", "120/80", "130/90"]])
    assert (hint.value, "header_rows: 2" in hint.alternatives) == (2, True)


def test_no_hint_shows_a_cell():
    assert "P1" not in header_hint(ROWS).evidence
