"""Fills: numbers that stand for "below the limit" without saying so, recognised because they are heaped."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ember.harmonise.detection_limits import SiteLimits, assay_limits
from ember.registry.registry import Registry

METHODS: Mapping[str, float] = {"LOD/sqrt 2": 1 / math.sqrt(2), "LOD/2": 0.5, "LOD": 1.0}
METHOD_KEY = ["source_file", "analyte", "assay_id", "unit_reported", "detection_limit"]
FACTOR = ["numerator", "denominator"]
KEPT_NUMBERS = 16
"""How many of the lowest numbers of a method are counted one by one: a heap and its neighbours are among them."""

FILL_SCHEMA = {
    **dict.fromkeys(METHOD_KEY[:-1], pl.String()),
    "detection_limit": pl.Float64(),
    "number": pl.Float64(),
    "fill": pl.Boolean(),
}


@dataclass(frozen=True)
class Demands:
    """What makes a heap: so many rows, so many times its neighbours, and so many standard errors above them."""

    least_rows: int = 10
    least_share: float = 0.005
    times_neighbours: float = 2.0
    standard_errors: float = 6.0
    neighbours: int = 5


@dataclass(frozen=True)
class Method:
    """Results of one analyte by one assay in one unit of one file, under one limit (canonical; None if not known)."""

    source_file: str
    analyte: str
    assay_id: str | None
    unit_reported: str
    detection_limit: float | None
    factor: float

    @property
    def limit(self) -> float | None:
        """Return the limit in the unit of the source."""
        return None if self.detection_limit is None else self.detection_limit / self.factor


@dataclass(frozen=True)
class Heap:
    """The lowest number of a method, in the unit of the source, where it is heaped.

    Attributes
    ----------
    n : int
        Rows.
    rule : str or None
        Key of `METHODS` that explains the number.
    doubt : str
        Why the heap is asked about and not taken as a fill; empty for a fill.
    below : bool
        Whether the number lies below the limit however it was rounded.
    """

    method: Method
    number: float
    n: int
    rule: str | None
    doubt: str = ""
    below: bool = False


def count_numbers(measurements: pl.DataFrame) -> pl.DataFrame:
    """Return how often the lowest reported numbers stand in a share of a site, by method.

    Parameters
    ----------
    measurements : DataFrame
        Columns of `detection_limits.with_limits`, operator, number, numerator and denominator; and n, how many
        results a row stands for (one without it).

    Returns
    -------
    DataFrame
        The columns of a method, `what` ("number", "all" or "marked"), `number` and `n`: the lowest numbers without a
        sign one by one, all of them together, and the results that are marked as below the limit.
    """
    key = [*METHOD_KEY, *FACTOR]
    results = measurements if "n" in measurements.columns else measurements.with_columns(pl.lit(1, pl.Int64).alias("n"))
    signed, number = pl.col("operator") == "<", pl.col("number")
    usable = results.filter(~signed & (pl.col("operator") != ">") & number.is_finite() & (number > 0))
    lowest = usable.filter(number.rank("dense").over(key) <= KEPT_NUMBERS)
    parts = {"number": (lowest, [*key, "number"]), "all": (usable, key), "marked": (results.filter(signed), key)}
    told = [
        part.group_by(by, maintain_order=True)
        .agg(pl.col("n").sum())
        .select(
            pl.col(METHOD_KEY[:-1]).cast(pl.String),  # texts that a share keeps as categories are told as texts
            "detection_limit",
            *FACTOR,
            pl.lit(what).alias("what"),
            ("number" if "number" in by else pl.lit(None, pl.Float64).alias("number")),
            "n",
        )
        for what, (part, by) in parts.items()
    ]
    return pl.concat(told)


def add_counts(counts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the counts of a whole site from those of its shares, in the order of the shares."""
    key = [*METHOD_KEY, *FACTOR, "what", "number"]
    return pl.concat(counts).group_by(key, maintain_order=True).agg(pl.col("n").sum())


def find_heaps(
    counts: pl.DataFrame, registry: Registry, declared: SiteLimits, demands: Demands | None = None
) -> list[Heap]:
    """Return the heaps at the lower end of a site's results that may stand for "below the limit".

    Parameters
    ----------
    counts : DataFrame
        `add_counts` of the whole site.
    declared : mapping
        Limits of the site (detection_limits.declared_limits).

    Notes
    -----
    Only the lowest number of a method can be a fill, because a laboratory that reports a smaller number has measured
    below it. It is a heap if it is much more frequent than the next larger numbers: results thin out towards the
    limit, so the lowest number of an honest column is no more frequent than those above it.

    A heap at LOD/sqrt 2, LOD/2 or LOD (to the decimals of the number) of the limit that is valid for the method is a
    fill. It is not judged, but asked about, where the limit is not known; where the number is the limit of another
    assay or period of the analyte (the fill of NHANES 2017-18, 0.11, is the limit of 2015-16: only the comment code
    tells); and where the scale is so coarse that honest results at the limit may be what is heaped. A method with
    signs or comment codes has said which results are below the limit, and is left alone. It fails for a fill drawn
    at random below the limit, which does not heap and is caught as a number below the limit, and for fewer than
    `least_rows` fills.
    """
    heaps = []
    for method, part in methods(counts):
        lowest = None if "marked" in part["what"] else _lowest(part, demands or Demands())
        if lowest is not None:
            heap = _judged(method, *lowest, _other_limits(method, registry, declared))
            heaps.extend([heap] if heap else [])
    return heaps


def fill_table(heaps: Sequence[Heap]) -> pl.DataFrame:
    """Return the reported numbers that stand for "below the limit", by method, for `with_fills`."""
    rows = [
        (h.method.source_file, h.method.analyte, h.method.assay_id, h.method.unit_reported,
         h.method.detection_limit, h.number, True)
        for h in heaps
        if not h.doubt
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=FILL_SCHEMA, orient="row")


def with_fills(measurements: pl.DataFrame, fills: pl.DataFrame) -> pl.DataFrame:
    """Return measurements with `fill`, true where a number of `fill_table` stands without a sign.

    Parameters
    ----------
    measurements : DataFrame
        Columns of `detection_limits.with_limits`, operator and number; any share of the site.
    """
    if not fills.height:
        return measurements.with_columns(pl.lit(False).alias("fill"))
    key = [*METHOD_KEY, "number"]
    alike = fills.cast({name: measurements.schema[name] for name in key})
    joined = measurements.join(alike, on=key, how="left", maintain_order="left", nulls_equal=True)
    return joined.with_columns((pl.col("fill").fill_null(False) & (pl.col("operator") == "")).alias("fill"))


def methods(counts: pl.DataFrame) -> list[tuple[Method, pl.DataFrame]]:
    """Return the methods of a site with their counts, in order of appearance."""
    key = [*METHOD_KEY, *FACTOR]
    found = []
    for names, part in counts.group_by(key, maintain_order=True):
        told: dict[str, Any] = dict(zip(key, names, strict=True))
        factor = told.pop("numerator") / told.pop("denominator")
        found.append((Method(**told, factor=factor), part))
    return found


def fill_rule(number: float, limit: float) -> str | None:
    """Return by which of `METHODS` a number stands for a value below a limit, or None.

    Rounding is to the number's own decimals; of several rules it is the one that comes closest.
    """
    distance = {rule: abs(number - share * limit) for rule, share in METHODS.items() if rounds(share * limit, number)}
    return min(distance, key=lambda rule: distance[rule]) if distance else None


def rounds(exact: float, number: float) -> bool:
    """Return whether an exact value gives a number when it is rounded to the number's decimals."""
    return abs(number - exact) <= 0.5 * step_of(number) * (1 + 1e-9)


def step_of(number: float) -> float:
    """Return one unit of the last decimal of a number written as short as possible."""
    decimals = len(np.format_float_positional(number, trim="-").partition(".")[2])
    return float(10.0**-decimals)


def _lowest(part: pl.DataFrame, demands: Demands) -> tuple[float, int, bool] | None:
    """Return the lowest number, its rows and whether it outnumbers every neighbour; None if it is no heap."""
    numbers = part.filter(pl.col("what") == "number").sort("number")
    if numbers.height < 2:
        return None
    frequency = numbers["n"].to_numpy().astype(np.float64)
    n, near = float(frequency[0]), frequency[1 : 1 + demands.neighbours]
    total, expected = int(part.filter(pl.col("what") == "all")["n"].sum()), float(near.mean())
    enough = n >= max(demands.least_rows, demands.least_share * total)
    far_above = n - expected >= demands.standard_errors * math.sqrt(expected)
    if not (enough and far_above and n >= demands.times_neighbours * expected):
        return None
    return float(numbers["number"][0]), int(n), n >= demands.times_neighbours * float(near.max())


def _judged(method: Method, number: float, n: int, stands_out: bool, others: Collection[float]) -> Heap | None:
    coarse = step_of(number) > number / 2
    if method.limit is None:
        # On a coarse scale honest results heap too: without a limit only what cannot be honest is asked about.
        return Heap(method, number, n, None, "its limit is not known") if stands_out and not coarse else None
    rule = fill_rule(number, method.limit)
    if rule is None:
        return None  # below the limit it is censored as a number; above it nothing says that it is a fill
    below = number + 0.5 * step_of(number) <= method.limit * (1 + 1e-9)
    doubt = ""
    if any(math.isclose(other, number, rel_tol=1e-6) for other in others):
        doubt = "the number is also the limit of another assay or period"
    elif not below and (coarse or not stands_out):
        doubt = "on so coarse a scale, results at the limit may be honest"
    return Heap(method, number, n, rule, doubt, below)


def _other_limits(method: Method, registry: Registry, declared: SiteLimits) -> list[float]:
    """Return the other limits of the analyte that the registry or the site knows, in the unit of the source."""
    known = [assay_limits(registry, row["assay_id"]).low for row in registry.rows("assays")
             if row["analyte"] == method.analyte]  # fmt: skip
    known += [limit.low for (_, name), limits in declared.items() if name == method.analyte for limit in limits]
    own = method.detection_limit
    others = {low for low in known if low is not None and (own is None or not math.isclose(low, own, rel_tol=1e-9))}
    return [low / method.factor for low in sorted(others)]
