"""Frozen mixtures as files: read before the first job, and part of what a job depends on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ember.errors import EmberError

FOLDER = "mixtures"
NOT_PORTABLE = ("by_site",)


def frozen_file(folder: Path, content: Mapping[str, Any]) -> Path | None:
    """Return the file of the frozen mixture that a mixture names, if it names one."""
    return folder / FOLDER / content["frozen"] if "frozen" in content else None


def read_frozen(path: Path) -> dict[str, Any]:
    """Return the content of a frozen mixture.

    Raises
    ------
    EmberError
        It is not there, is not JSON, or has shifts of sites that other studies do not have.
    """
    where = f"{FOLDER}/{path.name}"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = sorted(file.name for file in path.parent.glob("*.json"))
        raise EmberError("The frozen mixture does not exist.", where=where, allowed=known) from None
    except (UnicodeDecodeError, json.JSONDecodeError):
        raise EmberError("The frozen mixture is not JSON.", where=where) from None
    if not isinstance(content, dict) or content.get("shifts") in NOT_PORTABLE:
        raise EmberError(
            "The mixture has shifts of its own sites, which no other study has.",
            where=where,
            fix="Fit it with `shifts: none`, `by_assay` or `centred_by_assay` before it is frozen.",
        )
    return content


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
