"""LOINC codes in headers, labels and cells: the check digit and the registry's analyte."""

from __future__ import annotations

import re

from ember.draft.proposal import Guess
from ember.registry.registry import Registry

CODE = re.compile(r"(?<![\d-])(\d{3,5})-(\d)(?![\d-])")


def loinc_guesses(text: str, registry: Registry) -> list[Guess]:
    """Return the analytes whose LOINC code stands in a text; a code with a wrong check digit is none."""
    by_code = {}
    for row in registry.rows("analytes"):
        for code in (row["loinc"], *row["loinc_accepted"].split(";")):
            if code:
                by_code[code] = row["analyte"]
    codes = [f"{number}-{digit}" for number, digit in CODE.findall(text) if check_digit(number) == int(digit)]
    return [Guess(by_code[code], 0.97, f"LOINC {code} stands there") for code in codes if code in by_code]


def check_digit(number: str) -> int:
    """Return the check digit of a LOINC number: mod 10, every second digit from the right doubled."""
    total = 0
    for place, mark in enumerate(reversed(number)):
        digit = int(mark) * (2 if place % 2 == 0 else 1)
        total += digit // 10 + digit % 10
    return -total % 10
