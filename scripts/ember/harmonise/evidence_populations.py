"""The populations that a site may come from: the reference, with any prevalence of inflammation that is plausible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ember.harmonise.evidence_counts import EDGES, HIGHEST, LOWEST, STEP
from ember.harmonise.evidence_demands import Demands
from ember.registry.registry import Registry, Row

Floats = NDArray[np.float64]

N_PLACES = 11


@dataclass(frozen=True)
class Populations:
    """Distribution functions of log10(value) at the edges of the grid; shape (populations, edges)."""

    functions: Floats
    ln_mean: float


def populations_of(registry: Registry, analyte: str, demands: Demands) -> Populations | None:
    """Return the plausible populations of an analyte, or None where the registry has no reference for it.

    Notes
    -----
    Where `unit_populations.csv` names a cut, the share of people above it is unknown between `share_low` and
    `share_high`, in two ways: the whole distribution lies higher or lower (a shift, which Osimo 2020 supports), or
    more people belong to its upper part (a subgroup). Otherwise the location is unknown between `location_low` and
    `location_high` decades about the reference. Each is blurred by the spread between laboratories and a small share
    of values may come from anywhere, so that a few acute values decide nothing. It fails for populations outside
    these ranges, which look like the neighbouring factor.
    """
    row = registry.row("analytes", analyte)
    own = registry.row("unit_populations", analyte) if registry.has("unit_populations", analyte) else None
    components = own["components"] if own and own["components"] else _single(row)
    if not components:
        return None
    if own and own["cut"]:
        bounds = (float(own["share_low"]), float(own["share_high"]))
        functions = _by_share(components, math.log10(float(own["cut"])), *bounds)
    else:
        bounds = (float(own["location_low"]), float(own["location_high"])) if own else (-0.3, 0.3)
        functions = _by_location(components, *bounds)
    blurred = _blurred(functions, demands.laboratory_spread)
    flat = (EDGES - LOWEST) / (HIGHEST - LOWEST)
    mixed = (1 - demands.stray_share) * blurred + demands.stray_share * flat
    return Populations(mixed, _ln_mean(components))


def _single(row: Row) -> str:
    """Return the reference of `analytes.csv` as one component, or nothing."""
    mean, deviation = row["reference_ln_mean"].strip(), row["reference_ln_sd"].strip()
    return f"1:{mean}:{deviation}" if mean and deviation else ""


def _parsed(components: str) -> list[tuple[float, float, float]]:
    parts = [tuple(float(number) for number in part.split(":")) for part in components.split(";")]
    return [(weight, mean, deviation) for weight, mean, deviation in parts]


def _ln_mean(components: str) -> float:
    return sum(weight * mean for weight, mean, _ in _parsed(components))


@lru_cache(maxsize=64)
def _table(components: str) -> tuple[Floats, Floats]:
    """Return a fine grid of log10(value), wider than any shift, and the distribution function on it."""
    grid = np.linspace(2 * LOWEST, 2 * HIGHEST, 4 * len(EDGES))
    function = np.zeros_like(grid)
    for weight, mean, deviation in _parsed(components):
        scores = (grid * math.log(10) - mean) / (deviation * math.sqrt(2))
        function += weight * 0.5 * (1 + np.array([math.erf(score) for score in scores]))
    return grid, function


def distribution(components: str, places: Floats) -> Floats:
    """Return the distribution function of log10(value) of a mixture of log-normals.

    Parameters
    ----------
    components : str
        "weight:ln mean:ln SD", several joined by semicolons.
    places : ndarray
        log10(value), any shape.
    """
    return np.asarray(np.interp(places, *_table(components)))


def _by_location(components: str, low: float, high: float) -> Floats:
    return np.stack([distribution(components, EDGES - shift) for shift in np.linspace(low, high, N_PLACES)])


def _by_share(components: str, cut: float, low: float, high: float) -> Floats:
    shares = np.linspace(low, high, N_PLACES)
    grid, function = _table(components)
    rising = np.flatnonzero(np.diff(function) > 0)
    shifted = [
        distribution(components, EDGES - (cut - np.interp(1 - p, function[rising], grid[rising]))) for p in shares
    ]
    base, below = distribution(components, EDGES), float(distribution(components, np.array(cut)))
    lower, upper = np.minimum(base, below) / below, np.maximum(base - below, 0) / (1 - below)
    return np.stack([*shifted, *((1 - share) * lower + share * upper for share in shares)])


def _blurred(functions: Floats, deviation: float) -> Floats:
    reach = math.ceil(3 * deviation / STEP)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) * STEP / deviation) ** 2)
    kernel /= kernel.sum()
    padded = np.pad(functions, ((0, 0), (reach, reach)), mode="edge")
    return np.stack([np.convolve(row, kernel, mode="valid") for row in padded])
