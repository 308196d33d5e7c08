"""Standard tables that EMBER has a preset for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from ember.registry.load import PROJECT


def preset_of(names: Sequence[str]) -> str | None:
    """Return the preset whose columns all stand in a table, or None."""
    for path in sorted((PROJECT / "config" / "registry" / "presets").glob("*.yaml")):
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        wanted = set(_columns(content["table"]))
        if wanted and wanted <= set(names):
            return path.stem
    return None


def _columns(content: Any, key: str = "") -> Iterator[str]:
    if isinstance(content, dict):
        for name, value in content.items():
            yield from _columns(value, name)
    elif key in {"participant", "column", "value"}:
        yield str(content)
