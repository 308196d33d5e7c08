"""The scoring rule of an instrument as the registry states it."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from ember.errors import EmberError
from ember.registry.registry import Registry, Row

ITEM_RULES = ("item.missing_code", "item.no_points", "item.outside_range")

# Which rule for missing items makes sense for which scoring; a pair outside this table has no defined score.
COMBINATIONS = {
    ("sum", "all_required"),
    ("sum", "prorate"),
    ("qids_domains", "all_required"),
    ("mean_domains", "all_required"),
    ("mean_domains", "domain_mean"),
    ("given", "all_required"),
}


@dataclass(frozen=True)
class InstrumentRule:
    """How an instrument is scored.

    `required_parts` counts the scored items, or the domains where the highest item of each counts;
    `may_miss` says how many of them may be absent.
    """

    instrument: str
    construct: str
    total_low: float
    total_high: float
    by_domain: bool
    stretched: bool
    required_parts: int
    may_miss: int

    @property
    def range_in_words(self) -> str:
        return f"{self.instrument}: a total from {self.total_low:g} to {self.total_high:g}"

    @property
    def missing_in_words(self) -> str:
        parts = "domains" if self.by_domain else "items"
        if self.may_miss:
            return f"{self.instrument}: at most {self.may_miss} of {self.required_parts} {parts} missing"
        return f"{self.instrument}: all {self.required_parts} {parts} answered"


def instrument_rules(registry: Registry, instrument: str) -> InstrumentRule:
    """Return the scoring rule of an instrument.

    Raises
    ------
    EmberError
        The instrument has no row, or its scoring and its rule for missing items do not go together.
    """
    row = registry.row("instruments", instrument)
    scoring, missing = row["scoring"], row["missing_rule"]
    if (scoring, missing) not in COMBINATIONS:
        raise EmberError(
            f"The instrument '{instrument}' has the scoring '{scoring}' with the missing rule '{missing}'.",
            where="config/registry/instruments.csv",
            allowed=[f"{one} with {other}" for one, other in sorted(COMBINATIONS)],
        )
    scored = [item for item in _items(registry, instrument) if item["scored"] == "true"]
    by_domain = scoring == "qids_domains"
    return InstrumentRule(
        instrument=instrument,
        construct=row["construct"],
        total_low=float(row["total_low"]),
        total_high=float(row["total_high"]),
        by_domain=by_domain,
        stretched=scoring == "mean_domains",
        required_parts=len({item["domain"] for item in scored}) if by_domain else len(scored),
        may_miss=0 if missing == "all_required" else int(row["max_missing"]),
    )


def item_table(registry: Registry, instruments: list[str]) -> pl.DataFrame:
    """Return the items of the instruments: range, codes that are no points, and whether and how they count."""
    rows = [
        (
            item["instrument"],
            int(item["item"]),
            float(item["item_low"]),
            float(item["item_high"]),
            item["scored"] == "true",
            item["reverse"] == "true",
            item["domain"],
            _codes(item["not_points"]),
            _codes(item["missing_codes"]),
        )
        for instrument in instruments
        for item in _items(registry, instrument)
    ]
    schema = {
        "instrument": pl.String(),
        "item": pl.Int16(),
        "item_low": pl.Float64(),
        "item_high": pl.Float64(),
        "scored": pl.Boolean(),
        "reverse": pl.Boolean(),
        "domain": pl.String(),
        "not_points": pl.List(pl.Float64()),
        "missing_codes": pl.List(pl.Float64()),
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _items(registry: Registry, instrument: str) -> list[Row]:
    return [row for row in registry.rows("instrument_items") if row["instrument"] == instrument]


def _codes(text: str) -> list[float]:
    return [float(code) for code in text.split(";") if code]
