"""A copy of the tiny study to change and to run in process."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import yaml

TINY = Path(__file__).parents[2] / "data" / "tiny"


def tiny_copy(folder: Path) -> Path:
    """Copy the tiny study into `folder` and return it."""
    target = folder / "study"
    shutil.copytree(TINY, target)
    return target


def change_yaml(path: Path, *keys: str, **changes: Any) -> None:
    """Update the mapping under `keys` of a YAML file."""
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    place = content
    for key in keys:
        place = place.setdefault(key, {})
    place.update(changes)
    path.write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), encoding="utf-8")


def set_cell(path: Path, row: int, column: str, value: str, encoding: str = "latin-1") -> str:
    """Change one cell of porto's file and return what stood there."""
    lines = path.read_text(encoding=encoding).splitlines()
    cells = lines[row - 1].split(";")
    place = lines[0].split(";").index(column)
    before, cells[place] = cells[place], value
    lines[row - 1] = ";".join(cells)
    path.write_text("\n".join(lines) + "\n", encoding=encoding)
    return before
