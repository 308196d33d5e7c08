"""Files appear whole or not at all."""

from __future__ import annotations

import pytest

from ember.tables.files import replacing, write_json, write_text


def test_a_file_appears_when_it_is_whole(tmp_path):
    target = tmp_path / "deep" / "a.txt"
    with replacing(target) as temporary:
        temporary.write_text("new", encoding="utf-8")
        assert not target.exists() and temporary.parent == target.parent
    assert target.read_text(encoding="utf-8") == "new"
    assert [path.name for path in target.parent.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("error", [pytest.param(ValueError, id="error"), pytest.param(KeyboardInterrupt, id="stopped")])
def test_a_failure_leaves_what_was_there(tmp_path, error):
    target = tmp_path / "a.txt"
    write_text("old", target)
    with pytest.raises(error), replacing(target) as temporary:
        temporary.write_text("half", encoding="utf-8")
        raise error
    assert target.read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_json_is_sorted_readable_and_ends_with_a_line(tmp_path):
    write_json({"b": 1, "a": "ü"}, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_bytes() == '{\n "a": "ü",\n "b": 1\n}\n'.encode()


def test_lines_end_the_same_way_on_every_machine(tmp_path):
    write_text("a\nb\n", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == b"a\nb\n"
