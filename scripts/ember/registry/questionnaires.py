"""Which scores a mapped questionnaire makes, and in which order outcomes are listed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ember.registry.model import Site
from ember.registry.registry import Registry


def subscales(registry: Registry, instrument: str) -> list[str]:
    """Return the instruments that are scored from the items of a questionnaire, in the registry's order."""
    return [row["instrument"] for row in registry.rows("instruments") if row["parent"] == instrument]


def scores_of(site: Site, registry: Registry) -> list[str]:
    """Return the instruments of which a site can have a score, in the framework's order.

    Mapped items of a questionnaire make its subscales too; a declared link makes scores of another instrument.
    A questionnaire that has no score of its own (`subscales`) is left out.
    """
    made: set[str] = set()
    for table in site.tables:
        for name, mapping in table.instruments.items():
            made.add(name)
            made.update(subscales(registry, name) if mapping.items else ())
            for link in mapping.linked:
                if registry.has("crosswalks", link.crosswalk):
                    made.add(registry.row("crosswalks", link.crosswalk)["to_instrument"])
    rows = in_framework_order(registry)
    return [row["instrument"] for row in rows if row["instrument"] in made and row["scoring"] != "subscales"]


def rows_behind(registry: Registry, mapped: Iterable[str]) -> set[str]:
    """Return mapped instruments and everything that their scores depend on: subscales and targets of crosswalks."""
    names = set(mapped)
    names |= {child for name in names for child in subscales(registry, name)}
    return names | {row["to_instrument"] for row in registry.rows("crosswalks") if row["from_instrument"] in names}


def construct_order(registry: Registry) -> dict[str, int]:
    """Return the place of each construct: functioning, quality of life, cognition, then symptoms."""
    return {row["construct"]: place for place, row in enumerate(registry.rows("constructs"))}


def in_framework_order(registry: Registry) -> list[dict[str, str]]:
    """Return the rows of the instruments in the framework's order of outcomes."""
    order = construct_order(registry)
    return sorted(registry.rows("instruments"), key=lambda row: order.get(row["construct"], len(order)))


def analyses_in_order(analyses: Mapping[str, dict[str, Any]], registry: Registry) -> list[str]:
    """Return the ids of analyses by the construct of their outcome; those without one come last, in their own order."""
    order = construct_order(registry)
    constructs = {name: (content.get("outcome") or {}).get("construct", "") for name, content in analyses.items()}
    return sorted(analyses, key=lambda name: order.get(constructs[name], len(order)))
