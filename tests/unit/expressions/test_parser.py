from __future__ import annotations

import pytest

from ember.errors import EmberError
from ember.expressions.parser import DEEPEST, MOST_NODES, parse
from ember.expressions.syntax import Binary, Call, Column, Negative, Not, Number, Text, columns_of, written
from ember.expressions.tokens import LONGEST

A, B, C = Column("a"), Column("b"), Column("c")


@pytest.mark.parametrize(
    ("formula", "tree"),
    [
        pytest.param("a + b * c", Binary("+", A, Binary("*", B, C)), id="product before sum"),
        pytest.param("(a + b) * c", Binary("*", Binary("+", A, B), C), id="parentheses first"),
        pytest.param("a - b - c", Binary("-", Binary("-", A, B), C), id="difference from the left"),
        pytest.param("a / b / c", Binary("/", Binary("/", A, B), C), id="quotient from the left"),
        pytest.param("a ^ b ^ c", Binary("^", A, Binary("^", B, C)), id="power from the right"),
        pytest.param("-a ^ b", Negative(Binary("^", A, B)), id="power before sign"),
        pytest.param("a ^ -b * c", Binary("*", Binary("^", A, Negative(B)), C), id="sign in an exponent"),
        pytest.param("-a * b", Binary("*", Negative(A), B), id="sign before product"),
        pytest.param("--a", Negative(Negative(A)), id="two signs"),
        pytest.param("[body weight (kg)]", Column("body weight (kg)"), id="any text in brackets"),
        pytest.param("[a]]b]", Column("a]b"), id="a closing bracket is doubled"),
        pytest.param("[and]", Column("and"), id="a word in brackets is a column"),
        pytest.param("min", Column("min"), id="a function's name without parentheses is a column"),
        pytest.param("größe", Column("größe"), id="letters beyond ASCII"),
        pytest.param("mean(a, b, at_least=1)", Call("mean", (A, B), 1), id="at least"),
        pytest.param("mean(a, at_least)", Call("mean", (A, Column("at_least"))), id="at_least as a column"),
        pytest.param("round(a, 2)", Call("round", (A, Number(2.0))), id="digits"),
        pytest.param(".5e-1", Number(0.05), id="exponent"),
        pytest.param(
            'if([a] = "x ""y""" , b, c)',
            Call("if", (Binary("=", A, Text('x "y"')), B, C)),
            id="quotation marks doubled",
        ),
        pytest.param(
            "if(not a < b and b < c or a = c, 1, 0)",
            Call(
                "if",
                (
                    Binary("or", Binary("and", Not(Binary("<", A, B)), Binary("<", B, C)), Binary("=", A, C)),
                    Number(1.0),
                    Number(0.0),
                ),
            ),
            id="not, and, or",
        ),
    ],
)
def test_reads(formula: str, tree: object) -> None:
    assert parse(formula) == tree


@pytest.mark.parametrize(
    ("formula", "position", "words"),
    [
        pytest.param("", 1, "Expected a number, a column", id="empty"),
        pytest.param("a +", 4, "found the end", id="operand missing"),
        pytest.param("a b", 3, "Expected an operator or the end, found 'b'", id="operator missing"),
        pytest.param("0,5", 2, "decimal point", id="decimal comma"),
        pytest.param("if(a == b, 1, 0)", 7, "one =", id="two equal signs"),
        pytest.param("(a", 3, "')'", id="open parenthesis"),
        pytest.param("a)", 2, "found ')'", id="closing parenthesis"),
        pytest.param("[a", 1, "closing bracket", id="open bracket"),
        pytest.param("[ ]", 1, "no column name", id="empty brackets"),
        pytest.param('if([a] = "x, 1, 0)', 10, "closing quotation mark", id="open text"),
        pytest.param("a % b", 3, "'%' has no meaning", id="unknown sign"),
        pytest.param("1e999", 1, "too large", id="number too large"),
        pytest.param("mena(a)", 1, "Nearest: mean", id="unknown function"),
        pytest.param("__import__(a)", 1, "no function", id="python"),
        pytest.param("a.b", 2, "no meaning", id="attribute"),
        pytest.param("a > b", 1, "if(condition, 1, 0)", id="condition as the result"),
        pytest.param("1 + (a > b)", 5, "not a number", id="condition in a sum"),
        pytest.param("if(a < b < c, 1, 0)", 4, "not a number", id="comparisons in a row"),
        pytest.param("if(a, 1, 0)", 4, "Expected a condition", id="number as a condition"),
        pytest.param("if(a > 1 and b, 1, 0)", 14, "Expected a condition", id="number beside and"),
        pytest.param('"x"', 1, "text is not a number", id="text as the result"),
        pytest.param('if([a] < "x", 1, 0)', 8, "only compared", id="order of texts"),
        pytest.param('if("x" = "x", 1, 0)', 8, "only compared", id="text with text"),
        pytest.param("sqrt(a, b)", 1, "takes 1 operands, found 2", id="too many operands"),
        pytest.param("mean()", 1, "takes 1 or more operands, found 0", id="no operand"),
        pytest.param("mean(a,)", 8, "found ')'", id="comma without operand"),
        pytest.param("mean(a, at_least=2)", 1, "between 1 and", id="at least more than there are"),
        pytest.param("mean(a, at_least=0)", 1, "between 1 and", id="at least none"),
        pytest.param("mean(a, at_least=b)", 18, "whole number", id="at least a column"),
        pytest.param("mean(at_least=1, a)", 16, "')'", id="at_least is last"),
        pytest.param("abs(a, at_least=1)", 8, "takes no at_least", id="at least where it has no meaning"),
        pytest.param("round(a, b)", 10, "whole number of digits", id="digits from a column"),
        pytest.param("round(a, 1.5)", 10, "whole number of digits", id="half a digit"),
        pytest.param("round(a, 13)", 10, "whole number of digits", id="too many digits"),
    ],
)
def test_refuses_with_place_and_expectation(formula: str, position: int, words: str) -> None:
    with pytest.raises(EmberError) as error:
        parse(formula, "sites/a.yaml:7")
    assert error.value.where == f"sites/a.yaml:7  character {position}"
    assert words in str(error.value)


def test_an_unknown_column_names_the_nearest() -> None:
    with pytest.raises(EmberError) as error:
        parse("[weigth] / height", columns=["weight", "height"])
    assert (error.value.where, error.value.nearest) == ("character 1", "weight")


@pytest.mark.parametrize(
    "formula",
    [
        pytest.param("(" * 10_000 + "a" + ")" * 10_000, id="ten thousand parentheses"),
        pytest.param("(" * LONGEST, id="as many as may be written"),
        pytest.param("-" * (LONGEST - 1) + "a", id="signs"),
        pytest.param("abs(" * 124, id="functions"),
        pytest.param("2^" * 249 + "2", id="powers"),
        pytest.param("1+" * 249 + "1", id="a long sum"),
        pytest.param("not " * 124, id="nots"),
        pytest.param("[" * LONGEST, id="brackets"),
        pytest.param('"' * (LONGEST - 1), id="quotation marks"),
    ],
)
def test_hostile_formulas_are_plain_errors(formula: str) -> None:
    with pytest.raises(EmberError):
        parse(formula)


def test_the_bounds_are_where_they_are_said_to_be() -> None:
    assert parse("(" * (DEEPEST - 1) + "a" + ")" * (DEEPEST - 1)) == A
    with pytest.raises(EmberError, match="nested deeper"):
        parse("(" * DEEPEST + "a" + ")" * DEEPEST)
    parse("+".join("1" * (MOST_NODES // 2)))
    with pytest.raises(EmberError, match="parts"):
        parse("+".join("1" * (MOST_NODES // 2 + 1)))


def test_columns_are_named_once_in_order() -> None:
    assert columns_of(parse('if([b] = "1", a + b, mean([c], a))')) == ("b", "a", "c")


def test_a_formula_is_written_so_that_it_reads_the_same() -> None:
    tree = parse('if(not [s] = "m" and a ^ -b > 1, round(-(a - b), 2), mean(a, b, at_least=1))')
    assert written(tree) == (
        'if((not ([s] = "m")) and (([a] ^ (-[b])) > 1.0), round(-([a] - [b]), 2.0), mean([a], [b], at_least=1))'
    )
    assert parse(written(tree)) == tree
