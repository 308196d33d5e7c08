"""Formulas read back the same, give nothing but results or an EmberError, and compute as plain Python does."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Mapping

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ember.errors import EmberError
from ember.expressions.evaluate import Values, evaluate
from ember.expressions.parser import parse
from ember.expressions.syntax import (
    FUNCTIONS,
    Binary,
    Call,
    Column,
    Expression,
    Negative,
    Not,
    Number,
    Text,
    columns_of,
    written,
)
from ember.expressions.tokens import LONGEST
from ember.harmonise.derived import NOT_DERIVED, derived_texts, read_operand
from ember.harmonise.numbers import number

pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr")

NAMES = ["a", "b", "c", "body mass", "x]y", "größe", "and", "min", "at_least", '"']
COLUMNS = st.sampled_from(NAMES).map(Column)
NUMBERS = st.floats(min_value=0, allow_nan=False, allow_infinity=False).map(lambda value: Number(value + 0.0))
PLAIN = st.sampled_from([0.0, 0.5, 1.0, 2.0, 3.0, 10.0, 1e200]).map(Number)
TEXTS = st.text(max_size=5).map(Text)


def conditions(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    compared = st.builds(Binary, st.sampled_from(["=", "!=", "<", "<=", ">", ">="]), inner, inner)
    same_text = st.builds(Binary, st.sampled_from(["=", "!="]), COLUMNS, TEXTS)
    base = compared | same_text
    return st.recursive(
        base,
        lambda below: st.builds(Not, below) | st.builds(Binary, st.sampled_from(["and", "or"]), below, below),
        max_leaves=3,
    )


def calls(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    one = st.builds(Call, st.sampled_from(["abs", "sqrt", "ln", "log2", "log10", "exp"]), st.tuples(inner))
    digits = st.integers(0, 3).map(lambda n: Number(float(n)))
    rounded = st.builds(Call, st.just("round"), st.tuples(inner) | st.tuples(inner, digits))
    many = st.lists(inner, min_size=1, max_size=4).map(tuple)
    over = st.builds(Call, st.sampled_from(["min", "max", "mean", "sum", "count", "coalesce"]), many)
    least = st.builds(Call, st.sampled_from(["min", "max", "mean", "sum"]), many, st.just(1))
    chosen = st.builds(Call, st.just("if"), st.tuples(conditions(inner), inner, inner))
    return one | rounded | over | least | chosen


def trees(leaves: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
    def above(inner: st.SearchStrategy[Expression]) -> st.SearchStrategy[Expression]:
        return (
            st.builds(Negative, inner)
            | st.builds(Binary, st.sampled_from(["+", "-", "*", "/", "^"]), inner, inner)
            | calls(inner)
        )

    return st.recursive(leaves, above, max_leaves=8)


@given(trees(COLUMNS | NUMBERS))
def test_what_is_written_reads_the_same(tree: Expression) -> None:
    formula = written(tree)
    if len(formula) <= LONGEST:
        assert parse(formula) == tree


ALPHABET = [
    "a",
    "[b]",
    "mean",
    "if",
    "and",
    "not",
    "or",
    "(",
    ")",
    ",",
    "at_least",
    "=",
    "<",
    "-",
    "^",
    "1",
    '"t"',
    " ",
]


@given(st.text(max_size=LONGEST + 5) | st.lists(st.sampled_from(ALPHABET), max_size=60).map("".join))
def test_any_text_is_a_formula_or_an_ember_error(text: str) -> None:
    try:
        tree = parse(text)
    except EmberError:
        return
    assert parse(written(tree)) == tree or len(written(tree)) > LONGEST


class MissingError(Exception):
    """An operand is missing."""


class FailedError(Exception):
    """An operand or the operation failed."""


def settled(outcomes: list[Callable[[], float]]) -> list[float]:
    """Return all results; missing comes before failed."""
    found: list[float] = []
    failed = False
    for outcome in outcomes:
        try:
            found.append(outcome())
        except FailedError:
            failed = True
    if failed:
        raise FailedError
    return found


COMPARED = {"=": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt,
            ">=": operator.ge}  # fmt: skip
# Libraries differ in the last digit of these five, and a comparison in a formula would make much of it: both sides
# take them from one library, and the unit tests look at their values.
PLAIN_FUNCTIONS = {"abs": abs, "sqrt": math.sqrt, "ln": np.log, "log2": np.log2, "log10": np.log10, "exp": np.exp}


def finite(compute: Callable[[], float]) -> float:
    try:
        with np.errstate(all="ignore"):
            value = compute()
    except (ArithmeticError, ValueError):
        raise FailedError from None
    if not math.isfinite(value):
        raise FailedError
    return float(value)


def plain(tree: Expression, row: Mapping[str, str]) -> float:
    """Return the result for one row, by the words of the documentation and Python's own arithmetic."""
    match tree:
        case Number(value):
            return value
        case Column(name):
            if row[name] in ("", "-9"):
                raise MissingError
            return finite(lambda: float(row[name]))
        case Negative(operand):
            return -plain(operand, row)
        case Not(operand):
            return 1.0 - plain(operand, row)
        case Binary("and" | "or" as word, left, right):
            return plain_logic(0.0 if word == "and" else 1.0, left, right, row)
        case Binary(sign, Column(name), Text(text)):
            if row[name] in ("", "-9"):
                raise MissingError
            return float((row[name] == text.strip()) == (sign == "="))
        case Binary(sign, left, right):
            one, other = settled([lambda: plain(left, row), lambda: plain(right, row)])
            if sign in COMPARED:
                return float(COMPARED[sign](one, other))
            return finite(lambda: {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
                                   "^": np.power}[sign](one, other))  # fmt: skip
        case Call(function, operands, at_least):
            return plain_call(function, operands, at_least, row)
    raise AssertionError


def plain_logic(deciding: float, left: Expression, right: Expression, row: Mapping[str, str]) -> float:
    outcomes: list[float | type[Exception]] = []
    for side in (left, right):
        try:
            outcomes.append(plain(side, row))
        except (MissingError, FailedError) as error:
            outcomes.append(type(error))
    if deciding in outcomes:
        return deciding
    for error in (MissingError, FailedError):
        if error in outcomes:
            raise error
    return 1.0 - deciding


def plain_call(function: str, operands: tuple[Expression, ...], at_least: int | None, row: Mapping[str, str]) -> float:
    if function in PLAIN_FUNCTIONS:
        value = plain(operands[0], row)
        return finite(lambda: PLAIN_FUNCTIONS[function](value))
    if function == "round":
        value, digits = plain(operands[0], row), int(operands[1].value) if len(operands) > 1 else 0  # type: ignore[union-attr]
        scaled = abs(value) * 10.0**digits
        if scaled >= 2**52:
            return value
        whole = math.floor(scaled)
        return math.copysign((whole + (scaled - whole >= 0.5)) / 10.0**digits, value)
    if function == "if":
        return plain(operands[1] if plain(operands[0], row) == 1.0 else operands[2], row)
    if function == "coalesce":
        for operand in operands:
            try:
                return plain(operand, row)
            except MissingError:
                continue
        raise MissingError
    return plain_over(function, operands, at_least, row)


def plain_over(function: str, operands: tuple[Expression, ...], at_least: int | None, row: Mapping[str, str]) -> float:
    present: list[float] = []
    n, failed = 0, False
    for operand in operands:
        try:
            present.append(plain(operand, row))
            n += 1
        except MissingError:
            continue
        except FailedError:
            n, failed = n + 1, True
    if function != "count" and n < (at_least or len(operands)):
        raise MissingError
    if failed:
        raise FailedError
    if function == "count":
        return float(n)
    total = 0.0
    for value in present:
        total += value
    if function in ("min", "max"):
        return min(present) if function == "min" else max(present)
    return finite(lambda: total if function == "sum" else total / n)


CELL = st.sampled_from(["", "-9", "x", "<1", "0", "-1", "0.25", "2", "2.5", "7", "1e200"])
ROWS = st.lists(st.fixed_dictionaries({name: CELL for name in NAMES}), min_size=1, max_size=6)


@given(trees(COLUMNS | PLAIN), ROWS)
def test_results_are_those_of_plain_python(tree: Expression, rows: list[dict[str, str]]) -> None:
    frame = pl.DataFrame(rows, schema=dict.fromkeys(NAMES, pl.String))
    cells = {name: read_operand(frame[name], ["-9"], {}, ".") for name in columns_of(tree)}
    values = evaluate(tree, cells, frame.height)
    for place, row in enumerate(rows):
        try:
            expected: float | str = plain(tree, row)
        except MissingError:
            expected = "missing"
        except FailedError:
            expected = "failed"
        found = float(values.numbers[place])
        got = "missing" if values.missing[place] else "failed" if values.failed[place] else found
        assert got == expected


@given(st.lists(st.floats(allow_infinity=False)), st.sampled_from([".", ","]))
def test_a_result_is_read_back_as_the_same_number(numbers: list[float], decimal: str) -> None:
    values = Values(np.array(numbers, dtype=np.float64), np.zeros(len(numbers), dtype=np.bool_))
    texts = derived_texts(values, decimal)
    back = texts.to_frame("text").select(number(pl.col("text"), decimal)).to_series()
    for text, given_number, read in zip(texts, numbers, back, strict=True):
        assert (text == NOT_DERIVED and read is None) if math.isnan(given_number) else read == given_number


def test_the_reference_knows_every_function() -> None:
    assert set(FUNCTIONS) == {*PLAIN_FUNCTIONS, "round", "if", "coalesce", "count", "min", "max", "sum", "mean"}
