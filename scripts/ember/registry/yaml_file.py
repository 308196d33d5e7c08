"""Read a YAML file with the line of each key, so that a message can point at it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ember.errors import EmberError

Keys = tuple[str | int, ...]

# Far above any configuration; a file beyond them repeats itself through anchors.
MOST_KEYS = 50_000
MOST_LEVELS = 40


@dataclass(frozen=True)
class YamlFile:
    """Content of a YAML file, and where each key stands: `file:line`."""

    path: Path
    shown_path: str
    content: dict[str, Any]
    places: dict[Keys, str]

    def place(self, keys: Keys) -> str:
        """Return `file:line  key.key` for the deepest known part of `keys`."""
        known = keys
        while known and known not in self.places:
            known = known[:-1]
        shown = ".".join(str(key) for key in keys)
        return f"{self.places.get(known, f'{self.shown_path}:1')}  {shown}".rstrip()


class _Loader(yaml.CSafeLoader):
    """Safe loader with fewer surprises: only true and false are booleans, numbers are decimal, a date stays text."""


_PLAIN: dict[str, str] = {
    "bool": r"^(true|false)$",
    "int": r"^[-+]?(0|[1-9][0-9]*)$",
    "float": r"^[-+]?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?([eE][-+]?[0-9]+)?)$",
}
_REPLACED = {f"tag:yaml.org,2002:{kind}" for kind in (*_PLAIN, "timestamp")}
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
for _kind, _pattern in _PLAIN.items():
    _first = list("tf") if _kind == "bool" else list("-+.0123456789")
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(_pattern), _first)


def read_yaml(path: Path, shown_path: str) -> YamlFile:
    """Read one YAML mapping; its keys are text as they are written.

    Raises
    ------
    EmberError
        The file is absent, is not UTF-8, is not a mapping, repeats a key or carries a tag.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise EmberError("The file does not exist.", where=shown_path) from None
    except UnicodeDecodeError:
        raise EmberError("The file is not UTF-8 text.", where=shown_path) from None
    try:
        _refuse_tags(text, shown_path)
        loader = _Loader(text)
        node = loader.get_single_node()
        places: dict[Keys, str] = {}
        if node is not None:
            _collect_places(node, (), places, shown_path)
        content = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        tab = "\t" in text.splitlines()[line - 1] if line <= len(text.splitlines()) else False
        fix = "The line holds a tab: YAML is indented with blanks." if tab else ""
        raise EmberError(f"Not valid YAML: {error.problem}.", where=f"{shown_path}:{line}", fix=fix) from None
    except yaml.YAMLError:
        raise EmberError("Not valid YAML: it holds a character that may not stand in it.", where=shown_path) from None
    if not isinstance(content, dict):
        raise EmberError("The file must hold keys and values.", where=shown_path)
    return YamlFile(path, shown_path, content, places)


def _refuse_tags(text: str, shown_path: str) -> None:
    if "!" not in text:
        return
    for token in yaml.scan(text, Loader=yaml.CSafeLoader):
        if isinstance(token, yaml.TagToken):
            raise EmberError(
                "A tag (!) is not allowed here: configuration holds plain text, numbers, lists and keys.",
                where=f"{shown_path}:{token.start_mark.line + 1}",
                fix="Put quotes around text that begins with an exclamation mark.",
            )


def _collect_places(node: Any, keys: Keys, places: dict[Keys, str], shown_path: str) -> None:
    if len(keys) > MOST_LEVELS or len(places) > MOST_KEYS:
        raise EmberError("The file repeats itself without end.", where=f"{shown_path}:{node.start_mark.line + 1}")
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            _collect_key(key_node, value_node, keys, places, shown_path)
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            places[(*keys, index)] = f"{shown_path}:{child.start_mark.line + 1}"
            _collect_places(child, (*keys, index), places, shown_path)


def _collect_key(key_node: Any, value_node: Any, keys: Keys, places: dict[Keys, str], shown_path: str) -> None:
    place = f"{shown_path}:{key_node.start_mark.line + 1}"
    if not isinstance(key_node, yaml.ScalarNode):
        raise EmberError("A key must be text.", where=place)
    here = (*keys, key_node.value)
    if key_node.tag != "tag:yaml.org,2002:merge":
        if here in places:
            raise EmberError(f"The key '{key_node.value}' stands twice.", where=place)
        # A code such as 1 or 01 is text: as a number it would never match a cell of a file.
        key_node.tag = "tag:yaml.org,2002:str"
    places[here] = place
    _collect_places(value_node, here, places, shown_path)
