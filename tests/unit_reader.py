"""An independent reading of the units that laboratories write, by rules instead of a table.

It says what a spelling can mean, as sizes and dimensions of `tests/ucum.py`, and knows nothing of config/registry. It
reads more than the registry accepts (a refusal is never wrong) and is strict where a slip costs a factor: a capital
prefix is mega, giga or peta unless the whole spelling is in capitals, and letters of other alphabets are no letters.
"""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

from tests.ucum import Quantity, ucum

RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True))
PREFIXES = {
    "": 0, "d": -1, "c": -2, "m": -3, "u": -6, "mc": -6, "n": -9, "p": -12, "f": -15, "k": 3, "M": 6, "G": 9, "T": 12,
    "P": 15,
}  # fmt: skip
SUBSTANCES = {
    "g": ("g",), "gm": ("g",), "mol": ("mol",), "Mol": ("mol",), "eq": ("eq",), "Eq": ("eq",), "kat": ("kat",),
    "[IU]": ("[iU]",), "[iU]": ("[iU]",),
    # An enzyme's unit was an international unit once, and a hormone's is often written as a plain one.
    "IU": ("[iU]", "U"), "UI": ("[iU]", "U"), "U": ("U", "[iU]"), "iu": ("[iU]", "U"), "u": ("U", "[iU]"),
}  # fmt: skip
NUMBERS = {
    "": 0, "1": 0, "#": 0, "cell": 0, "cells": 0, "k": 3, "th": 3, "thou": 3, "thous": 3, "thousand": 3, "tsd": 3,
    "1000": 3, "1000 cells": 3, "lac": 5, "lakh": 5, "lakhs": 5, "mil": 6, "mill": 6, "million": 6, "millions": 6,
    "mpt": 6, "gi": 9, "giga": 9, "gpt": 9, "ti": 12,
}  # fmt: skip
CUBES = {"mm3", "mm^3", "cumm", "cu mm", "cmm", "mmc"}
ALONE = {
    "%": "%", "percent": "%", "pct": "%", "ratio": "1", "{ratio}": "1", "fraction": "1", "fl": "fL", "pg": "pg",
    "pg/cell": "pg", "fmol": "fmol", "fmol(fe)": "fmol", "fmol/cell": "fmol", "um3": "um3", "um^3": "um3",
    "cu um": "um3", "l/l": "L/L",
}  # fmt: skip
WORDS = {
    " per ": "/", "millilit(er|re)s?": "mL", "decilit(er|re)s?": "dL", "lit(er|re)s?": "L", "milligrams?": "mg",
    "micrograms?": "ug", "nanograms?": "ng", "picograms?": "pg", "grams?": "g",
}  # fmt: skip
POWER = re.compile(r"(?:[xX] ?)?10(?:\*\*|[*^eE]|\()([0-9]{1,2})\)?")
HOURS = re.compile(r"(?i:mm)(?:/| in | )(?:1 ?)?(?i:h|hr|hour)(-1)?")


def meanings(spelling: str) -> list[Quantity]:
    """Return what a spelling can mean; nothing for what no laboratory would write."""
    text = _plain(spelling)
    if not text or not text.isascii():
        return []
    capitals = text.upper() == text
    # In capitals a letter is no prefix or unit of physics: MG/L is not the megagauss that UCUM would read.
    physics = capitals and re.match("[A-Z]", text) and text != "U/L"
    found = [ucum().quantity(text)] if ucum().is_valid(text) and not physics else []
    if HOURS.fullmatch(text):
        found.append(ucum().quantity("mm/h"))
    if text.lower() in ALONE and (text.lower() != "pg" or text in ("pg", "PG")):
        found.append(ucum().quantity(ALONE[text.lower()]))
    top, volume = _split(text)
    if volume is not None:
        found += [one.times(volume, -1) for one in _tops(top, capitals)]
    return found


def _plain(spelling: str) -> str:
    text = re.sub("([⁺⁻]?)([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", _lowered, spelling)
    text = unicodedata.normalize("NFKC", re.sub("[\u200b\ufeff\u00ad]", "", text))
    text = re.sub("[\u00d7\u2715\u2a09]", "x", text.replace("\u03bc", "u"))
    text = re.sub("[\u00b7\u22c5\u2219\u30fb]", ".", text)
    text = re.sub("[\u2044\u2215]", "/", text)
    text = re.sub("[\u2010-\u2013\u2212]", "-", text)
    text = re.sub(r"\s+", " ", text).strip()
    for word, sign in WORDS.items():
        text = re.sub(word, sign, text)
    return re.sub(r" ?([/^]) ?", r"\1", text).replace("^-", "-")


def _lowered(found: re.Match[str]) -> str:
    digits = "".join(RAISED[digit] for digit in found[2])
    return ("-" if found[1] == "⁻" else "^") + digits


def _split(text: str) -> tuple[str, Quantity | None]:
    inverse = re.fullmatch(r"(.+?)[ .*]([munpdc]*[lL])-1", text)
    top, bottom = (inverse[1], inverse[2]) if inverse else text.rpartition("/")[::2]
    if not inverse and "/" not in text:
        return text, None
    if bottom.lower() in CUBES:
        return top, ucum().quantity("mm3")
    if re.fullmatch(r"100 ?m[lL]", bottom):
        return top, ucum().quantity("dL")
    volume = re.fullmatch(r"(mc|[dmunp]?)[lL]", bottom) or re.fullmatch(r"([DMUN]?|MC)L", bottom)
    if volume is None:
        return top, None
    prefix = volume[1].lower().replace("mc", "u")
    return top, ucum().quantity(f"{prefix}L")


def _tops(top: str, capitals: bool) -> list[Quantity]:
    power = POWER.fullmatch(top)
    if power:
        return [Quantity(Fraction(10) ** int(power[1]))]
    found = []
    if top.lower() in NUMBERS:
        found.append(Quantity(Fraction(10) ** NUMBERS[top.lower()]))
    if top == "M":
        found.append(Quantity(Fraction(10) ** 6))
    if top.lower() in ("unit", "units"):
        found.append(ucum().quantity("U"))
    for written in {top, top.lower().replace("iu", "IU").replace("ui", "UI")} if capitals else {top}:
        for prefix, exponent in PREFIXES.items():
            for name in SUBSTANCES.get(written.removeprefix(prefix), ()) if written.startswith(prefix) else ():
                found.append(Quantity(Fraction(10) ** exponent).times(ucum().quantity(name)))
    return found
