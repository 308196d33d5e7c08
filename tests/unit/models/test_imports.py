"""The kernels start fast: none of them imports a heavy library."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[3] / "scripts"
KERNELS = (
    *("contract", "linear", "site_weighted", "random_intercept", "small_sample", "logistic", "firth", "standardise"),
    *("meta_analysis", "survey", "survey_regression", "spline", "multiplicity"),
)
HEAVY = ("scipy.stats", "scipy.optimize", "pandas", "statsmodels", "polars", "matplotlib")


@pytest.fixture(scope="module")
def loaded() -> set[str]:
    imports = "; ".join(f"import ember.models.{name}" for name in KERNELS)
    command = [sys.executable, "-c", f"import sys; {imports}; print('\\n'.join(sys.modules))"]
    environment = {**os.environ, "PYTHONPATH": str(SCRIPTS)}
    found = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return set(found.stdout.split())


@pytest.mark.parametrize("library", [pytest.param(name, id=name) for name in HEAVY])
def test_no_heavy_library(loaded, library):
    assert "ember.models.linear" in loaded
    assert library not in loaded
