"""What an analysis set must satisfy, generated from its contract and the analysis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import polars as pl

from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.tables.contract import contract
from ember.validate.gate_changes import with_changes
from ember.validate.gate_rule import KEY, SITE, GateRule
from ember.validate.gate_rules import contract_rules, rows_rule
from ember.validate.gate_tables import GateTable, columns_of, heights, key_numbers
from ember.validate.ledger import rules as ledger_rules

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


def analysis_tables(
    analysis: Mapping[str, Any], frame: pl.DataFrame, sites: list[str], study: Study, registry: Registry
) -> Iterator[GateTable]:
    """Yield what the gate checks of one analysis set: how many rows, the rows, the arms of each site.

    Parameters
    ----------
    frame : DataFrame
        Contract analysis_set.
    sites : list of str
        Sites that are analysed, in study order.
    """
    name = f"analysis.{analysis['analysis']}"
    by_site = frame.partition_by("site_id", as_dict=True, maintain_order=True)
    parts = {site: by_site.get((site,), frame.clear()) for site in sites}
    sizes = heights({site: part.height for site, part in parts.items()})
    yield GateTable("analysis", TABLE, sizes, tuple(with_changes([rows_rule(TABLE, name)], study)))
    rules = with_changes(analysis_rules(analysis, study, registry), study)
    whole = pl.concat(list(parts.values())) if parts else frame
    derived = whole.with_columns(
        pl.col("site_id").cast(pl.Categorical).alias(SITE),
        (pl.col("in_set") == pl.col("reason").is_null()).alias(REASONED),
        key_numbers(whole, contract(TABLE).key).alias(KEY),
    )
    yield GateTable("analysis", TABLE, derived.select(SITE, *columns_of(rules)), tuple(rules))
    if "treatment" in analysis:
        both = [_has_both(part) for part in parts.values()]
        arms = pl.DataFrame(
            {SITE: list(parts), BOTH_ARMS: both}, schema={SITE: pl.Categorical(), BOTH_ARMS: pl.Boolean()}
        )
        yield GateTable("analysis", TABLE, arms, tuple(with_changes([arms_rule(analysis)], study)))


def _has_both(part: pl.DataFrame) -> bool:
    arms = part.filter("in_set")["treatment"]
    return bool((arms == 1).any()) and bool((arms == 0).any())
