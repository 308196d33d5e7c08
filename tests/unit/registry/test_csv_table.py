"""Strict reading of the small tables that people keep."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.errors import EmberError
from ember.registry.csv_table import Row, is_day, is_id, read_rows


def read(tmp_path: Path, content: bytes) -> tuple[list[tuple[int, Row]], list[str]]:
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    findings: list[EmberError] = []
    rows = read_rows(path, "log.csv", "the log", ("id", "text"), ("note",), key="id", findings=findings)
    return rows, [str(finding) for finding in findings]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"id,text\nA,x\n", [(2, {"id": "A", "text": "x"})], id="one-row"),
        pytest.param(b"\xef\xbb\xbfid,text\r\n A , x \r\n", [(2, {"id": "A", "text": "x"})], id="mark-and-blanks"),
        pytest.param(
            b'id,text\n\nA,"x\ny"\n,\nB,\n', [(3, {"id": "A", "text": "x\ny"}), (6, {"id": "B", "text": ""})],
            id="blank-lines-and-line-breaks",
        ),
        pytest.param(b"note,id,text\nn,A,x\n", [(2, {"note": "n", "id": "A", "text": "x"})], id="optional-column"),
        pytest.param(b"id,text\n", [], id="no-row"),
        pytest.param(b"id,text\n,x\n,y\n", [(2, {"id": "", "text": "x"}), (3, {"id": "", "text": "y"})],
                     id="blank-keys-are-not-compared"),
    ],
)  # fmt: skip
def test_reads(tmp_path: Path, content: bytes, expected: list[tuple[int, Row]]) -> None:
    assert read(tmp_path, content) == (expected, [])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", ["log.csv:1\n  The log lacks the column id, text.\n  Allowed: id, text, note."], id="empty"),
        pytest.param(b"id,text,txt\n", ["log.csv:1\n  Column 3 of the header is none of the log.\n"
                     "  Allowed: id, text, note. Nearest: text."], id="unknown-column"),
        pytest.param(b"id,text,id\n", ["log.csv:1\n  The column 'id' stands 2 times."], id="column-twice"),
        pytest.param(b"id,text\nA\n", ["log.csv:2\n  The line has 1 cells and the header 2.\n"
                     "  Put quotes around text that holds a comma."], id="too-few-cells"),
        pytest.param(b'id,text\nA,"x\ny"\nA,z\n', ["log.csv:4  id\n  The id stands twice; the other one is on line 2."],
                     id="key-twice"),
        pytest.param(b"id,text\nA,\xff\n", ["log.csv\n  The file is not UTF-8 text."], id="encoding"),
        pytest.param(b"id,text\n" + b"x" * 200_000, ["log.csv\n  The file cannot be read as comma-separated values."],
                     id="a-cell-without-end"),
    ],
)  # fmt: skip
def test_refuses(tmp_path: Path, content: bytes, expected: list[str]) -> None:
    assert read(tmp_path, content)[1] == expected


def test_no_cell_is_shown(tmp_path: Path) -> None:
    assert "SECRET" not in "".join(read(tmp_path, b"SECRET,SECRET2\nSECRET,x\n")[1])
    assert "SECRET" not in "".join(read(tmp_path, b"id,text\nSECRET,x\nSECRET,x\nSECRET\n")[1])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2024-02-29", True, id="leap-day"),
        pytest.param("2025-02-29", False, id="no-such-day"),
        pytest.param("20250228", False, id="basic-form"),
        pytest.param("2025-02", False, id="partial"),
        pytest.param("", False, id="empty"),
    ],
)
def test_days(text: str, expected: bool) -> None:
    assert is_day(text) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("D1", True, id="letter-first"),
        pytest.param("a.b_c-1", True, id="marks"),
        pytest.param("1D", False, id="digit-first"),
        pytest.param("D 1", False, id="blank"),
        pytest.param("", False, id="empty"),
    ],
)
def test_ids(text: str, expected: bool) -> None:
    assert is_id(text) is expected
