"""Make the table of the mixture witness: `python tests/reference/make_mixture_data.py`, then `Rscript mixture.R`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

HERE = Path(__file__).parent / "data"


def three_markers(seed: int = 20261123, people: int = 500) -> pl.DataFrame:
    """Return ln values of three markers in three overlapping classes with spreads of their own, and rough classes."""
    generator = np.random.default_rng(seed)
    member = generator.choice(3, people, p=[0.5, 0.3, 0.2])
    centre = np.array([[0.0, 0.5, 1.0], [1.8, 1.2, 1.6], [3.4, 2.6, 1.2]])[member]
    factor = np.array([[[0.8, 0, 0], [0.3, 0.6, 0], [0.1, 0.2, 0.5]], [[0.6, 0, 0], [-0.2, 0.7, 0], [0.2, 0.1, 0.6]],
                       [[0.9, 0, 0], [0.4, 0.5, 0], [0.0, 0.1, 0.4]]])[member]  # fmt: skip
    value = np.round(centre + np.einsum("nij,nj->ni", factor, generator.standard_normal((people, 3))), 4)
    start = {f"start{size}": np.argsort(np.argsort(value[:, 0])) * size // people for size in (2, 3)}
    return pl.DataFrame({**{f"marker{one + 1}": value[:, one] for one in range(3)}, **start})


if __name__ == "__main__":
    three_markers().write_csv(HERE / "mixture.csv")
