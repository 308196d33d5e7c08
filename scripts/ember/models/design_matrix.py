"""Design matrices of an analysis set: columns named in words, one block of rows a site."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ember.models.contract import FloatArray, SiteRows
from ember.tables.contract import contract

INTERACTION = "treatment:exposure"


@dataclass(frozen=True)
class DesignSpec:
    """What stands on the right-hand side.

    `sites` as "none" (one site), "fixed" (an intercept a site) or "random" (one intercept); `baseline` as "none",
    "common" or "by_site".
    """

    treatment: bool
    exposure: bool
    baseline: str
    covariates: tuple[str, ...]
    sites: str


@dataclass(frozen=True)
class Design:
    """Columns and rows of a model: `names` has length p, each block of `rows` has shape (n, p)."""

    names: tuple[str, ...]
    rows: tuple[SiteRows, ...]
    dropped: tuple[str, ...]

    @property
    def n(self) -> int:
        return sum(block.outcome.size for block in self.rows)

    def with_treatment(self, value: float) -> tuple[FloatArray, ...]:
        """Return the designs of the sites as if everyone had one arm (1 active, 0 reference)."""
        designs = []
        for block in self.rows:
            design = block.design.copy()
            design[:, self.names.index("treatment")] = value
            if INTERACTION in self.names:
                design[:, self.names.index(INTERACTION)] = value * design[:, self.names.index("exposure")]
            designs.append(design)
        return tuple(designs)


def build_design(frame: pl.DataFrame, spec: DesignSpec, sites: Sequence[str]) -> Design:
    """Return the design of the rows of `frame`, which must be complete in every column that the spec names.

    Parameters
    ----------
    frame : DataFrame
        Rows of the contract `analysis_set`, all of them in the set.
    sites : sequence of str
        Sites in study order; those without rows are left out.

    Notes
    -----
    A covariate that does not vary over the rows (one sex at a site), or a baseline that does not vary at a site,
    is left out and named in `dropped`: it cannot confound where it is constant. Categories follow the contract's
    order; the first that occurs is the reference.
    """
    present = [site for site in sites if (frame["site_id"] == site).any()]
    columns: dict[str, FloatArray] = {}
    if spec.sites == "fixed":
        columns.update({f"site_{site}": _indicator(frame["site_id"], site) for site in present})
    else:
        columns["intercept"] = np.ones(frame.height)
    if spec.treatment:
        columns["treatment"] = _numbers(frame["treatment"])
    if spec.exposure:
        columns["exposure"] = _numbers(frame["exposure"])
    if spec.treatment and spec.exposure:
        columns[INTERACTION] = columns["treatment"] * columns["exposure"]
    adjusting = _baseline(frame, spec, present)
    constant = [] if spec.baseline == "none" else _constant_baselines(frame, adjusting, present)
    for covariate in spec.covariates:
        found = _covariate(frame, covariate)
        adjusting.update(found)
        constant += [name for name, column in found.items() if np.ptp(column) == 0] if found else [covariate]
    columns.update({name: column for name, column in adjusting.items() if name not in constant})
    matrix = np.column_stack(list(columns.values()))
    outcome = _numbers(frame["outcome"])
    site = frame["site_id"].to_numpy()
    rows = tuple(SiteRows(name, matrix[site == name], outcome[site == name]) for name in present)
    return Design(tuple(columns), rows, tuple(constant))


def _baseline(frame: pl.DataFrame, spec: DesignSpec, sites: Sequence[str]) -> dict[str, FloatArray]:
    if spec.baseline == "none":
        return {}
    baseline = _numbers(frame["baseline"])
    if spec.baseline == "common" or len(sites) == 1:
        return {"baseline": baseline}
    return {f"baseline_{site}": baseline * _indicator(frame["site_id"], site) for site in sites}


def _constant_baselines(frame: pl.DataFrame, columns: dict[str, FloatArray], sites: Sequence[str]) -> list[str]:
    if "baseline" in columns:
        return [] if np.ptp(columns["baseline"]) > 0 else ["baseline"]
    own = {f"baseline_{site}": frame.filter(pl.col("site_id") == site)["baseline"].n_unique() for site in sites}
    return [name for name, different in own.items() if different == 1]


def _covariate(frame: pl.DataFrame, name: str) -> dict[str, FloatArray]:
    values = frame[name]
    if values.dtype.is_numeric():
        return {name: _numbers(values)}
    allowed = contract("analysis_set").by_name[name].allowed or contract("participants").by_name[name].allowed
    found = set(values.drop_nulls().unique().to_list())
    levels = [*(level for level in allowed if level in found), *sorted(found - set(allowed))]
    return {f"{name}_{level}": _indicator(values, level) for level in levels[1:]}


def _indicator(values: pl.Series, level: str) -> FloatArray:
    return (values == level).fill_null(False).cast(pl.Float64).to_numpy()


def _numbers(values: pl.Series) -> FloatArray:
    return values.cast(pl.Float64).to_numpy().astype(np.float64, copy=True)
