"""What every part of a draft looks things up in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ember.draft.lexicon import Lexicon, lexicon_of
from ember.draft.units import spellings
from ember.registry.registry import Registry


@dataclass(frozen=True)
class Tools:
    """The registry, its names ready for comparison, and the spellings of units by analyte.

    The spellings under None are those of units that participants have (age, body mass index).
    """

    registry: Registry
    lexicon: Lexicon
    spellings: Mapping[str | None, Mapping[str, str]]


def tools_of(registry: Registry) -> Tools:
    """Return what a draft needs of a registry."""
    lexicon = lexicon_of(registry)
    analytes = [None, *(row["analyte"] for row in registry.rows("analytes"))]
    return Tools(registry, lexicon, {analyte: spellings(registry, lexicon, analyte) for analyte in analytes})
