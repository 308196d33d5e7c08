"""An independent reading of UCUM for tests: exact, from the table of UCUM itself, and stricter than its parsers.

Three rules of UCUM hide mistakes in results of laboratories, so they are off unless `lenient`: a mole is a number there
(mmol/L would be a count), every arbitrary unit is the number one (an international unit would be a count too), and what
stands in braces is dropped (ng/mL{FEU} would be ng/mL{DDU}). Here each of them is a dimension of its own.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from pathlib import Path

import ucumvert

ESSENCE = Path(ucumvert.__file__).parent / "vendor" / "ucum-essence.xml"
SPACE = "{http://unitsofmeasure.org/ucum-essence}"
ANNOTATION = re.compile(r"\{[\x21-\x7a\x7c\x7e]*?\}")
EXPONENT = re.compile(r"[+-]?[0-9]+")
TOKEN = re.compile(r"\[[!-Z\\^-z|~]*\]|[^./(){}\[\]+\-0-9]", re.DOTALL)


class NotUcumError(ValueError):
    """The text is no UCUM code, or its size is no plain factor."""


@dataclass(frozen=True)
class Quantity:
    """A size and the exponents of its dimensions."""

    size: Fraction
    powers: frozenset[tuple[str, int]] = frozenset()
    special: bool = False

    def times(self, other: Quantity, sign: int = 1) -> Quantity:
        if other.size == 0 and sign < 0:
            raise NotUcumError("a division by zero")
        powers = Counter(dict(self.powers))
        for name, power in other.powers:
            powers[name] += sign * power
        size = self.size * other.size**sign
        return Quantity(size, frozenset((n, p) for n, p in powers.items() if p), self.special or other.special)

    def raised(self, power: int) -> Quantity:
        if self.size == 0 and power < 0:
            raise NotUcumError("a division by zero")
        powers = frozenset((name, one * power) for name, one in self.powers if one * power)
        return Quantity(self.size**power, powers, self.special)


@dataclass
class Ucum:
    """The units of one edition of UCUM."""

    prefixes: dict[str, Fraction]
    entries: dict[str, ET.Element]
    bases: set[str]
    lenient: bool = False
    known: dict[str, Quantity] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path = ESSENCE, lenient: bool = False) -> Ucum:
        root = ET.parse(path).getroot()
        prefixes = {
            entry.attrib["Code"]: Fraction(entry.find(f"{SPACE}value").attrib["value"])  # type: ignore[union-attr]
            for entry in root.iter(f"{SPACE}prefix")
        }
        entries = {entry.attrib["Code"]: entry for entry in root.iter(f"{SPACE}unit")}
        return cls(prefixes, entries, {entry.attrib["Code"] for entry in root.iter(f"{SPACE}base-unit")}, lenient)

    def quantity(self, code: str) -> Quantity:
        """Return what a code stands for.

        Raises
        ------
        NotUcumError
            The text is no UCUM code.
        """
        if not code:
            return Quantity(Fraction(1))
        found, end = self._term(code, 0)
        if end != len(code):
            raise NotUcumError(code)
        return found

    def ratio(self, source: str, target: str) -> Fraction:
        """Return what 1 of the source is in the target.

        Raises
        ------
        NotUcumError
            They are not of one kind, or one of them is no plain factor.
        """
        one, other = self.quantity(source), self.quantity(target)
        if one.powers != other.powers or one.special or other.special:
            raise NotUcumError(f"{source} to {target}")
        return one.size / other.size

    def is_valid(self, code: str) -> bool:
        try:
            self.quantity(code)
        except NotUcumError:
            return False
        return True

    def _term(self, code: str, at: int) -> tuple[Quantity, int]:
        found, sign = Quantity(Fraction(1)), 1
        if code[at : at + 1] == "/":
            sign, at = -1, at + 1
        while True:
            part, at = self._component(code, at)
            found = found.times(part, sign)
            if code[at : at + 1] not in (".", "/"):
                return found, at
            sign, at = (1 if code[at] == "." else -1), at + 1

    def _component(self, code: str, at: int) -> tuple[Quantity, int]:
        if code[at : at + 1] == "(":
            found, at = self._term(code, at + 1)
            if code[at : at + 1] != ")":
                raise NotUcumError(code)
            return found, at + 1
        note = ANNOTATION.match(code, at)
        if note:
            return self._noted(Quantity(Fraction(1)), note[0]), note.end()
        found, at = self._simple(code, at)
        note = ANNOTATION.match(code, at)
        return (self._noted(found, note[0]), note.end()) if note else (found, at)

    def _noted(self, found: Quantity, note: str) -> Quantity:
        return found if self.lenient else found.times(Quantity(Fraction(1), frozenset({(note, 1)})))

    def _simple(self, code: str, at: int) -> tuple[Quantity, int]:
        digits = re.compile("[0-9]+").match(code, at)
        if digits and code[digits.end() : digits.end() + 1] not in ("*", "^"):
            return Quantity(Fraction(digits[0])), digits.end()
        end = digits.end() + 1 if digits else at  # 10* and 10^ are names
        while not digits and (token := TOKEN.match(code, end)):
            end = token.end()
        atom = self._atom(code[at:end])
        power = EXPONENT.match(code, end)
        if power:
            return atom.raised(int(power[0])), power.end()
        return atom, end

    def _atom(self, text: str) -> Quantity:
        if text in self.known:
            return self.known[text]
        for cut in range(0, 3):
            prefix, name = text[:cut], text[cut:]
            if cut and prefix not in self.prefixes:
                continue
            if name in self.bases or name in self.entries:
                metric = name in self.bases or self.entries[name].attrib["isMetric"] == "yes"
                if cut and not metric:
                    continue
                size = Quantity(self.prefixes[prefix]) if cut else Quantity(Fraction(1))
                self.known[text] = size.times(self._defined(name))
                return self.known[text]
        raise NotUcumError(text)

    def _defined(self, name: str) -> Quantity:
        if name in self.bases or (not self.lenient and (name == "mol" or self._arbitrary(name))):
            return Quantity(Fraction(1), frozenset({(name, 1)}))
        value = self.entries[name].find(f"{SPACE}value")
        assert value is not None
        if self.entries[name].get("isSpecial") == "yes":
            return Quantity(Fraction(1), frozenset({(name, 1)}), special=True)
        if not self.lenient and name == "[IU]":
            return self._defined("[iU]")
        return Quantity(Fraction(value.attrib["value"])).times(self.quantity(value.attrib["Unit"]))

    def _arbitrary(self, name: str) -> bool:
        return self.entries[name].get("isArbitrary") == "yes" and name != "[IU]"


@cache
def ucum(lenient: bool = False) -> Ucum:
    """Return the edition of UCUM that the maintained parser ships."""
    return Ucum.read(lenient=lenient)
