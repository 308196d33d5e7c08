"""Write a drafted study all at once, and a key for its pseudonyms."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from ember.errors import EmberError

KEY_BYTES = 32


def check_target(folder: Path) -> None:
    """Refuse a folder that holds anything.

    Raises
    ------
    EmberError
        The folder is a file, or is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise EmberError(
            "The folder is not empty, and a draft overwrites nothing.",
            where=str(folder),
            fix="Name a folder that does not exist.",
        )


def write_folder(files: Mapping[str, str], folder: Path) -> None:
    """Write all files or none: into a folder beside the target, which is renamed at the end."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    try:
        for name, text in files.items():
            path = partial / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        if folder.exists():
            folder.rmdir()
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def make_key(path: Path, outside: Sequence[Path]) -> None:
    """Write a new key of 32 random bytes in hexadecimal digits, readable by its owner alone.

    Parameters
    ----------
    outside : sequence of Path
        Folders in which a key must not lie, because they are copied along with data or code.

    Raises
    ------
    EmberError
        The file exists, or lies in one of the folders.
    """
    target = path.resolve()
    for folder in outside:
        if target.is_relative_to(folder.resolve()):
            raise EmberError(
                "The key would lie inside the study, its data or the project.",
                where=str(path),
                fix="Keep it where nothing is copied from.",
            )
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise EmberError("The key file exists; it is never overwritten.", where=str(path)) from None
    with os.fdopen(handle, "w", encoding="ascii") as content:
        content.write(secrets.token_hex(KEY_BYTES) + "\n")
