"""The scoring rule of an instrument as the registry states it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import polars as pl

from ember.errors import EmberError
from ember.registry.questionnaires import subscales
from ember.registry.registry import Registry, Row

ITEM_RULES = ("item.missing_code", "item.no_points", "item.outside_range")

# Which rule for missing items makes sense for which scoring; a pair outside this table has no defined score.
COMBINATIONS = {
    ("sum", "all_required"),
    ("sum", "prorate"),
    ("qids_domains", "all_required"),
    ("mean_domains", "all_required"),
    ("mean_domains", "domain_mean"),
    ("raw_table", "all_required"),
    ("subscales", "discard_assessment"),
    ("given", "all_required"),
}


@dataclass(frozen=True)
class InstrumentRule:
    """How an instrument is scored.

    Attributes
    ----------
    parent : str
        The questionnaire whose items the instrument is scored from, when the site maps that; empty where none.
    total_low, total_high : float or None
        The range of the score; None where the questionnaire has only subscales.
    missing_totals : tuple of float
        Totals that say that there is no information.
    required_parts : int
        The scored items, or the domains where the highest item of each counts.
    may_miss : int
        How many of the required parts may be absent.
    """

    instrument: str
    construct: str
    parent: str
    scoring: str
    total_low: float | None
    total_high: float | None
    missing_totals: tuple[float, ...]
    required_parts: int
    may_miss: int

    @property
    def by_domain(self) -> bool:
        return self.scoring == "qids_domains"

    @property
    def stretched(self) -> bool:
        return self.scoring == "mean_domains"

    @property
    def has_score(self) -> bool:
        return self.scoring != "subscales"

    @property
    def range_in_words(self) -> str:
        if self.total_low is None or self.total_high is None:
            return f"{self.instrument}: no total, only subscales"
        return f"{self.instrument}: a total from {self.total_low:g} to {self.total_high:g}"

    @property
    def missing_in_words(self) -> str:
        parts = "domains" if self.by_domain else "items"
        if self.may_miss:
            return f"{self.instrument}: at most {self.may_miss} of {self.required_parts} {parts} missing"
        return f"{self.instrument}: all {self.required_parts} {parts} answered"


def scoring_rules(registry: Registry, mapped: Iterable[str]) -> dict[str, InstrumentRule]:
    """Return the rules of mapped instruments and of the subscales scored from their items, by name."""
    names = [name for one in mapped for name in (one, *subscales(registry, one))]
    return {name: instrument_rules(registry, name) for name in dict.fromkeys(names)}


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
    parts = {_part(item) for item in scored} if scoring == "qids_domains" else scored
    return InstrumentRule(
        instrument=instrument,
        construct=row["construct"],
        parent=row["parent"],
        scoring=scoring,
        total_low=float(row["total_low"]) if row["total_low"] else None,
        total_high=float(row["total_high"]) if row["total_high"] else None,
        missing_totals=_codes(row["missing_totals"]),
        required_parts=len(parts),
        may_miss=0 if missing == "all_required" else int(row["max_missing"]),
    )


def rule_table(rules: Mapping[str, InstrumentRule]) -> pl.DataFrame:
    """Return the rules as a table with `code`, the place of the instrument in `rules`."""
    places = {name: code for code, name in enumerate(rules)}
    rows = [
        (
            places[name], places.get(rule.parent, -1), rule.scoring, rule.required_parts, rule.may_miss,
            rule.stretched, rule.total_low, rule.total_high,
        )
        for name, rule in rules.items()
    ]  # fmt: skip
    types = (pl.Int64(), pl.Int64(), pl.String(), pl.Int64(), pl.Int64(), pl.Boolean(), pl.Float64(), pl.Float64())
    names = ("code", "parent", "scoring", "required_parts", "may_miss", "stretched", "total_low", "total_high")
    return pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")


def item_table(registry: Registry, rules: Mapping[str, InstrumentRule]) -> pl.DataFrame:
    """Return the items of instruments: range, part, and whether and how they count; `code` as in `rule_table`."""
    rows = [
        (
            code, int(item["item"]), float(item["item_low"]), float(item["item_high"]),
            item["scored"] == "true", item["reverse"] == "true", _part(item),
        )
        for code, instrument in enumerate(rules)
        for item in _items(registry, instrument)
    ]  # fmt: skip
    types = (pl.Int64(), pl.Int16(), pl.Float64(), pl.Float64(), pl.Boolean(), pl.Boolean(), pl.String())
    names = ("code", "item", "item_low", "item_high", "scored", "reverse", "part")
    table = pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")
    return table.with_columns(pl.col("part").rank("dense").cast(pl.Int64))


def code_table(registry: Registry, rules: Mapping[str, InstrumentRule]) -> pl.DataFrame:
    """Return the codes that are no points: `code` of the instrument, item, `value` and the rule they fall under."""
    rows = [
        (code, int(item["item"]), value, rule_id)
        for code, instrument in enumerate(rules)
        for item in _items(registry, instrument)
        for column, rule_id in (("missing_codes", "item.missing_code"), ("not_points", "item.no_points"))
        for value in _codes(item[column])
    ]
    schema = {"code": pl.Int64(), "item": pl.Int16(), "value": pl.Float64(), "verdict": pl.String()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def raw_table(registry: Registry, rules: Mapping[str, InstrumentRule]) -> pl.DataFrame:
    """Return the scores that stand for raw sums: `code` of the instrument, `points` and `table_score`.

    Raises
    ------
    EmberError
        An instrument that is scored by such a table lacks a raw sum, so that its score cannot be told.
    """
    rows = []
    for code, (instrument, rule) in enumerate(rules.items()):
        if rule.scoring != "raw_table":
            continue
        items = [item for item in _items(registry, instrument) if item["scored"] == "true"]
        found = {int(r["raw"]): float(r["score"]) for r in registry.rows("raw_scores") if r["instrument"] == instrument}
        wanted = range(sum(int(i["item_low"]) for i in items), sum(int(i["item_high"]) for i in items) + 1)
        if set(found) != set(wanted):
            raise EmberError(
                f"The table of raw sums of {instrument} must hold each of {wanted.start} to {wanted.stop - 1} once.",
                where="config/registry/raw_scores.csv",
            )
        rows += [(code, raw, score) for raw, score in found.items()]
    schema = {"code": pl.Int64(), "points": pl.Int64(), "table_score": pl.Float64()}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _items(registry: Registry, instrument: str) -> list[Row]:
    return [row for row in registry.rows("instrument_items") if row["instrument"] == instrument]


def _part(item: Row) -> str:
    """Return the domain of an item; an item without one stands for itself."""
    return item["domain"] or f"item {item['item']}"


def _codes(text: str) -> tuple[float, ...]:
    return tuple(float(code) for code in text.split(";") if code)
