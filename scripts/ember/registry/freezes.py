"""What was frozen and what was lifted again: `freezes/<label>.json` and `freezes/log.csv` of a study folder."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ember.errors import EmberError
from ember.registry.csv_table import read_rows

FOLDER = "freezes"
LOG = f"{FOLDER}/log.csv"
COLUMNS = ("label", "date", "who", "reason")
DAMAGED = "The freeze is not as `ember freeze` wrote it."


@dataclass(frozen=True)
class Freeze:
    """A freeze as it was written.

    Attributes
    ----------
    date : str
        Day on which it was made.
    extracts : dict
        SHA-256 of each source.
    beside : dict
        SHA-256 of the files that lie with the extracts or the study and are read with them: dictionaries,
        corrections, queries.
    open_queries : int
        Queries that were open.
    bound : dict
        Digest of the decisions, of each part of the plan and of each table of registry rows that the study uses.
    code : str
        Digest of the code: recorded, so that a report can say whether it is still the same, and not bound.
    digest : str
        Digest of everything else, by which an edited file is seen.
    """

    study: str
    label: str
    date: str
    extracts: dict[str, str]
    beside: dict[str, str]
    open_queries: int
    bound: dict[str, str]
    code: str
    digest: str = ""

    @property
    def content(self) -> dict[str, Any]:
        """Return the freeze as it stands in its file."""
        return asdict(self)


@dataclass(frozen=True)
class Unfreezing:
    """A line of the log of lifted freezes."""

    label: str
    date: str
    who: str
    reason: str


def freeze_labels(folder: Path) -> list[str]:
    """Return the labels of the freezes of a study folder, sorted."""
    return sorted(path.stem for path in (folder / FOLDER).glob("*.json"))


def read_freeze(folder: Path, label: str) -> Freeze | None:
    """Return a freeze by its label; None if there is none, or its file is not one."""
    path = folder / FOLDER / f"{label}.json"
    try:
        return Freeze(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, TypeError):
        return None


def read_unfreezings(folder: Path, shown: str, findings: list[EmberError]) -> tuple[Unfreezing, ...]:
    """Return the log of lifted freezes, empty where there is none; a log of another form is a finding."""
    path = folder / LOG
    if not path.is_file():
        return ()
    rows = read_rows(path, f"{shown}{LOG}", "the log of lifted freezes", COLUMNS, key="label", findings=findings)
    return tuple(Unfreezing(**row) for _, row in rows)
