"""YAML as configuration: lines of keys, and everything that YAML allows and a study file may not hold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ember.errors import EmberError
from ember.registry.yaml_file import YamlFile, read_yaml


def read(tmp_path: Path, text: str) -> YamlFile:
    path = tmp_path / "a.yaml"
    path.write_bytes(text.encode())
    return read_yaml(path, "a.yaml")


def test_place_names_the_line_of_the_deepest_known_key(tmp_path: Path) -> None:
    document = read(tmp_path, "a: 1\nb:\n  c:\n    - x\n    - y\n")
    assert document.place(("b", "c", 1)) == "a.yaml:5  b.c.1"
    assert document.place(("b", "absent", "deeper")) == "a.yaml:2  b.absent.deeper"
    assert document.place(("absent",)) == "a.yaml:1  absent"
    assert document.place(()) == "a.yaml:1"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("true", True, id="true"),
        pytest.param("false", False, id="false"),
        pytest.param("yes", "yes", id="yes-is-text"),
        pytest.param("no", "no", id="norway"),
        pytest.param("on", "on", id="on-is-text"),
        pytest.param("0", 0, id="zero"),
        pytest.param("-28", -28, id="negative"),
        pytest.param("010", "010", id="leading-zero-is-text-not-octal"),
        pytest.param("0x1F", "0x1F", id="hexadecimal-is-text"),
        pytest.param("1_000", "1_000", id="underscore-is-text"),
        pytest.param("12:30", "12:30", id="sexagesimal-is-text"),
        pytest.param("0.5", 0.5, id="decimal"),
        pytest.param(".5", 0.5, id="decimal-without-zero"),
        pytest.param("1e-3", 0.001, id="exponent-without-point"),
        pytest.param("1.5e+3", 1500.0, id="exponent"),
        pytest.param(".inf", ".inf", id="infinity-is-text"),
        pytest.param(".nan", ".nan", id="nan-is-text"),
        pytest.param("2016-01-31", "2016-01-31", id="date-is-text"),
        pytest.param("10*3/uL", "10*3/uL", id="unit"),
        pytest.param("~", None, id="null"),
    ],
)
def test_plain_values(tmp_path: Path, text: str, value: Any) -> None:
    assert read(tmp_path, f"a: {text}\n").content == {"a": value}


def test_keys_are_text_as_written(tmp_path: Path) -> None:
    content = read(tmp_path, "codes: {1: male, 01: other, true: yes, ~: none}\n").content
    assert content == {"codes": {"1": "male", "01": "other", "true": "yes", "~": "none"}}


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        pytest.param("a: 1\nb: 2\na: 3\n", "a.yaml:3", "The key 'a' stands twice.", id="duplicate-key"),
        pytest.param("a: {x: 1, x: 2}\n", "a.yaml:1", "The key 'x' stands twice.", id="duplicate-key-inside"),
        pytest.param("a: {1: x, '1': y}\n", "a.yaml:1", "The key '1' stands twice.", id="same-code-as-number-and-text"),
        pytest.param("a: 1\nb: !!python/object/apply:os.getcwd []\n", "a.yaml:2", "A tag", id="python-tag"),
        pytest.param("b: !!int x\n", "a.yaml:1", "A tag", id="standard-tag"),
        pytest.param("b: !!binary aGk=\n", "a.yaml:1", "A tag", id="binary-tag"),
        pytest.param("b: !secret x\n", "a.yaml:1", "A tag", id="own-tag"),
        pytest.param("? [a, b]\n: 1\n", "a.yaml:1", "A key must be text.", id="list-as-key"),
        pytest.param("a: [1\n", "a.yaml:2", "Not valid YAML", id="open-bracket"),
        pytest.param("a: 1\n\tb: 2\n", "a.yaml:2", "Not valid YAML", id="tab"),
        pytest.param("a: \x07\n", "a.yaml", "Not valid YAML", id="control-character"),
        pytest.param("a: *b\n", "a.yaml:1", "Not valid YAML", id="alias-of-nothing"),
        pytest.param("a: 1\n---\nb: 2\n", "a.yaml:2", "Not valid YAML", id="two-documents"),
        pytest.param("a: &a [*a]\n", "a.yaml:1", "repeats itself", id="holds-itself"),
        pytest.param("- a\n", "a.yaml", "must hold keys and values", id="list"),
        pytest.param("", "a.yaml", "must hold keys and values", id="empty"),
        pytest.param("# only a comment\n", "a.yaml", "must hold keys and values", id="comment"),
    ],
)
def test_refuses(tmp_path: Path, text: str, where: str, what: str) -> None:
    with pytest.raises(EmberError) as caught:
        read(tmp_path, text)
    assert caught.value.where == where
    assert what in caught.value.what


def test_refuses_anchors_that_multiply(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(EmberError, match="repeats itself"):
        read(tmp_path, "\n".join(lines))


def test_an_exclamation_mark_in_quotes_is_text(tmp_path: Path) -> None:
    assert read(tmp_path, "a: 'Wow!'\nb: \"!x\"\n").content == {"a": "Wow!", "b": "!x"}


def test_merge_keys_are_kept(tmp_path: Path) -> None:
    content = read(tmp_path, "a: &a {x: 1, y: 2}\nb: {<<: *a, y: 3}\n").content
    assert content["b"] == {"x": 1, "y": 3}


def test_absent_file(tmp_path: Path) -> None:
    with pytest.raises(EmberError, match="does not exist"):
        read_yaml(tmp_path / "none.yaml", "none.yaml")


def test_not_utf8(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes("a: é\n".encode("latin-1"))
    with pytest.raises(EmberError, match="not UTF-8"):
        read_yaml(path, "a.yaml")
