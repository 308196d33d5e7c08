"""Short files, short functions, nothing of one machine or one package index."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SOURCES = sorted((PROJECT / "scripts" / "ember").rglob("*.py"))
STEPS = sorted((PROJECT / "scripts" / "ember" / "steps").glob("*.py"))
INDEX = re.compile("py" + r"pi\.org|python" + r"hosted\.org|conda\.ana" + r"conda\.org|registry\.npm", re.IGNORECASE)
MACHINE = re.compile("/" + r"(?:work|root|home/[a-z]+|Users/[A-Za-z]+|tmp/[a-z_]+)/")
TEXT = {".py", ".R", ".md", ".yaml", ".yml", ".toml", ".csv", ".smk", ".lock", ".in", ".cff", ".html", ".css", ".typ",
        ".j2", ".json", ".rst", ".txt", ".sh", ""}  # fmt: skip


def shown(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def tracked() -> list[Path]:
    """Return the text files that git knows, or those outside hidden and made folders where there is no git."""
    found = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, capture_output=True, text=True, check=False)
    names = found.stdout.split("\0") if found.returncode == 0 else []
    if not any(names):
        made = ("results", "build")
        paths = [path.relative_to(PROJECT) for path in PROJECT.rglob("*") if path.is_file()]
        names = [str(path) for path in paths if not path.parts[0].startswith(".") and path.parts[0] not in made]
    return [PROJECT / name for name in names if name and (PROJECT / name).is_file() and Path(name).suffix in TEXT]


TRACKED = tracked()


def lines_of(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_there_is_something_to_look_at():
    assert len(SOURCES) > 100 and len(TRACKED) > 100


@pytest.mark.parametrize("path", [pytest.param(path, id=shown(path)) for path in SOURCES])
def test_files_are_under_400_lines_and_functions_at_most_60(path):
    assert len(lines_of(path)) < 400
    functions = [
        node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]  # fmt: skip
    long = [node.name for node in functions if (node.end_lineno or 0) - node.lineno + 1 > 60]
    assert long == []


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in STEPS if path.stem != "command"])
def test_steps_are_at_most_60_lines(path):
    assert len(lines_of(path)) <= 60


def test_no_package_index_is_named():
    assert [shown(path) for path in TRACKED if INDEX.search(path.read_text(encoding="utf-8", errors="ignore"))] == []


def test_no_path_of_one_machine_is_named():
    assert [shown(path) for path in TRACKED if MACHINE.search(path.read_text(encoding="utf-8", errors="ignore"))] == []
