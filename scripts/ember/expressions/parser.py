"""Read a formula into its tree: operators by precedence, a closed list of functions, nothing that can be executed.

Precedence from loose to tight: or; and; not; = != < <= > >= (never two in a row); + -; * /; sign; ^ (from the right).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from ember.errors import EmberError, nearest_name
from ember.expressions.syntax import (
    COMPARISONS,
    FUNCTIONS,
    LOGIC,
    SETTING,
    WORDS,
    Binary,
    Call,
    Column,
    Expression,
    Negative,
    Not,
    Number,
    Text,
    is_condition,
)
from ember.expressions.tokens import Token, place, tokens_of

MOST_NODES = 200
DEEPEST = 60  # parentheses, functions and signs within each other
MOST_DIGITS = 12

OR, AND, NOT, COMPARISON, SUM, PRODUCT, SIGN, POWER = range(1, 9)
PRECEDENCE = {
    "or": OR,
    "and": AND,
    **dict.fromkeys(COMPARISONS, COMPARISON),
    "+": SUM,
    "-": SUM,
    "*": PRODUCT,
    "/": PRODUCT,
    "^": POWER,
}


def parse(formula: str, where: str = "", columns: Collection[str] | None = None) -> Expression:
    """Return the tree of a formula whose result is a number.

    Parameters
    ----------
    formula : str
        Numbers with a decimal point, [columns] or bare names, operators and functions as in `syntax`.
    where : str
        File and key, for messages.
    columns : collection of str, optional
        The columns that exist; None accepts any.

    Raises
    ------
    EmberError
        The formula cannot be read; says at which character, and what was expected.
    """
    parser = _Parser(tokens_of(formula, where), where, columns)
    start = parser.next
    expression = parser.expression(OR)
    if parser.next.kind != "end":
        raise parser.unexpected("an operator or the end")
    return parser.as_number(expression, start)


@dataclass
class _Parser:
    tokens: list[Token]
    where: str
    columns: Collection[str] | None
    at: int = 0
    depth: int = 0
    nodes: int = 0

    @property
    def next(self) -> Token:
        return self.tokens[self.at]

    def taken(self) -> Token:
        token = self.next
        self.at += 1
        return token

    def meets(self, sign: str) -> bool:
        return self.next.kind == "sign" and self.next.content == sign

    def demand(self, sign: str, expected: str) -> None:
        if not self.meets(sign):
            raise self.unexpected(expected)
        self.at += 1

    def unexpected(self, expected: str) -> EmberError:
        token = self.next
        fix = "Equality is written with one =." if token.content == "=" else ""
        if token.content == ",":
            fix = "Numbers are written with a decimal point; a comma divides the operands of a function."
        return EmberError(
            f"Expected {expected}, found {token.shown}.", where=place(self.where, token.position), fix=fix
        )

    def refused(self, what: str, token: Token, fix: str = "") -> EmberError:
        return EmberError(what, where=place(self.where, token.position), fix=fix)

    def expression(self, least: int) -> Expression:
        """Return what stands here, with every operator that binds at least as tightly as `least`."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.refused(f"The formula is nested deeper than {DEEPEST} levels.", self.next)
        start = self.next
        left = self.operand()
        while (binds := self.binding()) >= least:
            sign = self.taken()
            after = self.next
            right = self.expression(binds if binds == POWER else binds + 1)
            left = self.counted(self.joined(sign, left, right, start, after), sign)
        self.depth -= 1
        return left

    def binding(self) -> int:
        """Return how tightly the operator that comes next binds; 0 where none does."""
        token = self.next
        if token.kind == "sign" or (token.kind == "name" and token.content in LOGIC):
            return PRECEDENCE.get(token.content, 0)
        return 0

    def joined(self, sign: Token, left: Expression, right: Expression, start: Token, after: Token) -> Expression:
        operator = sign.content
        if operator in LOGIC:
            return Binary(operator, self.as_condition(left, start), self.as_condition(right, after))
        if isinstance(left, Text) or isinstance(right, Text):
            other = right if isinstance(left, Text) else left
            if operator not in ("=", "!=") or not isinstance(other, Column):
                raise self.refused("A text is only compared with a column, by = or !=.", sign)
            return Binary(operator, left, right)
        return Binary(operator, self.as_number(left, start), self.as_number(right, after))

    def operand(self) -> Expression:
        token = self.next
        if token.kind == "number":
            return self.counted(Number(float(self.taken().content)), token)
        if token.kind == "text":
            return self.counted(Text(self.taken().content), token)
        if token.kind == "column":
            return self.column(self.taken())
        if token.kind == "name":
            return self.named()
        if self.meets("-"):
            self.taken()
            after = self.next
            return self.counted(Negative(self.as_number(self.expression(SIGN), after)), token)
        if self.meets("("):
            self.taken()
            inside = self.expression(OR)
            self.demand(")", "an operator or ')'")
            return inside if is_condition(inside) else self.as_number(inside, token)
        raise self.unexpected("a number, a column, a function or '('")

    def named(self) -> Expression:
        token = self.taken()
        if token.content == "not":
            after = self.next
            return self.counted(Not(self.as_condition(self.expression(COMPARISON), after)), token)
        if token.content in WORDS:
            self.at -= 1
            raise self.unexpected("a number, a column, a function or '('")
        return self.call(token) if self.meets("(") else self.column(token)

    def column(self, token: Token) -> Expression:
        if self.columns is not None and token.content not in self.columns:
            nearest = nearest_name(token.content, self.columns)
            raise EmberError(
                f"There is no column '{token.content}'.", where=place(self.where, token.position), nearest=nearest
            )
        return self.counted(Column(token.content), token)

    def call(self, name: Token) -> Expression:
        if name.content not in FUNCTIONS:
            raise EmberError(
                f"There is no function '{name.content}'.",
                where=place(self.where, name.position),
                allowed=FUNCTIONS,
                nearest=nearest_name(name.content, FUNCTIONS),
            )
        self.taken()
        operands: list[Expression] = []
        starts: list[Token] = []
        at_least: int | None = None
        while not (self.meets(")") and not operands):
            if self.sets_at_least():
                at_least = self.setting(name)
                break
            starts.append(self.next)
            operands.append(self.expression(OR))
            if not self.meets(","):
                break
            self.taken()
        self.demand(")", "')'" if at_least is not None else "an operator, ',' or ')'")
        return self.checked(name, operands, starts, at_least)

    def sets_at_least(self) -> bool:
        after = self.tokens[min(self.at + 1, len(self.tokens) - 1)]
        return self.next.kind == "name" and self.next.content == SETTING and after.content == "="

    def setting(self, name: Token) -> int:
        word = self.taken()
        self.taken()
        if not FUNCTIONS[name.content].at_least:
            raise self.refused(f"'{name.content}' takes no {SETTING}=.", word)
        if self.next.kind != "number" or not self.next.content.isdecimal():
            raise self.unexpected("a whole number")
        return int(self.taken().content)

    def checked(self, name: Token, operands: list[Expression], starts: list[Token], at_least: int | None) -> Expression:
        signature = FUNCTIONS[name.content]
        n = len(operands)
        if n < signature.fewest or (signature.most is not None and n > signature.most):
            most = "or more" if signature.most is None else f"to {signature.most}"
            span = str(signature.fewest) if signature.fewest == signature.most else f"{signature.fewest} {most}"
            raise self.refused(f"'{name.content}' takes {span} operands, found {n}.", name)
        if at_least is not None and not 1 <= at_least <= n:
            raise self.refused(f"{SETTING} lies between 1 and the number of operands, {n}.", name)
        conditions = 1 if name.content == "if" else 0
        typed = [self.as_condition(operand, starts[0]) for operand in operands[:conditions]]
        typed += [self.as_number(*pair) for pair in zip(operands[conditions:], starts[conditions:], strict=True)]
        if name.content == "round" and n == 2 and not _is_digits(typed[1]):
            raise self.refused(f"'round' takes a whole number of digits from 0 to {MOST_DIGITS}.", starts[1])
        return self.counted(Call(name.content, tuple(typed), at_least), name)

    def as_number(self, expression: Expression, token: Token) -> Expression:
        if isinstance(expression, Text):
            raise self.refused("A text is not a number.", token, fix='It may only be compared: [column] = "text".')
        if is_condition(expression):
            raise self.refused(
                "A condition is not a number.", token, fix="Write if(condition, 1, 0); join comparisons with and."
            )
        return expression

    def as_condition(self, expression: Expression, token: Token) -> Expression:
        if not is_condition(expression):
            raise self.refused("Expected a condition.", token, fix="Compare with =, !=, <, <=, > or >=.")
        return expression

    def counted(self, expression: Expression, token: Token) -> Expression:
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise self.refused(
                f"The formula has more than {MOST_NODES} parts.",
                token,
                fix="Divide it into several derived columns: a later one may use earlier ones.",
            )
        return expression


def _is_digits(expression: Expression) -> bool:
    return isinstance(expression, Number) and expression.value.is_integer() and expression.value <= MOST_DIGITS
