"""Read a YAML file with the line of each key, so that a message can point at it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from ember.errors import EmberError

Keys = tuple[str | int, ...]


@dataclass(frozen=True)
class YamlFile:
    """Content of a YAML file and the line on which each key stands."""

    path: Path
    shown_path: str
    content: dict[str, Any]
    lines: dict[Keys, int]

    def place(self, keys: Keys) -> str:
        """Return `file:line  key.key` for the deepest known part of `keys`."""
        known = keys
        while known and known not in self.lines:
            known = known[:-1]
        shown = ".".join(str(key) for key in keys)
        return f"{self.shown_path}:{self.lines.get(known, 1)}  {shown}".rstrip()


class _Loader(yaml.CSafeLoader):
    """Safe loader in which only true and false are booleans, and a date stays text."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag not in {"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"}
    ]
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("^(true|false)$"), ["t", "f"])


def read_yaml(path: Path, shown_path: str) -> YamlFile:
    """Read one YAML mapping.

    Raises
    ------
    EmberError
        The file is absent, is not UTF-8, is not a mapping, repeats a key or carries a tag.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise EmberError("The file does not exist.", where=shown_path) from None
    except UnicodeDecodeError:
        raise EmberError("The file is not UTF-8 text.", where=shown_path) from None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        lines: dict[Keys, int] = {}
        _collect_lines(node, (), lines, shown_path)
        content = loader.construct_document(node) if node is not None else None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise EmberError(f"Not valid YAML: {error.problem}.", where=f"{shown_path}:{line}") from None
    if not isinstance(content, dict):
        raise EmberError("The file must hold keys and values.", where=shown_path)
    return YamlFile(path, shown_path, content, lines)


def _collect_lines(node: Any, keys: Keys, lines: dict[Keys, int], shown_path: str) -> None:
    if isinstance(node, yaml.MappingNode):
        for key_node, value_node in node.value:
            here = (*keys, key_node.value)
            if here in lines and key_node.value != "<<":
                raise EmberError(
                    f"The key '{key_node.value}' stands twice.", where=f"{shown_path}:{key_node.start_mark.line + 1}"
                )
            lines[here] = key_node.start_mark.line + 1
            _collect_lines(value_node, here, lines, shown_path)
    elif isinstance(node, yaml.SequenceNode):
        for index, child in enumerate(node.value):
            lines[(*keys, index)] = child.start_mark.line + 1
            _collect_lines(child, (*keys, index), lines, shown_path)
