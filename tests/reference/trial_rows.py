"""The frozen trial as site rows, in the order of the witnesses' coefficients."""

from __future__ import annotations

import numpy as np
import polars as pl

from ember.models.contract import FloatArray, Plan, SiteRows

NAMES = ("(Intercept)", "age", "female", "arm", "log2crp", "arm:log2crp")


def design(frame: pl.DataFrame, arm: int | None = None) -> FloatArray:
    """Return the design matrix, with everyone in one arm if it is given."""
    arms = frame["arm"].to_numpy() if arm is None else np.full(frame.height, arm)
    crp = frame["log2crp"].to_numpy()
    columns = [np.ones(frame.height), frame["age"].to_numpy(), frame["female"].to_numpy(), arms, crp, arms * crp]
    return np.column_stack(columns).astype(np.float64)


def site_rows(
    frame: pl.DataFrame, outcome: str, *, weighted: bool = False, fixed_sites: bool = False
) -> list[SiteRows]:
    """Return the rows of each site, in order of appearance."""
    sites = frame["site"].unique(maintain_order=True).to_list()
    rows = []
    for site in sites:
        part = frame.filter(pl.col("site") == site)
        matrix = design(part)
        if fixed_sites:
            matrix = np.column_stack([matrix, *[np.full(part.height, float(site == other)) for other in sites[1:]]])
        weight = part["weight"].to_numpy() if weighted else None
        rows.append(SiteRows(site, matrix, part[outcome].to_numpy().astype(np.float64), weight))
    return rows


def plan(frame: pl.DataFrame, *, fixed_sites: bool = False) -> Plan:
    """Return the coefficient names, with site indicators after the products as the witness has them."""
    sites = frame["site"].unique(maintain_order=True).to_list()
    return Plan(NAMES + tuple(f"site{site}" for site in sites[1:]) if fixed_sites else NAMES)


def witness_order(names: tuple[str, ...], witnessed: list[str]) -> list[int]:
    """Return where our coefficients stand in the witness."""
    return [witnessed.index(name) for name in names]
