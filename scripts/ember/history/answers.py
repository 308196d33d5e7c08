"""Yes, no and unknown: three-valued answers as nullable booleans, and as words."""

from __future__ import annotations

import polars as pl

YES, NO, UNKNOWN, INDETERMINATE = "yes", "no", "unknown", "indeterminate"


def word(answer: pl.Expr, unknown: str = UNKNOWN) -> pl.Expr:
    """Return the words of answers; null is what nobody knows."""
    return pl.when(answer).then(pl.lit(YES)).when(~answer).then(pl.lit(NO)).otherwise(pl.lit(unknown))


def answer(words: pl.Expr) -> pl.Expr:
    """Return answers in words as booleans; every other word, and none, is unknown."""
    return pl.when(words == YES).then(True).when(words == NO).then(False)


def any_known(answer: pl.Expr) -> pl.Expr:
    """Return over a group: true where one is, null where one may be, else false (also of an empty group)."""
    return pl.when(answer.fill_null(False).any()).then(True).when(answer.is_null().any()).then(None).otherwise(False)


def named_where(names: dict[str, pl.Expr]) -> pl.Expr:
    """Return the names whose condition holds, joined by semicolons; null where none does."""
    told = [pl.when(condition).then(pl.lit(name)) for name, condition in names.items()]
    joined = pl.concat_str(told, separator=";", ignore_nulls=True)
    return pl.when(joined != "").then(joined)
