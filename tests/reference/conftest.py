"""What the reference tests share: frozen witnesses, frozen tables, and the folder of real data."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]


@pytest.fixture(scope="session")
def witness() -> Callable[[str], Any]:
    """Read the frozen results of an R script."""
    return lambda name: json.loads((HERE / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def table() -> Callable[[str], pl.DataFrame]:
    """Read a frozen synthetic table."""
    return lambda name: pl.read_csv(HERE / "data" / f"{name}.csv")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """Return the folder of public data; skip without it, or fail where it is required."""
    folder = Path(os.environ.get("EMBER_REAL_DATA", PROJECT.parent / "shared" / "data"))
    if not folder.is_dir():
        message = f"no public data at {folder}: set EMBER_REAL_DATA"
        if os.environ.get("EMBER_REQUIRE_REAL_DATA") == "1":
            pytest.fail(message)
        pytest.skip(message)
    return folder
