"""LOINC codes: the form, the check digit, and what the registry knows of a code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ember.registry.registry import Registry

FORM = re.compile(r"([0-9]{3,7})-([0-9])")
"""Shorter codes exist and are none of a blood test; a code of one or two digits is more likely one of the house."""


@dataclass(frozen=True)
class KnownCode:
    """What a code means: `analyte` of the registry, empty for a test that it does not have, and its name."""

    analyte: str
    name: str
    property: str


def looks_like_loinc(text: str) -> bool:
    """Return whether a code of a file has the form of a LOINC code."""
    return FORM.fullmatch(text) is not None


def check_digit(number: str) -> int:
    """Return the check digit of the part of a LOINC code before the hyphen.

    Notes
    -----
    Mod 10 (Luhn) as in the LOINC Users' Guide: from the right every other digit is doubled, beginning with the last,
    the digits of the results are added, and the check digit brings the sum to the next ten.
    """
    digits = [int(digit) for digit in reversed(number)]
    return -sum(sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(digits)) % 10


def is_valid(code: str) -> bool:
    """Return whether a code has the form of LOINC and its check digit holds."""
    parts = FORM.fullmatch(code)
    return parts is not None and check_digit(parts[1]) == int(parts[2])


def known_codes(registry: Registry) -> Mapping[str, KnownCode]:
    """Return the codes that the registry knows, those of its analytes and those that are taken for them."""
    return {
        row["loinc"]: KnownCode(row["analyte"], row["name"], row["property"]) for row in registry.rows("loinc_codes")
    }
