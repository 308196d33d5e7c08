"""Sites drawn for the proof of the unit evidence: people, a laboratory with its habits, and a slip of a unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Mechanism = Literal["shift", "subgroup"]

# Two log-normals fitted to NHANES 2015-16 hsCRP (config/registry/unit_populations.csv): weight, ln mean, ln SD.
NHANES = ((0.264, -0.629, 0.918), (0.736, 1.095, 1.108))
CUT = 3.0
MECHANISMS: tuple[Mechanism, ...] = ("shift", "subgroup")

# Neutrophils by hsCRP, NHANES 2015-16: intercept, slope and residual SD of ln(neutrophils); SD between sites.
NEUTROPHILS = (1.329, 0.0893, 0.372, 0.08)


@dataclass(frozen=True)
class Laboratory:
    """How a laboratory measures and writes.

    Parameters
    ----------
    unit : str
        The unit in which it writes, "mg/L" or "mg/dL".
    decimals : int
        Of the numbers in that unit.
    limit : float
        Lower limit in mg/L.
    batch_size : int
    batch_spread, plasma_shift : float
        ln SD between batches; ln difference of the half of the values that are plasma.
    """

    unit: str
    decimals: int
    limit: float
    batch_size: int
    batch_spread: float
    plasma_shift: float


def draw_people(generator: np.random.Generator, n: int, prevalence: float, mechanism: Mechanism) -> Floats:
    """Return hsCRP in mg/L of people of whom a share has more than 3 mg/L.

    Parameters
    ----------
    mechanism : "shift" or "subgroup"
        Everybody lies higher or lower than in NHANES, or more or fewer people belong to its part above 3 mg/L.
    """
    if mechanism == "shift":
        return np.asarray(_nhanes(generator, n) * CUT / np.quantile(_pool(), 1 - prevalence))
    pool = _pool()
    inflamed = generator.random(n) < prevalence
    return np.where(inflamed, generator.choice(pool[pool > CUT], n), generator.choice(pool[pool <= CUT], n))


def _nhanes(generator: np.random.Generator, n: int) -> Floats:
    first = generator.random(n) < NHANES[0][0]
    score = generator.standard_normal(n)
    return np.exp(np.where(first, NHANES[0][1] + NHANES[0][2] * score, NHANES[1][1] + NHANES[1][2] * score))


@cache
def _pool() -> Floats:
    return _nhanes(np.random.default_rng(20261123), 400_000)


def draw_laboratory(generator: np.random.Generator, people: Floats) -> Laboratory:
    """Return a laboratory; one in six has a limit below which 30 % of these people lie."""
    unit = str(generator.choice(["mg/L", "mg/dL"], p=[0.75, 0.25]))
    decimals = int(generator.choice([1, 2])) + (1 if unit == "mg/dL" else 0)
    limit = float(generator.choice([0.1, 0.11, 0.15, 0.2, 0.3]))
    if generator.random() < 1 / 6:
        limit = max(0.1, float(np.round(np.quantile(people, 0.3), 1)))
    return Laboratory(
        unit,
        decimals,
        limit,
        batch_size=int(generator.integers(20, 51)),
        batch_spread=float(generator.uniform(0.15, 0.20)),
        plasma_shift=float(generator.choice([0.0, 0.0, -0.1, 0.1])),
    )


def reported(
    generator: np.random.Generator, people: Floats, laboratory: Laboratory, exponent: int, mislabelled: bool = True
) -> pl.DataFrame:
    """Return what harmonisation sees of a column: canonical values, limits, decimals and groups.

    Parameters
    ----------
    exponent : int
        The canonical values come out 10**exponent times too high.
    mislabelled : bool
        The header names the wrong unit; otherwise a right number was converted once too often, and rewritten.
    """
    n = len(people)
    batch = np.arange(n) // laboratory.batch_size
    between = generator.normal(0, laboratory.batch_spread, batch.max() + 1)[batch]
    plasma = np.where(np.arange(n) % 2 == 1, laboratory.plasma_shift, 0.0)
    factor = 10.0 if laboratory.unit == "mg/dL" else 1.0
    numbers = np.round(people * np.exp(between + plasma) / factor, laboratory.decimals)
    below = numbers < laboratory.limit / factor
    decimals = laboratory.decimals if mislabelled else max(0, laboratory.decimals - exponent)
    return pl.DataFrame(
        {
            "analyte": ["hscrp"] * n,
            "batch": [f"B{number}" for number in batch.tolist()],
            "source_file": ["laboratory.csv"] * n,
            "from_unit": [header(laboratory.unit, exponent) if mislabelled else laboratory.unit] * n,
            "value": np.where(below, laboratory.limit, numbers * factor) * 10.0**exponent,
            "censoring": np.where(below, "left", "none"),
            "limit_reported": np.where(below, laboratory.limit, np.nan),
            "decimals": pl.Series([decimals] * n, dtype=pl.Int8),
        }
    ).with_columns(pl.col("limit_reported").fill_nan(None))


HEADERS = {"g/L": 3, "mg/dL": 1, "mg/L": 0, "ug/dL": -2, "ng/mL": -3}


def header(unit: str, exponent: int) -> str:
    """Return the unit whose header makes the values of another come out 10**exponent times too high."""
    wanted = HEADERS[unit] + exponent
    return next((name for name, power in HEADERS.items() if power == wanted), unit)


def neutrophils(generator: np.random.Generator, people: Floats) -> pl.DataFrame:
    """Return the neutrophils of the same people in 10*9/L."""
    intercept, slope, residual, between = NEUTROPHILS
    site = generator.normal(0, between)
    values = np.exp(intercept + site + slope * np.log(people) + generator.normal(0, residual, len(people)))
    n = len(people)
    return pl.DataFrame(
        {
            "analyte": ["neutrophils"] * n,
            "from_unit": ["10*9/L"] * n,
            "value": values.round(1),
            "censoring": ["none"] * n,
        }
    )


def in_one_batch(laboratory: Laboratory, size: int) -> Laboratory:
    """Return a laboratory with batches of another size."""
    return replace(laboratory, batch_size=size)


# Cytokines: ln mean and SD of a registry reference, limit and decimals; a platform moves the median by this ln SD.
CYTOKINES = {"il6": (0.7, 0.9, 0.11), "tnf": (1.0, 0.8, 0.16)}
PLATFORM_SPREAD = 0.5


def draw_cytokine(generator: np.random.Generator, analyte: str, n: int, exponent: int) -> pl.DataFrame:
    """Return a cytokine in pg/mL on a platform of its own, 10**exponent times too high."""
    mean, deviation, limit = CYTOKINES[analyte]
    platform = generator.normal(0, PLATFORM_SPREAD)
    values = np.round(np.exp(mean + platform + deviation * generator.standard_normal(n)), 2)
    below = values < limit
    return pl.DataFrame(
        {
            "analyte": [analyte] * n,
            "from_unit": ["pg/mL"] * n,
            "value": np.where(below, limit, values) * 10.0**exponent,
            "censoring": np.where(below, "left", "none"),
            "decimals": pl.Series([2] * n, dtype=pl.Int8),
        }
    )
