"""A small trial and its analysis file, for the tests of whole analyses."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ember.models.plan import AnalysisPlan, analysis_plan
from ember.tables.store import conform

SITES = ["alfa", "beta", "gama"]


def trial(sizes: tuple[int, ...] = (40, 44, 36), seed: int = 5, binary: bool = False) -> pl.DataFrame:
    """Return rows of an analysis set: two arms, an exposure centred within site, baseline, age, sex."""
    rng = np.random.default_rng(seed)
    return pl.concat([_site(rng, site, n, binary) for site, n in zip(SITES, sizes, strict=False)])


def _site(rng: np.random.Generator, site: str, n: int, binary: bool) -> pl.DataFrame:
    treatment = np.arange(n) % 2
    value = np.exp2(rng.normal(1, 1, n))
    exposure = np.log2(value) - np.log2(value).mean()
    baseline, age = rng.normal(1, 0.5, n), rng.normal(40, 10, n)
    mean = 0.5 * baseline - 0.2 * treatment - 0.3 * treatment * exposure + 0.1 * exposure
    outcome = mean + rng.normal(0, 0.6, n)
    rows = pl.DataFrame(
        {
            "site_id": [site] * n,
            "participant_id": [f"{site}{row}" for row in range(n)],
            "row_number": range(2, n + 2),
            "in_set": [True] * n,
            "treatment": treatment,
            "exposure_value": value,
            "exposure": exposure,
            "instrument": ["hamd17"] * n,
            "baseline": baseline,
            "outcome": (outcome > 0.3).astype(float) if binary else outcome,
            "age": age,
            "sex": np.where(rng.random(n) < 0.5, "female", "male"),
        }
    )
    return conform(rows, "analysis_set")


def content(*models: dict[str, Any], scale: str = "reference_sd", **changes: Any) -> dict[str, Any]:
    """Return an analysis file of a treatment modified by an exposure; a key changed to None is left out."""
    base = {
        "analysis": "moderation",
        "title": "t",
        "role": "primary",
        "estimand": {"population": "all", "endpoint": "e", "summary": "s"},
        "treatment": {"active": "new", "reference": "old"},
        "exposure": {
            "analyte": "hscrp", "visit": "baseline", "scale": "log2", "centre": "within_site",
            "below_limit": "fill_lod_sqrt2",
        },
        "outcome": {"construct": "severity", "visit": "week_12", "baseline": "baseline", "scale": scale},
        "models": list(models) or [{"id": "two_stage", "family": "ancova", "pool": "two_stage"}],
    }  # fmt: skip
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def plan(
    *models: dict[str, Any], sites: list[str] | None = None, design: str = "randomised", **changes: Any
) -> AnalysisPlan:
    """Return the plan of `content`."""
    return analysis_plan(content(*models, **changes), sites or SITES, design, "mg/L")


def survey_rows(n: int = 120, seed: int = 8, sites: tuple[str, ...] = ("alfa", "beta")) -> pl.DataFrame:
    """Return rows of a sample: strata, sampling units, weights, one row in six outside the set."""
    rng = np.random.default_rng(seed)
    parts = []
    for site in sites:
        value = np.exp2(rng.normal(1, 1, n))
        outcome = rng.normal(5, 2, n) + 0.4 * np.log2(value)
        parts.append(
            pl.DataFrame(
                {
                    "site_id": [site] * n,
                    "participant_id": [f"{site}{row}" for row in range(n)],
                    "row_number": range(2, n + 2),
                    "in_set": np.arange(n) % 6 != 5,
                    "exposure_value": value,
                    "exposure": np.log2(value),
                    "instrument": ["phq9"] * n,
                    "outcome": outcome,
                    "age": rng.normal(50, 12, n),
                    "sex": np.where(rng.random(n) < 0.5, "female", "male"),
                    "survey_weight": rng.uniform(10, 50, n),
                    "survey_stratum": (1 + np.arange(n) % 3).astype(str),
                    "survey_psu": (1 + np.arange(n) // 3 % 4).astype(str),
                }
            )
        )
    return conform(pl.concat(parts), "analysis_set")
