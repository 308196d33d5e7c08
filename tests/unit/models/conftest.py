"""Small random data that the model tests share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ember.models.contract import SiteRows


@pytest.fixture
def make_rows() -> Callable[..., list[SiteRows]]:
    """Return a maker of site rows: three columns, two outcomes, sites of the given sizes."""

    def make(sizes: tuple[int, ...] = (40, 25, 35), *, seed: int = 3, binary: bool = False) -> list[SiteRows]:
        rng = np.random.default_rng(seed)
        rows = []
        for index, n in enumerate(sizes):
            design = np.column_stack([np.ones(n), rng.normal(size=n), rng.integers(0, 2, n)])
            mean = design @ np.array([0.2, 0.5, -0.4]) + 0.3 * index
            noisy = mean + rng.normal(size=n)
            outcome = (rng.random(n) < 1 / (1 + np.exp(-mean))).astype(float) if binary else noisy
            rows.append(SiteRows(f"s{index}", design, outcome, rng.uniform(0.5, 2, n)))
        return rows

    return make
