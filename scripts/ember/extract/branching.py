"""REDCap's branching logic: which fields were hidden, read by a small closed grammar and never executed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from ember.errors import EmberError

EVENT = "redcap_event_name"
COMPARISONS = ("=", "<>", "!=", "<", ">", "<=", ">=")
LONGEST, DEEPEST = 5000, 50
TOKEN = re.compile(
    r"""\s*(?:
    \[(?P<field>[A-Za-z][A-Za-z0-9_]*)(?:\((?P<code>-?[A-Za-z0-9_.]+)\))?\]
    |(?P<text>'[^']*'|"[^"]*")
    |(?P<number>-?[0-9]+(?:\.[0-9]+)?)
    |(?P<operator><>|!=|<=|>=|=|<|>)
    |(?P<word>and|or)\b
    |(?P<bracket>[()])
    )""",
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Field:
    """The cell of a column; with `event`, that of the participant's row of that event."""

    column: str
    event: str | None = None


@dataclass(frozen=True)
class Comparison:
    """Two operands, each a field or a text, and the sign between them."""

    left: Field | str
    operator: str
    right: Field | str


@dataclass(frozen=True)
class Joined:
    """Conditions of which all (`and`) or any (`or`) must hold."""

    word: str
    parts: tuple[Condition, ...]


Condition = Comparison | Joined


def parse_branching(text: str, where: str) -> Condition:
    """Return the condition under which a field is shown.

    Parameters
    ----------
    text : str
        As in the column "Branching Logic (Show field only if...)": fields `[a]`, `[a(3)]` for a choice of a
        checkbox and `[event][a]`, texts and numbers, = <> != < > <= >=, and, or, round brackets.

    Raises
    ------
    EmberError
        The text has something else in it: a function, arithmetic, a smart variable.
    """
    parser = _Parser(list(_tokens(text, where)), where)
    condition = parser.any_of(0)
    if parser.here() is not None:
        raise _refused(where)
    return condition


def fields_of(condition: Condition) -> tuple[Field, ...]:
    """Return the fields that a condition names, each once, in its order."""
    if isinstance(condition, Joined):
        return tuple(dict.fromkeys(field for part in condition.parts for field in fields_of(part)))
    return tuple(side for side in (condition.left, condition.right) if isinstance(side, Field))


def shown(condition: Condition, columns: Mapping[Field, pl.Series]) -> pl.Series:
    """Return for each row whether a condition holds; an unanswered field holds no comparison but with "".

    Parameters
    ----------
    columns : mapping
        The text of each field of the condition, row by row.

    Notes
    -----
    Both sides are compared as numbers where both are numbers, as REDCap does, so "01" equals "1"; else as
    text, and then only for being equal or not.
    """
    if isinstance(condition, Joined):
        parts = [shown(part, columns) for part in condition.parts]
        together = parts[0]
        for part in parts[1:]:
            together = together & part if condition.word == "and" else together | part
        return together
    height = len(next(iter(columns.values())))
    left, right = (_operand(side, columns, height) for side in (condition.left, condition.right))
    return _compared(left, condition.operator, right)


def checkbox_column(name: str, code: str) -> str:
    """Return the column of one choice of a checkbox; REDCap writes a minus as an underscore."""
    return f"{name}___{code.lower().replace('-', '_')}"


def _operand(side: Field | str, columns: Mapping[Field, pl.Series], height: int) -> pl.Series:
    if isinstance(side, Field):
        return columns[side].fill_null("").str.strip_chars()
    return pl.repeat(side, height, dtype=pl.String, eager=True)


def _compared(left: pl.Series, operator: str, right: pl.Series) -> pl.Series:
    # A word such as "nan" or "inf" is text.
    digits = r"^[-+]?[0-9]*[.]?[0-9]+$"
    numeric = left.str.contains(digits) & right.str.contains(digits)
    low, high = (side.cast(pl.Float64, strict=False) for side in (left, right))
    match operator:
        case "=":
            result = ((left == right) & ~numeric) | ((low == high) & numeric)
        case "<>" | "!=":
            result = ((left != right) & ~numeric) | ((low != high) & numeric)
        case "<":
            result = (low < high) & numeric
        case ">":
            result = (low > high) & numeric
        case "<=":
            result = (low <= high) & numeric
        case _:
            result = (low >= high) & numeric
    return result.fill_null(False)


def _tokens(text: str, where: str) -> Iterator[tuple[str, str]]:
    if len(text) > LONGEST:
        raise _refused(where)
    place = 0
    trimmed = text.rstrip()
    while place < len(trimmed):
        match = TOKEN.match(trimmed, place)
        if match is None or match.lastgroup is None:
            raise _refused(where)
        kind = "field" if match["field"] else match.lastgroup
        if match["field"]:
            yield kind, checkbox_column(match["field"], match["code"]) if match["code"] else match["field"]
        elif kind == "text":
            yield kind, match["text"][1:-1].strip()
        else:
            yield kind, match[kind].lower()
        place = match.end()


class _Parser:
    """Reads tokens from left to right; `and` binds closer than `or`."""

    def __init__(self, tokens: list[tuple[str, str]], where: str) -> None:
        self.tokens, self.where, self.place = tokens, where, 0

    def here(self) -> tuple[str, str] | None:
        return self.tokens[self.place] if self.place < len(self.tokens) else None

    def take(self, *kinds: str) -> str:
        token = self.here()
        if token is None or token[0] not in kinds:
            raise _refused(self.where)
        self.place += 1
        return token[1]

    def any_of(self, depth: int) -> Condition:
        return self._joined("or", depth)

    def _joined(self, word: str, depth: int) -> Condition:
        parts = [self._part(word, depth)]
        while self.here() == ("word", word):
            self.place += 1
            parts.append(self._part(word, depth))
        return parts[0] if len(parts) == 1 else Joined(word, tuple(parts))

    def _part(self, word: str, depth: int) -> Condition:
        if word == "or":
            return self._joined("and", depth)
        if self.here() != ("bracket", "("):
            return self._comparison()
        if depth >= DEEPEST:
            raise _refused(self.where)
        self.place += 1
        inner = self.any_of(depth + 1)
        if self.take("bracket") != ")":
            raise _refused(self.where)
        return inner

    def _comparison(self) -> Comparison:
        left = self._side()
        operator = self.take("operator")
        return Comparison(left, operator, self._side())

    def _side(self) -> Field | str:
        token = self.here()
        value = self.take("field", "text", "number")
        if token is None or token[0] != "field":
            return value
        following = self.here()
        if following is None or following[0] != "field":
            return Field(value)
        return Field(self.take("field"), event=value)


def _refused(where: str) -> EmberError:
    return EmberError(
        "The branching logic holds something that EMBER does not read.",
        where=where,
        allowed=["[field]", "[field(code)]", "[event][field]", *COMPARISONS, "and", "or", "( )"],
    )
