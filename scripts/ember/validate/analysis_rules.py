"""What an analysis set must satisfy, generated from its contract and the analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.tables.contract import contract
from ember.validate.gate_changes import with_changes
from ember.validate.gate_rule import KEY, GateRule
from ember.validate.gate_rules import contract_rules, rows_rule
from ember.validate.gate_tables import Checked, columns_of, rows_checked
from ember.validate.keys import People, key_numbers
from ember.validate.ledger import rules as ledger_rules
from ember.validate.site_rows import Load, SiteRows, compared_columns, slim
from ember.validate.tally import Judge, Tally, times_of

TABLE = "analysis_set"
REASONED = "_reasoned"
BOTH_ARMS = "_both_arms"
IN_SET = (("in_set", True),)


def analysis_rules(analysis: Mapping[str, Any], study: Study, registry: Registry) -> list[GateRule]:
    """Return the rules about the rows of an analysis set, in order."""
    name = f"analysis.{analysis['analysis']}"
    rules = list(contract_rules(contract(TABLE), study, registry, name))
    for column in _needed(analysis):
        title = f"A participant in the set has the {column}"
        rules.append(
            GateRule(
                f"{name}.{column}.in_set",
                TABLE,
                "present",
                column,
                "completeness",
                "error",
                title,
                column,
                where=IN_SET,
            )
        )
    reasons = tuple(rule for rule in ledger_rules() if rule.startswith("analysis."))
    rules.append(
        GateRule(
            f"{name}.reason.outside", TABLE, "true", REASONED, "conformance", "error",
            "A participant has a reason outside the set, and none in it", "reason",
        )
    )  # fmt: skip
    rules.append(
        GateRule(
            f"{name}.reason.known", TABLE, "one_of", "reason", "conformance", "error",
            "The reason is a rule of the ledger", "reason", allowed=reasons,
        )
    )  # fmt: skip
    return rules


def _needed(analysis: Mapping[str, Any]) -> Iterator[str]:
    """Yield the columns that every participant in the set must have."""
    if "exposure" in analysis:
        yield "exposure"
    if "outcome" in analysis:
        yield "outcome"
    if "treatment" in analysis:
        yield "treatment"


def arms_rule(analysis: Mapping[str, Any]) -> GateRule:
    """Return the rule that a site compares both arms; one that does not adds nothing to the contrast."""
    title = "The site has participants of both arms in the set"
    rule = f"analysis.{analysis['analysis']}.arms.both"
    return GateRule(rule, TABLE, "true", BOTH_ARMS, "completeness", "warning", title, "treatment", unit="site")


def analysis_counts(
    analysis: Mapping[str, Any], sites: Sequence[str], load: Load, study: Study, registry: Registry, judge: Judge
) -> Iterator[Checked]:
    """Yield the rules about one analysis set and their counts: how many rows, the rows, the arms of each site.

    Parameters
    ----------
    sites : sequence of str
        Sites that are analysed, in study order.
    load : callable
        Gives the rows of a site in the set of an analysis (see `ember.validate.site_rows.Load`).
    """
    name = f"analysis.{analysis['analysis']}"
    rules = with_changes(analysis_rules(analysis, study, registry), study)
    arms = with_changes([arms_rule(analysis)] if "treatment" in analysis else [], study)
    tally, of_arms = Tally(judge, rules), Tally(judge, arms)
    sizes: dict[str, int] = {}
    for site in sites:
        sizes[site], both = _add_site(analysis["analysis"], SiteRows(site, load, People()), tally)
        of_arms.add(site, pl.DataFrame({BOTH_ARMS: [both]}))
    yield rows_checked(sizes, with_changes([rows_rule(TABLE, name)], study), judge)
    if sites:
        yield rules, tally.settle_all()
        yield arms, of_arms.settle_all()


def _add_site(analysis: str, rows: SiteRows, tally: Tally) -> tuple[int, bool]:
    """Add a site's rows to the tally; return how many there are and whether both arms are in the set."""
    key = contract(TABLE).key
    columns = [name for name in columns_of(tally.rules) if name in contract(TABLE).by_name]
    keys, seen = [], pl.DataFrame()
    named = list(dict.fromkeys([*key, *columns, "in_set", "reason", "treatment"]))
    for part in rows.slices(analysis, named, {*key, *compared_columns(tally.rules)}):
        told = part.with_columns((pl.col("in_set") == pl.col("reason").is_null()).alias(REASONED))
        tally.add(rows.site, slim(told, tally.rules))
        keys.append(part.select(key))
        seen = pl.concat([seen, part.filter("in_set").select("treatment").unique()])
    whole = pl.concat(keys)
    tally.put(rows.site, (KEY,), times_of(key_numbers(whole, key)))
    return whole.height, {0, 1} <= set(seen["treatment"])
