"""Crosswalks between instruments as the registry states them, and the faults that make one unusable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ember.errors import EmberError
from ember.registry.registry import Registry

SCORABLE = ("points", "table", "linear")
KINDS = (*SCORABLE, "bands")


@dataclass(frozen=True)
class Point:
    """Scores of one instrument, both ends included, and those of the other that stand for them."""

    from_low: float
    from_high: float
    to_low: float
    to_high: float


@dataclass(frozen=True)
class Crosswalk:
    """A published link from the scores of one instrument to those of another.

    Attributes
    ----------
    kind : str
        `points` (a few scores, nothing between them), `table` (every score), `linear`, or `bands` (severity bands
        stand for each other, scores do not).
    low, high : float
        The scores for which the source gives the link.
    error_sd : float or None
        Standard deviation of the error of a single linked score, in its points; None where the source has none.
    """

    id: str
    from_instrument: str
    to_instrument: str
    kind: str
    low: float
    high: float
    intercept: float | None
    slope: float | None
    error_sd: float | None
    points: tuple[Point, ...]


def crosswalk(registry: Registry, name: str) -> Crosswalk:
    """Return a crosswalk of the registry.

    Raises
    ------
    EmberError
        No such row; an unknown kind; a line without its coefficients; a table with a gap, an overlap, a range that
        runs backwards or scores that do not rise together.
    """
    row = registry.row("crosswalks", name)
    points = tuple(
        Point(*(float(own[key]) for key in ("from_low", "from_high", "to_low", "to_high")))
        for own in registry.rows("crosswalk_points")
        if own["crosswalk"] == name
    )
    found = Crosswalk(
        id=name,
        from_instrument=row["from_instrument"],
        to_instrument=row["to_instrument"],
        kind=row["kind"],
        low=float(row["from_low"]),
        high=float(row["from_high"]),
        intercept=float(row["intercept"]) if row["intercept"] else None,
        slope=float(row["slope"]) if row["slope"] else None,
        error_sd=float(row["error_sd"]) if row["error_sd"] else None,
        points=points,
    )
    faults = faults_of(found)
    if faults:
        raise EmberError(
            f"The crosswalk '{name}' cannot be used: {'; '.join(faults)}.",
            where="config/registry/crosswalk_points.csv" if points else "config/registry/crosswalks.csv",
            fix="Compare it with its source; a printed error is settled with the authors, not guessed.",
        )
    return found


def faults_of(found: Crosswalk) -> list[str]:
    """Return what is wrong with a crosswalk, in words; empty where nothing is."""
    if found.kind not in KINDS:
        return [f"its kind '{found.kind}' is none of {', '.join(KINDS)}"]
    if found.kind == "linear":
        whole = found.intercept is not None and found.slope is not None and not found.points
        return [] if whole else ["a line has an intercept and a slope, and no points"]
    if not found.points:
        return [
            "its table is not shipped: a study adds the rows, with their source, in its registry/crosswalk_points.csv"
        ]
    faults = _fault_of_ranges(found.points, found.kind)
    first, last = found.points[0].from_low, found.points[-1].from_high
    if (first, last) != (found.low, found.high):
        faults.append(f"it runs from {first:g} to {last:g}, not from {found.low:g} to {found.high:g}")
    if found.kind != "points":
        faults += [
            f"{one.from_high:g} is followed by {after.from_low:g}"
            for one, after in pairwise(found.points)
            if after.from_low != one.from_high + 1
        ]
    return faults


def _fault_of_ranges(points: Sequence[Point], kind: str) -> list[str]:
    faults = []
    for one in points:
        for low, high in ((one.from_low, one.from_high), (one.to_low, one.to_high)):
            if low > high:
                faults.append(f"the range {low:g} to {high:g} runs backwards")
            elif low != high and kind in SCORABLE:
                faults.append(f"{low:g} to {high:g} is no single score")
    for one, after in pairwise(points):
        if after.from_low <= one.from_high:
            faults.append(f"{after.from_low:g} does not lie above {one.from_high:g}")
        if after.to_low <= one.to_high:
            faults.append(
                f"{one.from_low:g} and {after.from_low:g} do not stand for rising scores "
                f"({one.to_low:g} to {one.to_high:g}, then {after.to_low:g} to {after.to_high:g})"
            )
    return faults


def scorable(registry: Registry, name: str) -> Crosswalk:
    """Return a crosswalk that makes scores.

    Raises
    ------
    EmberError
        The crosswalk links severity bands only, or has a fault.
    """
    found = crosswalk(registry, name)
    if found.kind not in SCORABLE:
        what = f"The crosswalk '{name}' links severity bands, not scores."
        raise EmberError(what, where="config/registry/crosswalks.csv")
    return found
