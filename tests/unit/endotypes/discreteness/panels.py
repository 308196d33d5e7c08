"""Small panels for the tests of verdicts."""

from __future__ import annotations

import numpy as np

from ember.endotypes.discreteness.panel import Panel


def panel_of_values(value: np.ndarray, limit: float = -np.inf, sites: int = 1, **changes: np.ndarray) -> Panel:
    """Return a panel of log values in one assay a site, censored below a limit."""
    n, k = value.shape
    site = np.arange(n) % sites
    left = value < limit
    parts = {
        "value": np.where(left, limit, value),
        "low": np.full((n, k), limit),
        "high": np.full((n, k), np.inf),
        "left": left,
        "right": np.zeros((n, k), dtype=bool),
        "stratum": np.repeat(site[:, None], k, axis=1),
        "site": site,
        "bmi": np.full(n, 27.0) + np.arange(n) % 7,
        "acute": np.zeros(n, dtype=bool),
        "compared": np.zeros(n, dtype=bool),
    }
    return Panel(**{**parts, **changes})


def dimension(seed: int, n: int = 600, markers: int = 3) -> np.ndarray:
    """Return correlated normal values without classes."""
    rng = np.random.default_rng(seed)
    return 0.7 * rng.standard_normal((n, 1)) + 0.7 * rng.standard_normal((n, markers))


def classes(seed: int, n: int = 600, markers: int = 3, apart: float = 2.5) -> np.ndarray:
    """Return two classes without correlation inside."""
    rng = np.random.default_rng(seed)
    return rng.standard_normal((n, markers)) + apart * (rng.random((n, 1)) < 0.3)
