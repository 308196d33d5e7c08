"""Cross-check the plan of a verdict about types against the study and the registry."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ember.errors import EmberError
from ember.registry.check_scheme import ANALYTE, analytes_of, included
from ember.registry.known import unknown
from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.registry.yaml_file import YamlFile
from ember.tables.contract import contract

Content = dict[str, Any]


def verdict_findings(study: Study, plan: Content, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    """Yield everything in the plan of a verdict that leads nowhere or does not fit together."""
    analytes = [row["analyte"] for row in registry.rows("analytes")]
    for index, analyte in enumerate(plan["markers"]):
        place = ("markers", index)
        yield from unknown(analyte, analytes, ANALYTE, document, place)
        if analyte in analytes and not any(analyte in analytes_of(site) for site in included(study)):
            yield EmberError(f"No site of the analysis measures {analyte}.", where=document.place(place))
    visits = [visit.id for visit in study.visits]
    yield from unknown(plan["visit"], visits, "a visit of the study", document, ("visit",))
    if "comparison" in plan:
        columns = contract("participants").mapped
        keys = ("comparison", "column")
        yield from unknown(plan["comparison"]["column"], columns, "a column of participants", document, keys)
    yield from _threshold_findings(plan, registry, document)
    yield from _rule_findings(plan, document)


def _threshold_findings(plan: Content, registry: Registry, document: YamlFile) -> Iterator[EmberError]:
    acute, keys = plan["acute"], ("acute", "threshold")
    names = [row["threshold"] for row in registry.rows("thresholds")]
    yield from unknown(acute["threshold"], names, "a threshold of config/registry/thresholds.csv", document, keys)
    if acute["threshold"] not in names:
        return
    row = registry.row("thresholds", acute["threshold"])
    said = (plan["markers"][0], acute["operator"], float(acute["value"]))
    if (row["analyte"], row["operator"], float(row["value"])) != said:
        yield EmberError(
            f"The registry says that {acute['threshold']} is {row['analyte']} {row['operator']} {row['value']}.",
            where=document.place(("acute",)),
            fix="Say the same here; the first marker is the one that it is about.",
        )


def _rule_findings(plan: Content, document: YamlFile) -> Iterator[EmberError]:
    """Yield conditions without a source, thresholds that no p value can reach, and rules that cannot tell."""
    rates = plan["needs"]["base_rate"]
    if rates["least"] >= rates["greatest"]:
        yield EmberError("The least share is not below the greatest.", where=document.place(("needs", "base_rate")))
    for decision, conditions in plan["rule"].items():
        for index, condition in enumerate(conditions):
            keys = ("rule", decision, index)
            yield from unknown(condition["source"], plan["sources"], "a key of `sources:`", document, (*keys, "source"))
            least = 1 / (plan["samples"]["bootstrap"] + 1)
            if condition["witness"] == "p_value" and condition["operator"] == "<=" and condition["value"] < least:
                yield EmberError(
                    f"With {plan['samples']['bootstrap']} samples no p value is below {least:.3g}.",
                    where=document.place((*keys, "value")),
                    fix="Ask for more samples under `samples: bootstrap`.",
                )
        if decision == "type" and not any(condition["witness"] == "p_value" for condition in conditions):
            yield EmberError(
                "The rule calls a type without the likelihood ratio: one skewed component would do.",
                where=document.place(("rule", "type")),
                fix="Add a condition on `p_value`.",
            )
    if plan["needs"]["site_p_value"] < 1 / (plan["samples"]["sites"] + 1):
        yield EmberError("With so few samples no site can reach this p value.",
                         where=document.place(("needs", "site_p_value")))  # fmt: skip
