from __future__ import annotations

import math

import numpy as np
import polars as pl
import pytest

from ember.expressions.evaluate import Cells, Values, evaluate
from ember.expressions.parser import parse
from ember.expressions.syntax import columns_of

MISSING, FAILED = None, "failed"


def cells(cell: float | str | None) -> Cells:
    number = cell if isinstance(cell, float | int) else math.nan
    text = "" if cell is None else str(cell)
    return Cells(pl.Series([text], dtype=pl.String), Values(np.array([float(number)]), np.array([cell is None])))


def result(formula: str, **row: float | str | None) -> float | str | None:
    tree = parse(formula)
    values = evaluate(tree, {name: cells(row[name]) for name in columns_of(tree)}, 1)
    if values.missing[0]:
        return MISSING
    return FAILED if values.failed[0] else float(values.numbers[0])


@pytest.mark.parametrize(
    ("formula", "row", "expected"),
    [
        pytest.param("a / b ^ 2", {"a": 80, "b": 2}, 20.0, id="arithmetic"),
        pytest.param("-2 ^ 2", {}, -4.0, id="sign after power"),
        pytest.param("a + b", {"a": 1, "b": None}, MISSING, id="missing operand"),
        pytest.param("a + b", {"a": 1, "b": "x"}, FAILED, id="operand that is no number"),
        pytest.param("a + b", {"a": None, "b": "x"}, MISSING, id="missing before failed"),
        pytest.param("a ^ 0", {"a": "x"}, FAILED, id="no number to the power 0"),
        pytest.param("a ^ 0", {"a": 0}, 1.0, id="zero to the power 0"),
        pytest.param("1 ^ a", {"a": "x"}, FAILED, id="one to the power of no number"),
        pytest.param("a / 0", {"a": 1}, FAILED, id="division by zero"),
        pytest.param("0 / a", {"a": 0}, FAILED, id="zero by zero"),
        pytest.param("1 / (1 / a)", {"a": 0}, FAILED, id="infinity does not come back"),
        pytest.param("ln(a)", {"a": 0}, FAILED, id="logarithm of zero"),
        pytest.param("log2(a)", {"a": -1}, FAILED, id="logarithm of a negative"),
        pytest.param("log10(a)", {"a": 1000}, 3.0, id="log10"),
        pytest.param("log2(a)", {"a": 8}, 3.0, id="log2"),
        pytest.param("ln(exp(a))", {"a": 1}, 1.0, id="ln and exp"),
        pytest.param("sqrt(a)", {"a": -1}, FAILED, id="root of a negative"),
        pytest.param("a ^ 0.5", {"a": -1}, FAILED, id="root of a negative as a power"),
        pytest.param("exp(a)", {"a": 1000}, FAILED, id="overflow"),
        pytest.param("a * a", {"a": 1e200}, FAILED, id="overflow of a product"),
        pytest.param("abs(a)", {"a": -3}, 3.0, id="abs"),
        pytest.param("round(a)", {"a": 2.5}, 3.0, id="half away from zero"),
        pytest.param("round(a)", {"a": -2.5}, -3.0, id="negative half away from zero"),
        pytest.param("round(a)", {"a": 0.49999999999999994}, 0.0, id="just below a half"),
        pytest.param("round(a, 1)", {"a": 24.65}, 24.7, id="half of a tenth"),
        pytest.param("round(a, 12)", {"a": 1e300}, 1e300, id="nothing to round"),
        pytest.param("mean(a, b)", {"a": 1, "b": 4}, 2.5, id="mean"),
        pytest.param("mean(a, b)", {"a": 1, "b": None}, MISSING, id="mean needs all"),
        pytest.param("mean(a, b, at_least=1)", {"a": 1, "b": None}, 1.0, id="mean of those present"),
        pytest.param("mean(a, b, at_least=1)", {"a": 1, "b": "x"}, FAILED, id="no number is not absent"),
        pytest.param("mean(a, b, at_least=1)", {"a": None, "b": None}, MISSING, id="too few"),
        pytest.param("sum(a, b, at_least=1)", {"a": 3, "b": None}, 3.0, id="sum of those present"),
        pytest.param("min(a, b, at_least=1)", {"a": 3, "b": None}, 3.0, id="least of those present"),
        pytest.param("max(a, b)", {"a": 3, "b": -4}, 3.0, id="max"),
        pytest.param("max(a, b)", {"a": 3, "b": "x"}, FAILED, id="max of no number"),
        pytest.param("count(a, b)", {"a": 3, "b": None}, 1.0, id="count"),
        pytest.param("count(a, b)", {"a": None, "b": None}, 0.0, id="count of none"),
        pytest.param("count(a, b)", {"a": 1, "b": "x"}, FAILED, id="count of no number"),
        pytest.param("coalesce(a, b)", {"a": None, "b": 2}, 2.0, id="first present"),
        pytest.param("coalesce(a, b)", {"a": 1, "b": "x"}, 1.0, id="what follows does not matter"),
        pytest.param("coalesce(a, b)", {"a": "x", "b": 2}, FAILED, id="no number is present"),
        pytest.param("if(a > 0, ln(a), 0)", {"a": -1}, 0.0, id="the other branch does not matter"),
        pytest.param("if(a > 0, 1, 0)", {"a": None}, MISSING, id="missing condition"),
        pytest.param("if(a > 0, 1, 0)", {"a": "x"}, FAILED, id="failed condition"),
        pytest.param("if(a != b, 1, 0)", {"a": "x", "b": "x"}, FAILED, id="no number is unequal to nothing"),
        pytest.param("if(a > 0 and b > 0, 1, 0)", {"a": -1, "b": None}, 0.0, id="false decides and"),
        pytest.param("if(a > 0 and b > 0, 1, 0)", {"a": 1, "b": None}, MISSING, id="true does not decide and"),
        pytest.param("if(a > 0 or b > 0, 1, 0)", {"a": "x", "b": 1}, 1.0, id="true decides or"),
        pytest.param("if(a > 0 or b > 0, 1, 0)", {"a": "x", "b": -1}, FAILED, id="false does not decide or"),
        pytest.param("if(not a > 0, 1, 0)", {"a": None}, MISSING, id="not missing"),
        pytest.param("if(not a > 0, 1, 0)", {"a": 0}, 1.0, id="not"),
        pytest.param('if([a] = "male", 1, 0)', {"a": "male"}, 1.0, id="same text"),
        pytest.param('if("male" != [a], 1, 0)', {"a": "male"}, 0.0, id="text first"),
        pytest.param('if([a] = "Male", 1, 0)', {"a": "male"}, 0.0, id="case counts"),
        pytest.param('if([a] = "1", 1, 0)', {"a": None}, MISSING, id="missing text"),
    ],
)
def test_result(formula: str, row: dict[str, float | str | None], expected: float | str | None) -> None:
    assert result(formula, **row) == expected


def test_no_rows_give_no_results() -> None:
    none = Cells(pl.Series([], dtype=pl.String), Values(np.array([]), np.array([], dtype=np.bool_)))
    values = evaluate(parse('if([a] = "1", round(mean(a, 2), 1), 0)'), {"a": none}, 0)
    assert (len(values.numbers), len(values.missing)) == (0, 0)


@pytest.mark.parametrize("size", [1, 3, 7, 64])
def test_a_row_has_the_same_result_in_any_batch(size: int) -> None:
    tree = parse("round(exp(ln(a) * 0.37) + log2(a) ^ 1.7 + log10(a) + sqrt(a), 12) + a ^ 0.123")
    numbers = np.random.default_rng(1).uniform(1.001, 500, 1000)

    def computed(part: np.ndarray) -> np.ndarray:
        column = Cells(pl.Series([""] * len(part)), Values(part, np.zeros(len(part), dtype=np.bool_)))
        return evaluate(tree, {"a": column}, len(part)).numbers

    parts = [computed(numbers[start : start + size]) for start in range(0, len(numbers), size)]
    assert np.array_equal(np.concatenate(parts), computed(numbers))
