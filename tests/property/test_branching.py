"""Branching logic of any shape is read back as it was written, and no text does anything but be refused."""

from __future__ import annotations

import contextlib

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from ember.errors import EmberError
from ember.extract.branching import COMPARISONS, Comparison, Condition, Field, Joined, fields_of, parse_branching, shown

FIELDS = st.builds(Field, st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True), st.none() | st.just("v1_arm_1"))
TEXTS = st.from_regex(r"[A-Za-z0-9]([A-Za-z0-9 .-]{0,4}[A-Za-z0-9])?", fullmatch=True)
SIMPLE = st.builds(Comparison, FIELDS, st.sampled_from(COMPARISONS), FIELDS | TEXTS)


def joined(word: str, parts: st.SearchStrategy[Condition]) -> st.SearchStrategy[Condition]:
    return st.builds(Joined, st.just(word), st.lists(parts, min_size=2, max_size=3).map(tuple))


CONDITIONS = st.recursive(SIMPLE, lambda inner: joined("and", inner) | joined("or", inner), max_leaves=6)


def written(condition: Condition) -> str:
    if isinstance(condition, Joined):
        return f" {condition.word} ".join(f"({written(part)})" for part in condition.parts)
    return f"{side(condition.left)} {condition.operator} {side(condition.right)}"


def side(operand: Field | str) -> str:
    if isinstance(operand, str):
        return f"'{operand}'"
    return f"[{operand.event}][{operand.column}]" if operand.event else f"[{operand.column}]"


@given(CONDITIONS)
def test_what_is_written_is_read_back(condition: Condition) -> None:
    assert parse_branching(written(condition), "d.csv:2") == condition


@given(CONDITIONS, st.data())
def test_a_condition_holds_or_not_for_every_row(condition: Condition, data: st.DataObject) -> None:
    cells = st.sampled_from(["", "0", "1", "2.5", "-9", "x", "nan"])
    columns = {
        field: pl.Series(data.draw(st.lists(cells, min_size=3, max_size=3)), dtype=pl.String)
        for field in fields_of(condition)
    }
    result = shown(condition, columns)
    assert result.dtype == pl.Boolean and result.null_count() == 0 and len(result) == 3


@given(st.text(alphabet="[]()'\"=<>!andor 1ab_.-$;\n", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(EmberError):
        parse_branching(text, "d.csv:2")
