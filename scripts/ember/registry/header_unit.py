"""The unit that the name of a column states, in the forms that laboratories and statisticians write it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ember.registry.registry import Registry
from ember.registry.unit_spelling import folded

IN_BRACKETS = re.compile(r"[(\[]([^()\[\]]+)[)\]]")
MOST_PARTS = 3  # of a unit at the end of a name: "mg L -1"
SHORTEST = 3  # letters of a unit that stands without any mark: "mgl", not "gl"


@dataclass(frozen=True)
class UnitSpellings:
    """Units by their exact spellings, and by what is left of these without marks and capitals."""

    exact: Mapping[str, str]
    loose: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, registry: Registry) -> UnitSpellings:
        """Return the spellings that the registry knows."""
        exact = {row["from_unit"]: row["from_unit"] for row in registry.rows("units")} | registry.spellings
        loose: dict[str, frozenset[str]] = {}
        for spelling, unit in exact.items():
            # Only a unit of two parts is told apart from a word: "1" and "pg" stand in names for many things.
            if "/" in unit[1:]:
                key = _squeezed(spelling)
                loose[key] = loose.get(key, frozenset()) | {unit}
        return cls(exact, loose)

    def stated_by(self, name: str) -> str | None:
        """Return what `header_unit` returns."""
        for text in reversed(IN_BRACKETS.findall(name)):
            unit = self.exact.get(folded(text))
            if unit and ("/" in unit or unit == "%"):
                return unit
            unit = self._only(text)
            if unit:
                return unit
        for text in _ends(name):
            unit = self.exact.get(folded(text))
            if unit and "/" in unit:
                return unit
            unit = self._only(text) if len(text) >= SHORTEST else None
            if unit:
                return unit
        return None

    def _only(self, text: str) -> str | None:
        units = self.loose.get(_squeezed(text), frozenset())
        return next(iter(units)) if len(units) == 1 else None


def header_unit(name: str, registry: Registry) -> str | None:
    """Return the unit that a column's name states in UCUM, or None where it states none.

    Parameters
    ----------
    name : str
        Such as "CRP (mg/L)", "CRP [mg/dL]", "hsCRP mg/L", "crp_mg_l" or "IL6_pgml-1".

    Notes
    -----
    Only spellings of the registry count, in small or capital letters and with or without marks between their parts;
    one that could mean two units is none. This is a hint against a declaration, never a declaration.
    """
    return UnitSpellings.of(registry).stated_by(name)


def contradicts(header: str, declared: str, analyte: str, registry: Registry) -> bool:
    """Return whether the unit of a column's name is another than the declared one, and not its equal."""
    spelled = registry.ucum(declared, analyte)
    if spelled is None or spelled == header:
        return False
    return not registry.has("units", analyte, header) or _size(registry, analyte, header) != _size(
        registry, analyte, spelled
    )


def _size(registry: Registry, analyte: str, unit: str) -> tuple[str, ...]:
    row = registry.row("units", analyte, unit)
    return tuple(row[name] for name in ("to_unit", "numerator", "denominator", "needs"))


def _squeezed(text: str) -> str:
    plain = folded(text).lower()
    plain = re.sub(r"[\s_]per[\s_]", "/", plain)
    return re.sub(r"[\s_/.\u00b7,]|-1$", "", plain)


def _ends(name: str) -> Iterator[str]:
    """Yield the last parts of a name, the longest end first; a name that is nothing but a unit has no end."""
    starts = [match.end() for match in re.finditer(r"[\s_.,;:]+", name)]
    yield from (name[start:].strip() for start in starts[-MOST_PARTS:])
