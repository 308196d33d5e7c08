"""Names and labels as comparable words: without case, accents and punctuation."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

LETTERS = str.maketrans(
    {"ø": "o", "œ": "oe", "æ": "ae", "ß": "ss", "ł": "l", "ı": "i", "α": "alpha", "β": "beta", "γ": "gamma", "μ": "u"}
)
HUMP = re.compile(r"(?<=[a-z])(?=[A-Z][a-z])")
WORD = re.compile(r"[a-z]+|\d+")


@lru_cache(maxsize=1 << 16)
def words_of(text: str) -> tuple[str, ...]:
    """Return the words and numbers of a name, in order: `HAMD_01 (V0)` is hamd, 01, v, 0."""
    return tuple(WORD.findall(_plain(HUMP.sub(" ", text))))


@lru_cache(maxsize=1 << 16)
def squeezed(text: str) -> str:
    """Return a name as its letters and digits alone: `IL-6` is il6."""
    return "".join(WORD.findall(_plain(text)))


def _plain(text: str) -> str:
    # The micro sign and superscripts are compatibility forms of plain characters.
    folded = unicodedata.normalize("NFKD", text.casefold().replace("µ", "u").translate(LETTERS))
    return "".join(mark for mark in folded if not unicodedata.combining(mark)).translate(LETTERS)


def identifier(text: str, fallback: str) -> str:
    """Return an id for a study file: small letters, digits and underscores, beginning with a letter."""
    made = "_".join(words_of(text))[:60].strip("_")
    return made if made and made[0].isalpha() else f"{fallback}_{made}".strip("_")[:60]
