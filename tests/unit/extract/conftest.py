"""Sources made on the spot, and the folder of real files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ember.registry.model import Source
from tests.real_data import real_file

MakeSource = Callable[..., Source]


@pytest.fixture
def make_source(tmp_path: Path) -> MakeSource:
    """Write bytes to a file and return it as a source."""

    def make(content: bytes | None, form: str = "csv", name: str = "extract.dat", **keys: Any) -> Source:
        path = tmp_path / name
        if content is not None:
            path.write_bytes(content)
        return Source(id="extract", path=path, shown_path=f"data/{name}", format=form, file=name, **keys)

    return make


@pytest.fixture
def real_data() -> Callable[[str], Path]:
    """Return the path of a real file, or skip if the folder is not there (fail if it is required)."""

    return real_file
