"""Typography of units: signs that look different and are the same become one before a spelling is looked up."""

from __future__ import annotations

import re
from functools import cache

SUPERSCRIPTS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True))
FULL_WIDTH = {chr(code + 0xFEE0): chr(code) for code in range(0x21, 0x7F)}
SQUARED = {
    "㎍": "ug", "㎎": "mg", "㎕": "uL", "㎖": "mL", "㎗": "dL", "㎣": "mm^3", "㎛": "um",
}  # fmt: skip
"""Whole units in one sign, as Japanese, Korean and Chinese files have them."""
SIGNS = {
    **FULL_WIDTH,
    **SQUARED,
    **dict.fromkeys("\u00b5\u03bc", "u"),
    **dict.fromkeys("\u00a0\u2002\u2003\u2007\u2008\u2009\u200a\u202f\u3000\t", " "),
    **dict.fromkeys("\u00d7\u2715\u2a09", "x"),
    **dict.fromkeys("\u00b7\u22c5\u2219\u30fb", "."),
    **dict.fromkeys("\u2044\u2215", "/"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2212", "-"),
    **dict.fromkeys("\u200b\ufeff\u00ad", ""),
    "\u2113": "l",
    "\u212a": "K",
}
TABLE = str.maketrans(SIGNS)
SPACED = re.compile(r"[\s\x00-\x1f]|\^-")
RAISED = re.compile(f"([⁺⁻]?)([{''.join(SUPERSCRIPTS)}]+)")


@cache
def folded(spelling: str) -> str:
    """Return a spelling of a unit with plain signs: no micro sign, full width, superscript or stray blank.

    Notes
    -----
    Only the look is changed, never the meaning: letters keep their case (mg is no Mg), a raised digit becomes `^9`
    or, with its sign, `-1`, and no blank between two letters goes. What a folded spelling means, or that it means
    nothing, is said by the tables `units.csv` and `unit_aliases.csv`.
    """
    if spelling.isascii() and not SPACED.search(spelling):
        return spelling
    plain = RAISED.sub(_exponent, spelling).translate(TABLE)
    plain = re.sub(r"\s*([/^])\s*", r"\1", plain)
    return re.sub(r"\s+", " ", plain.replace("^-", "-")).strip()


def _exponent(found: re.Match[str]) -> str:
    digits = "".join(SUPERSCRIPTS[digit] for digit in found[2])
    return f"-{digits}" if found[1] == "⁻" else f"^{digits}"
