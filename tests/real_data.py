"""Where tests find real files: in EMBER_REAL_DATA, by default beside the project."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
REAL_DATA = Path(os.environ.get("EMBER_REAL_DATA", PROJECT.parent / "shared" / "data"))


def real_file(name: str) -> Path:
    """Return the path of a real file or folder; skip the test without it, or fail where it is required."""
    path = REAL_DATA / name
    if not path.exists():
        reason = f"the real file {name} is absent; set EMBER_REAL_DATA to the folder of real files"
        if os.environ.get("EMBER_REQUIRE_REAL_DATA") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
