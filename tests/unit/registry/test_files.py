"""The table of files: what is refused, and how a hash is recorded."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.registry.files import with_hashes
from tests.unit.registry.study_folder import change, findings

HASH, OTHER = "a" * 64, "b" * 64


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("north.csv,,,", f"north.csv,{HASH.upper()},,", "files.csv:2\n  A sha256 has", id="capitals"),
        pytest.param("north.csv,,,", "north.csv,abc,,", "files.csv:2\n  A sha256 has", id="short-hash"),
        pytest.param(
            "south.csv,,,",
            "north.csv,,,",
            "files.csv:3  file\n  The file stands twice; the other one is on line 2.",
            id="file-twice",
        ),
        pytest.param(
            "south.csv,,,", "south.csv,,", "files.csv:3\n  The line has 3 cells and the header 4.", id="short-row"
        ),
        pytest.param("file,sha256", "file,hash", "The table of files lacks the column sha256", id="column-absent"),
        pytest.param("file,sha256", "file,hash", "files.csv:1\n  Column 2 of the header", id="column-unknown"),
    ],
)
def test_refuses(study: Path, old: str, new: str, expected: str) -> None:
    change(study, "files.csv", old, new)
    assert any(expected in text for text in findings(study)), findings(study)


def test_a_blank_hash_is_filled_and_marked() -> None:
    text = f'file,sha256,url,source\na.csv,,,"x, y"\nb.csv,{OTHER},,z\n'
    assert with_hashes(text, {"a.csv": HASH}) == (
        f'file,sha256,url,recorded,source\na.csv,{HASH},,true,"x, y"\nb.csv,{OTHER},,false,z\n'
    )


def test_a_hash_that_stands_is_left_alone() -> None:
    text = f"file,sha256,url,recorded,source\nb.csv,{OTHER},,false,z\n"
    assert with_hashes(text, {"b.csv": HASH}) == text


def test_a_file_without_a_row_gets_one() -> None:
    text = "file,sha256,url,recorded,source\n"
    assert with_hashes(text, {"a.csv": HASH}) == f"{text}a.csv,{HASH},,true,\n"


def test_recording_twice_changes_nothing() -> None:
    once = with_hashes("file,sha256,url,source\na.csv,,,x\n", {"a.csv": HASH})
    assert with_hashes(once, {"a.csv": OTHER}) == once
