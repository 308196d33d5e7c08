"""What a formula is made of: a closed tree of a few kinds of nodes, and how it is written down again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
ARITHMETIC = ("+", "-", "*", "/", "^")
LOGIC = ("and", "or")
WORDS = (*LOGIC, "not")
SETTING = "at_least"


@dataclass(frozen=True)
class Signature:
    """How a function is called: fewest and most operands (None: any number), and whether it takes `at_least=`."""

    fewest: int
    most: int | None
    at_least: bool = False


FUNCTIONS: Mapping[str, Signature] = {
    "abs": Signature(1, 1),
    "coalesce": Signature(1, None),
    "count": Signature(1, None),
    "exp": Signature(1, 1),
    "if": Signature(3, 3),
    "ln": Signature(1, 1),
    "log10": Signature(1, 1),
    "log2": Signature(1, 1),
    "max": Signature(1, None, at_least=True),
    "mean": Signature(1, None, at_least=True),
    "min": Signature(1, None, at_least=True),
    "round": Signature(1, 2),
    "sqrt": Signature(1, 1),
    "sum": Signature(1, None, at_least=True),
}


@dataclass(frozen=True)
class Number:
    """A number without sign."""

    value: float


@dataclass(frozen=True)
class Text:
    """A text, which stands only beside a column in = or !=."""

    value: str


@dataclass(frozen=True)
class Column:
    """The cell of a column in the same row."""

    name: str


@dataclass(frozen=True)
class Negative:
    """The operand with the other sign."""

    operand: Expression


@dataclass(frozen=True)
class Not:
    """The contrary of a condition."""

    operand: Expression


@dataclass(frozen=True)
class Binary:
    """Two operands and one of ARITHMETIC, COMPARISONS or LOGIC."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Call:
    """A function of FUNCTIONS; `at_least` is the fewest operands that must be present (None: all)."""

    function: str
    operands: tuple[Expression, ...]
    at_least: int | None = None


Expression = Number | Text | Column | Negative | Not | Binary | Call


def parts_of(expression: Expression) -> tuple[Expression, ...]:
    """Return the nodes directly below a node."""
    match expression:
        case Negative(operand) | Not(operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Call(_, operands):
            return operands
    return ()


def columns_of(expression: Expression) -> tuple[str, ...]:
    """Return the columns that a formula reads, each once, in order of appearance."""
    return tuple(dict.fromkeys(_columns(expression)))


def _columns(expression: Expression) -> Iterator[str]:
    if isinstance(expression, Column):
        yield expression.name
    for part in parts_of(expression):
        yield from _columns(part)


def is_condition(expression: Expression) -> bool:
    """Return whether a node is true or false and not a number."""
    return isinstance(expression, Not) or (
        isinstance(expression, Binary) and expression.operator in (*COMPARISONS, *LOGIC)
    )


def written(expression: Expression) -> str:
    """Return a formula that parses to the same tree; every operand with parts of its own stands in parentheses."""
    match expression:
        case Number(value):
            return repr(value)
        case Text(value):
            return '"' + value.replace('"', '""') + '"'
        case Column(name):
            return "[" + name.replace("]", "]]") + "]"
        case Negative(operand):
            return f"-{_closed(operand)}"
        case Not(operand):
            return f"not {_closed(operand)}"
        case Binary(operator, left, right):
            return f"{_closed(left)} {operator} {_closed(right)}"
        case Call(function, operands, at_least):
            listed = [written(operand) for operand in operands]
            listed += [] if at_least is None else [f"{SETTING}={at_least}"]
            return f"{function}({', '.join(listed)})"


def _closed(expression: Expression) -> str:
    text = written(expression)
    return f"({text})" if isinstance(expression, Negative | Not | Binary) else text
