"""Which extract belongs to which site: said by the user, or told by folders."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ember.draft.files import is_extract
from ember.draft.words import identifier
from ember.errors import EmberError


def group_extracts(extracts: Sequence[Path], said: Sequence[str]) -> dict[str, list[Path]]:
    """Return the files of each site.

    Parameters
    ----------
    extracts : sequence of Path
        Files, and folders: a folder with files is one site, a folder with folders one site for each.
    said : sequence of str
        NAME=EXTRACT,EXTRACT as the user grouped them.

    Raises
    ------
    EmberError
        A file does not exist or is named twice, or a folder holds both extracts and folders with extracts.

    Notes
    -----
    Files named one by one belong to the site of their folder. Where all of them lie in one folder they are the
    tables of one site: that files of different sites lie side by side is what `--site` says.
    """
    sites: dict[str, list[Path]] = {}
    for entry in said:
        name, _, listed = entry.partition("=")
        if not listed or identifier(name, "site") != name:
            raise EmberError(f"'{entry}' does not have the form NAME=EXTRACT,EXTRACT.", where="--site")
        sites[name] = [file for path in listed.split(",") for file in _files(Path(path))]
    for extract in extracts:
        for name, file in _by_folder(_existing(extract)):
            sites.setdefault(name, []).append(file)
    sites = {name: sorted(set(files)) for name, files in sites.items() if files}
    if not sites:
        raise EmberError("No extract is named.", fix="Name files, folders, or `--site NAME=EXTRACT`.")
    every = [file for files in sites.values() for file in files]
    twice = sorted({file.name for file in every if every.count(file) > 1})
    if twice:
        raise EmberError(f"{twice[0]} is given to two sites.", fix="Name each file once.")
    return sites


def _existing(path: Path) -> Path:
    if not path.exists():
        raise EmberError("The extract does not exist.", where=str(path))
    return path.resolve()


def _files(path: Path) -> list[Path]:
    found = _existing(path)
    return (
        [found] if found.is_file() else sorted(file for file in found.iterdir() if file.is_file() and is_extract(file))
    )


def _by_folder(path: Path) -> list[tuple[str, Path]]:
    if path.is_file():
        return [(_site_name(path.parent), path)]
    own = [(_site_name(path), file) for file in _files(path)]
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir() and not folder.name.startswith("."))
    below = [(_site_name(folder), file) for folder in folders for file in _files(folder)]
    if own and below:
        raise EmberError(
            "The folder holds extracts and folders with extracts: which is a site, and which is none?",
            where=path.name,
            fix="Name the files or the folders of the sites one by one.",
        )
    return own or below


def _site_name(folder: Path) -> str:
    return identifier(folder.name, "site")


def common_folder(files: Sequence[Path]) -> Path:
    """Return the lowest folder that holds all files.

    Raises
    ------
    EmberError
        Only the root of the file system does: a study that names it could reach any file.
    """
    folder = Path(os.path.commonpath([file.parent for file in files]))
    if folder == Path(folder.anchor):
        raise EmberError(
            "The extracts have no folder in common.",
            fix="Put them, or links to them, under one folder; the study names that folder and no other.",
        )
    return folder
