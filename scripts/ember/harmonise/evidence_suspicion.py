"""A group of values whose size points to another unit than the declared one, and which rows it means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import log10

import polars as pl

# Decades by which prefixes go wrong whatever the units of the analyte: a slipped decimal point, m for u, m for n.
USUAL_DECADES = (1.0, 3.0, 6.0)

WHOLE_SITE = "all"
AMONG_SITES = "sites"
MIXED = {1: "mixed_high", -1: "mixed_low"}
PREFIX = {"batch": "", "source_file": "file_", "from_unit": "unit_", "period": "period_", "visit": "visit_"}


@dataclass(frozen=True)
class Suspicion:
    """A group of values whose size contradicts the declared unit.

    Parameters
    ----------
    analyte : str
    group, value : str, optional
        Column and value that tell the rows of the group; both None where all values of the analyte are meant.
    label : str
        Last part of the finding's id.
    exponent : float
        The values lie about 10**exponent times too high.
    declared_unit : str
        The unit under which most of them are reported.
    n, n_others : int
        Values in the group, and those that it is held against (None: a reference, not values of this site).
    severity : str
        "error" or "warning": a warning is the grey zone and does not stop the study.
    against : str
        "others", "reference", "itself" or "sites".
    above, below : float, optional
        Of a mixed column only the values above (below) this canonical value are meant.
    """

    analyte: str
    group: str | None
    value: str | None
    label: str
    exponent: float
    declared_unit: str
    n: int
    n_others: int | None
    severity: str = "error"
    against: str = "others"
    above: float | None = None
    below: float | None = None

    def finding(self, site: str) -> str:
        """Return the id of the finding."""
        return f"unit:{site}:{self.analyte}:{self.label}"

    def rows(self, value: pl.Expr) -> pl.Expr:
        """Return which rows of the measurements are meant, never null; `value` is the number that was judged."""
        return _covered(self, value)

    def counts(self) -> pl.Expr:
        """Return which lines of the counts (`count_values`) are meant; a mixed column means whole lines of none."""
        return pl.lit(False) if self.against == "itself" else _covered(self, pl.lit(0.0))


def _covered(suspicion: Suspicion, value: pl.Expr) -> pl.Expr:
    named = pl.col("analyte") == suspicion.analyte
    if suspicion.group is not None:
        named = named & (pl.col(suspicion.group) == suspicion.value)
    if suspicion.above is not None:
        named = named & (value > suspicion.above)
    if suspicion.below is not None:
        named = named & (value < suspicion.below)
    return named.fill_null(False)


def possible_exponents(factors: Mapping[str, Fraction], least: float) -> list[float]:
    """Return the shifts in decades, of at least `least`, that a mix-up of two units of an analyte can make."""
    ratios = {one / other for one in factors.values() for other in factors.values() if one != other}
    usual = {sign * decades for decades in USUAL_DECADES for sign in (-1, 1)}
    found = {round(log10(ratio), 9) for ratio in ratios} | usual
    return sorted(exponent for exponent in found if abs(exponent) >= least)


def group_labels(group: str, values: Iterable[str], taken: set[str]) -> dict[str, str]:
    """Return a label of letters, digits, "_", "." and "-" for each value, as an answer in study.yaml may name it.

    Labels that would fall together are numbered in the order of the values; `taken` grows.
    """
    labels: dict[str, str] = {}
    for value in values:
        plain = PREFIX[group] + (re.sub(r"[^A-Za-z0-9_.-]", "_", value) or "_")
        label, number = plain, 2
        while label in taken:
            label, number = f"{plain}_{number}", number + 1
        labels[value] = label
        taken.add(label)
    return labels


def reserved_labels() -> set[str]:
    """Return the labels that no batch may have."""
    return {WHOLE_SITE, AMONG_SITES, *MIXED.values()}


def usual_unit(counts: pl.DataFrame) -> str:
    """Return the unit under which most values of some counts are reported."""
    totals = counts.group_by("from_unit").agg(pl.col("n").sum()).sort(["n", "from_unit"], descending=[True, False])
    return str(totals["from_unit"][0])
