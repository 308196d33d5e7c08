"""YAML as a person writes it: short mappings on one line, comments where something is open."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 116
PLAIN = re.compile(r"^[^\W\d_][\w/%µ²+*^() .-]*$")
NOT_PLAIN = {"yes", "no", "true", "false", "null", "on", "off", "y", "n", "nan"}


def scalar(value: Any) -> str:
    """Return text, a number or a truth value as YAML; text is quoted wherever it could be read as anything else."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    plain = PLAIN.match(value) and value.casefold() not in NOT_PLAIN and value == value.strip() and "  " not in value
    return value if plain else json.dumps(value, ensure_ascii=False)


def flow(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return scalar(value)


def block(
    content: Mapping[str, Any], indent: int = 0, comments: Mapping[str, Sequence[str]] | None = None
) -> list[str]:
    """Return a mapping as lines.

    Parameters
    ----------
    comments : mapping, optional
        Lines of comment by the name of the column that an entry maps; they stand below the entry.
    """
    said = comments or {}
    lines: list[str] = []
    space = " " * indent
    for key, value in content.items():
        one = f"{space}{scalar(str(key))}: {flow(value)}"
        nested = isinstance(value, Mapping) and value and any(isinstance(item, Mapping) for item in value.values())
        if isinstance(value, Mapping) and value and (nested or len(one) > WIDTH):
            lines.append(f"{space}{scalar(str(key))}:")
            lines += block(value, indent + 2, said)
        elif isinstance(value, list) and len(one) > WIDTH:
            lines.append(f"{space}{scalar(str(key))}:")
            lines += [f"{space}  - {flow(item)}" for item in value]
        else:
            lines.append(one)
        column = _column(key, value)
        lines += [f"{space}# {line}" for line in (said.get(column, ()) if column else ())]
    return lines


def _column(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("column") or value.get("items") or value.get("total") or "")
    return value if key == "participant" else ""
