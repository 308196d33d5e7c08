"""Compute a formula for every row at once.

Notes
-----
A result is a number, missing, or failed. *Missing*: an operand is missing (an empty cell, a missing code). *Failed*: an
operand is not a number, or the operation has no finite result (division by zero, logarithm of zero, square root of a
negative, overflow); a failed number is NaN in `Values.numbers`. Where one operand is missing and another failed, an
operation is missing. A part that does not matter to the result matters in no way: the branch that `if` does not take,
what follows the first number in `coalesce`, and the other side of a false `and` or a true `or`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.expressions.syntax import (
    COMPARISONS,
    LOGIC,
    Binary,
    Call,
    Column,
    Expression,
    Negative,
    Not,
    Number,
    Text,
)

Floats = NDArray[np.float64]
Booleans = NDArray[np.bool_]
WHOLE = 2.0**52  # from here on every float64 is a whole number


@dataclass(frozen=True)
class Values:
    """One number a row: `numbers` (float64, NaN where failed) and `missing` (bool). Conditions are 1 and 0."""

    numbers: Floats
    missing: Booleans

    @property
    def failed(self) -> Booleans:
        """Rows that have no result although nothing is missing."""
        return np.isnan(self.numbers) & ~self.missing


@dataclass(frozen=True)
class Cells:
    """The cells of a column: `texts` (strings without outer white space), and `values` as read from them."""

    texts: pl.Series
    values: Values


def evaluate(expression: Expression, columns: Mapping[str, Cells], n: int) -> Values:
    """Return the result of a formula for each of `n` rows.

    Parameters
    ----------
    expression : Expression
        As from `ember.expressions.parser.parse`.
    columns : mapping
        The cells of every column that the formula names.
    n : int
        Number of rows.

    Notes
    -----
    Every operation is element by element in float64; `sum` and `mean` add their operands from the left. `round` takes
    halves away from zero, as SPSS, SAS and Stata do. `0 ^ 0` is 1.
    """
    with np.errstate(all="ignore"):
        return _value(expression, columns, n)


def _value(expression: Expression, columns: Mapping[str, Cells], n: int) -> Values:
    match expression:
        case Number(value):
            return Values(np.full(n, value), np.zeros(n, dtype=np.bool_))
        case Column(name):
            return columns[name].values
        case Negative(operand):
            inner = _value(operand, columns, n)
            return Values(-inner.numbers, inner.missing)
        case Not(operand):
            inner = _value(operand, columns, n)
            return Values(1.0 - inner.numbers, inner.missing)
        case Binary(operator, left, right):
            if isinstance(left, Text) or isinstance(right, Text):
                return _same_text(operator, left, right, columns)
            sides = (_value(left, columns, n), _value(right, columns, n))
            return _logic(operator, *sides) if operator in LOGIC else _binary(operator, *sides)
        case Call(function, operands, at_least):
            parts = [_value(operand, columns, n) for operand in operands]
            return _call(function, parts, at_least)
    raise TypeError("a text has no number")


def _same_text(operator: str, left: Expression, right: Expression, columns: Mapping[str, Cells]) -> Values:
    column, text = (right, left) if isinstance(left, Text) else (left, right)
    assert isinstance(column, Column) and isinstance(text, Text)
    cells = columns[column.name]
    same = (cells.texts == text.value.strip()).to_numpy()
    return Values((same == (operator == "=")).astype(np.float64), cells.values.missing)


ARITHMETIC: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "^": np.power,
}
COMPARED: Mapping[str, Callable[[Floats, Floats], Booleans]] = {
    "=": np.equal,
    "!=": np.not_equal,
    "<": np.less,
    "<=": np.less_equal,
    ">": np.greater,
    ">=": np.greater_equal,
}
OF_ONE: Mapping[str, Callable[[Floats], Floats]] = {
    "abs": np.abs,
    "exp": np.exp,
    "ln": np.log,
    "log2": np.log2,
    "log10": np.log10,
    "sqrt": np.sqrt,
}


def _finite(numbers: Floats, *operands: Floats) -> Floats:
    """Return the numbers, NaN where they are not finite or an operand failed (NaN ^ 0 would be 1)."""
    sound = np.isfinite(numbers)
    for operand in operands:
        sound &= ~np.isnan(operand)
    return np.where(sound, numbers, np.nan)


def _binary(operator: str, left: Values, right: Values) -> Values:
    missing = left.missing | right.missing
    compute = COMPARED[operator] if operator in COMPARISONS else ARITHMETIC[operator]
    numbers = np.asarray(compute(left.numbers, right.numbers), dtype=np.float64)
    return Values(_finite(numbers, left.numbers, right.numbers), missing)


def _logic(operator: str, left: Values, right: Values) -> Values:
    """Return `and` or `or`: the side that decides the result decides it whatever the other one is."""
    deciding = 0.0 if operator == "and" else 1.0
    decided = _is(left, deciding) | _is(right, deciding)
    numbers = np.where(decided, deciding, _finite(np.full(len(decided), 1.0 - deciding), left.numbers, right.numbers))
    return Values(numbers, (left.missing | right.missing) & ~decided)


def _is(values: Values, number: float) -> Booleans:
    return np.asarray((values.numbers == number) & ~values.missing, dtype=np.bool_)


def _call(function: str, parts: Sequence[Values], at_least: int | None) -> Values:
    first = parts[0]
    if function in OF_ONE:
        return Values(_finite(OF_ONE[function](first.numbers), first.numbers), first.missing)
    if function == "round":
        # The parser lets only a whole number stand as the second operand, so every row has the same one.
        digits = int(parts[1].numbers[0]) if len(parts) > 1 and len(first.numbers) else 0
        return Values(_rounded(first.numbers, digits), first.missing)
    if function == "if":
        return _chosen(*parts)
    if function == "coalesce":
        return reduce(_first, parts)
    return _over(function, parts, at_least)


def _rounded(numbers: Floats, digits: int) -> Floats:
    scaled = np.abs(numbers) * 10.0**digits
    whole = np.trunc(scaled)
    # scaled - whole is exact, whereas scaled + 0.5 would carry 0.49999999999999994 over to 1.
    nearest = (whole + (scaled - whole >= 0.5)) / 10.0**digits
    return np.where(scaled < WHOLE, np.copysign(nearest, numbers), numbers)


def _chosen(condition: Values, then: Values, otherwise: Values) -> Values:
    taken = condition.numbers == 1.0
    numbers = np.where(taken, then.numbers, otherwise.numbers)
    missing = np.where(taken, then.missing, otherwise.missing)
    unknown = np.isnan(condition.numbers)
    return Values(np.where(unknown, np.nan, numbers), np.where(unknown, condition.missing, missing) | condition.missing)


def _first(left: Values, right: Values) -> Values:
    return Values(np.where(left.missing, right.numbers, left.numbers), left.missing & right.missing)


def _over(function: str, parts: Sequence[Values], at_least: int | None) -> Values:
    """Return what is computed over the operands that are present; without `at_least` all of them have to be."""
    present = np.sum([~part.missing for part in parts], axis=0)
    failed = np.any([part.failed for part in parts], axis=0)
    if function == "count":
        return Values(np.where(failed, np.nan, present.astype(np.float64)), np.zeros(len(failed), dtype=np.bool_))
    if function in ("sum", "mean"):
        total = reduce(np.add, [np.where(part.missing, 0.0, part.numbers) for part in parts])
        numbers = total / present if function == "mean" else total
    else:
        ignored, choose = (np.inf, np.minimum) if function == "min" else (-np.inf, np.maximum)
        numbers = reduce(choose, [np.where(part.missing, ignored, part.numbers) for part in parts])
    missing = present < (len(parts) if at_least is None else at_least)
    return Values(np.where(failed, np.nan, _finite(numbers)), missing)
