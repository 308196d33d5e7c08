"""Write small files atomically; no data library."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it onto `path` on success, remove it on failure.

    No reader ever sees a partial file.
    """
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        yield temporary
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def copy_file(source: Path | str, target: Path | str) -> None:
    """Copy a file byte by byte, atomically."""
    with replacing(target) as temporary:
        shutil.copyfile(source, temporary)


def remove_others(folder: Path, kept: Collection[str], pattern: str) -> None:
    """Remove the files of a folder that match a pattern and are not among those kept: an earlier run left them."""
    for path in folder.glob(pattern):
        if path.name not in kept:
            path.unlink()


def write_json(content: Any, path: Path | str) -> None:
    """Write JSON with sorted keys, atomically."""
    write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", path)


def write_text(text: str, path: Path | str) -> None:
    """Write UTF-8 text, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")
