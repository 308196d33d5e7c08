from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.registry.study_folder import write_study


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return the folder of a small valid study."""
    return write_study(tmp_path)
