"""Units that a header, a label, a dictionary or a unit column states, and what the values say to them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ember.draft.lexicon import Lexicon
from ember.draft.words import squeezed, words_of
from ember.registry.registry import Registry

BRACKETED = re.compile(r"[(\[{]([^()\[\]{}]{1,25})[)\]}]")
# A number or power before a unit belongs to it.
SCALED = re.compile(r"(^|[\s_.x×*^(])\d+$")
LEAST_VALUES = 20
# Decades between the typical value of the analyte and that of the column from which the unit is doubted.
DOUBTFUL_SHIFT = 0.75
LEAST_LETTERS = 3


@dataclass(frozen=True)
class UnitEvidence:
    """A unit as it stands in the file, its words, and where it was found."""

    unit: str
    words: tuple[str, ...]
    evidence: str


def stated_unit(text: str, place: str, known: Mapping[str, str]) -> UnitEvidence | None:
    """Return the unit that a header or label states.

    Parameters
    ----------
    place : str
        "header" or "label", for the evidence.
    known : mapping
        Spelling: unit, from `spellings`.
    """
    for candidate in _candidates(text):
        unit = known.get(candidate) or known.get(f"~{squeezed(candidate)}")
        if unit is not None:
            return UnitEvidence(unit, words_of(candidate), f"the {place} says '{candidate}'")
    return None


def _candidates(text: str) -> Iterator[str]:
    bracketed = [found.strip() for found in BRACKETED.findall(text)]
    if bracketed:
        # What stands in brackets is the unit as a whole or none: `(1000 cell/uL)` is not cell/uL.
        yield from bracketed
        return
    for mark in (",", ";", ":"):
        if mark in text:
            yield text.rsplit(mark, 1)[1].strip()
    for mark in ("_", " ", "."):
        parts = text.split(mark)
        for n in (1, 2, 3):
            if len(parts) > n and not SCALED.search(mark.join(parts[:-n])):
                yield mark.join(parts[-n:]).strip()
    in_words = re.search(r"\bin ([^\s,;()]{1,20})", text, re.IGNORECASE)
    if in_words:
        yield in_words[1]


def spellings(registry: Registry, lexicon: Lexicon, analyte: str | None) -> dict[str, str]:
    """Return the spellings of the units of an analyte, or of those that participants have (age, body mass index).

    A key that begins with ~ is a spelling of letters and digits alone, as headers write it (`pgml`).
    """
    if analyte is None:
        names = {name.text: name.target for name in lexicon.names["unit"]}
        return names | {f"~{name.joined}": name.target for name in lexicon.names["unit"] if name.joined}
    convertible = set(registry.units_of(analyte))
    known = {unit: unit for unit in convertible}
    known |= {alias: unit for alias, unit in registry.aliases.items() if unit in convertible}
    loose: dict[str, set[str]] = {}
    for spelling, unit in known.items():
        loose.setdefault(squeezed(spelling), set()).add(unit)
    # `MG/L` and `mg/L` are one spelling here; where two units share the letters, only the exact spelling counts.
    sure = {f"~{key}": next(iter(units)) for key, units in loose.items() if len(units) == 1 and _long(key)}
    return known | sure


def _long(key: str) -> bool:
    return len(key) >= LEAST_LETTERS and sum(mark.isalpha() for mark in key) >= LEAST_LETTERS


def shift(values: NDArray[np.float64], analyte: str, unit: str, registry: Registry) -> float | None:
    """Return by how many decades the typical value lies above that of the analyte, or None where nobody knows."""
    row = registry.row("analytes", analyte)
    known = registry.row("units", analyte, unit)
    positive = values[values > 0]
    if not row["reference_ln_mean"] or not known["numerator"] or positive.size < LEAST_VALUES:
        return None
    factor = int(known["numerator"]) / int(known["denominator"])
    typical = math.log(float(np.median(positive)) * factor)
    return (typical - float(row["reference_ln_mean"])) / math.log(10)


def fitting_units(values: NDArray[np.float64], analyte: str, registry: Registry) -> list[str]:
    """Return the units in which the values would be of the usual size, the best first."""
    shifts = {unit: shift(values, analyte, unit, registry) for unit in registry.units_of(analyte)}
    near = {unit: abs(by) for unit, by in shifts.items() if by is not None and abs(by) < DOUBTFUL_SHIFT}
    return sorted(near, key=lambda unit: near[unit])


def is_doubtful(values: NDArray[np.float64], analyte: str, unit: str, registry: Registry) -> bool:
    """Tell whether the size of the values contradicts a unit that has a fixed factor."""
    by = shift(values, analyte, unit, registry)
    return by is not None and abs(by) >= DOUBTFUL_SHIFT
