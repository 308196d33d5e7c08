"""Cut the text of a formula into its smallest parts."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from ember.errors import EmberError

LONGEST = 500  # characters, as in the schema of site files

Kind = Literal["number", "text", "column", "name", "sign", "end"]

# Each alternative begins with another character or consumes at least one, so that no text makes the search go back.
PATTERN = re.compile(
    r"(?P<blank>[ \t\r\n]+)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r'|"(?P<text>(?:[^"]|"")*)"'
    r"|\[(?P<column>(?:[^\]]|\]\])*)\]"
    r"|(?P<name>[^\W\d]\w*)"
    r"|(?P<sign><=|>=|!=|[-+*/^(),=<>])"
)


@dataclass(frozen=True)
class Token:
    """A part of a formula; `position` counts characters from 1."""

    kind: Kind
    content: str
    position: int

    @property
    def shown(self) -> str:
        """Return how messages name it."""
        return "the end" if self.kind == "end" else f"'{self.content}'"


def place(where: str, position: int) -> str:
    """Return file and key with the character of the formula."""
    return f"{where}  character {position}".strip()


def tokens_of(formula: str, where: str) -> list[Token]:
    """Return the tokens of a formula, the last of which is its end.

    Raises
    ------
    EmberError
        The formula is too long, or a character has no meaning in one.
    """
    if len(formula) > LONGEST:
        raise EmberError(
            f"The formula has {len(formula)} characters; at most {LONGEST} are read.",
            where=where,
            fix="Divide it into several derived columns: a later one may use earlier ones.",
        )
    return [*_tokens(formula, where), Token("end", "", len(formula) + 1)]


def _tokens(formula: str, where: str) -> Iterator[Token]:
    start = 0
    while start < len(formula):
        match = PATTERN.match(formula, start)
        if match is None:
            raise _unreadable(formula, start, where)
        kind = match.lastgroup
        content = match[kind or 0]
        if kind == "text":
            yield Token("text", content.replace('""', '"'), start + 1)
        elif kind == "column":
            yield _column(content.replace("]]", "]"), start, where)
        elif kind == "number":
            yield _number(content, start, where)
        elif kind == "name":
            yield Token("name", content, start + 1)
        elif kind == "sign":
            yield Token("sign", content, start + 1)
        start = match.end()


def _column(name: str, start: int, where: str) -> Token:
    if not name.strip():
        raise EmberError("The brackets hold no column name.", where=place(where, start + 1))
    return Token("column", name, start + 1)


def _number(content: str, start: int, where: str) -> Token:
    if not math.isfinite(float(content)):
        raise EmberError("The number is too large.", where=place(where, start + 1))
    return Token("number", content, start + 1)


def _unreadable(formula: str, start: int, where: str) -> EmberError:
    mark = formula[start]
    if mark == '"':
        return EmberError("The text has no closing quotation mark.", where=place(where, start + 1))
    if mark == "[":
        return EmberError("The column name has no closing bracket.", where=place(where, start + 1))
    return EmberError(
        f"The character {mark!r} has no meaning in a formula.",
        where=place(where, start + 1),
        fix='Column names with such characters stand in [brackets], texts in "quotation marks".',
    )
