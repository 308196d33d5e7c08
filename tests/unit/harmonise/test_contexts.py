"""Distinct combinations: each once, in order of appearance, and back to the rows."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ember.harmonise.contexts import MOST, Contexts

ROWS = pl.DataFrame(
    {
        "unit": ["mg/L", "mg/dL", "mg/L", None, "mg/L", None],
        "text": ["1", "1", "2", "1", "1", "1"],
        "number": [1.0, 1.0, 2.0, None, 1.0, None],
    },
    schema={"unit": pl.Categorical(), "text": pl.String(), "number": pl.Float64()},
)
KEYS = ("unit", "text", "batch", "number")


def wide(n: int) -> pl.DataFrame:
    """Return rows whose keys have more combinations than are numbered without a look."""
    names = [f"c{place}" for place in range(n)]
    keys = {key: pl.Series(np.random.default_rng(seed).choice(names, 3 * n)) for seed, key in enumerate("abc")}
    return pl.DataFrame(keys)


class TestCombinations:
    def test_each_is_there_once_in_order_of_appearance_with_its_rows(self) -> None:
        table = Contexts.of(ROWS, KEYS).table
        assert table.select("unit", "text", "batch", "number", "n").rows() == [
            ("mg/L", "1", None, 1.0, 2),
            ("mg/dL", "1", None, 1.0, 1),
            ("mg/L", "2", None, 2.0, 1),
            (None, "1", None, None, 2),
        ]

    @pytest.mark.parametrize(
        ("numbers", "n"),
        [
            pytest.param([1.0, 1.0], 1, id="equal"),
            pytest.param([1.0, 2.0], 2, id="two_numbers_of_one_text"),
            pytest.param([1.0, None], 2, id="a_number_and_none"),
            pytest.param([float("nan"), None], 2, id="not_a_number_and_none"),
            pytest.param([None, None], 1, id="none"),
        ],
    )
    def test_a_number_that_its_text_does_not_tell_counts(self, numbers: list[float | None], n: int) -> None:
        rows = pl.DataFrame({"text": ["1", "1"], "number": numbers}, schema_overrides={"number": pl.Float64()})
        found = Contexts.of(rows, ("text", "number"))
        assert found.table.height == n
        assert found.table["number"].gather(found.code).eq_missing(rows["number"]).all()

    def test_more_combinations_than_are_numbered_without_a_look(self) -> None:
        rows = wide(200)
        assert MOST < 200**3
        found = Contexts.of(rows, ("a", "b", "c"))
        assert found.table.height == rows.n_unique()
        assert found.table.select("a", "b", "c")[found.code].cast(pl.String).equals(rows)
        assert found.code.unique(maintain_order=True).to_list() == list(range(found.table.height))
        assert found.table["n"].sum() == rows.height

    def test_no_rows_have_none(self) -> None:
        found = Contexts.of(ROWS.clear(), KEYS)
        assert found.table.height == 0
        assert found.spread(["batch", "n"]).columns == [*ROWS.columns, "batch", "n"]


class TestRows:
    def test_without_a_combination_its_rows_are_gone_and_the_others_keep_theirs(self) -> None:
        found = Contexts.of(ROWS, KEYS)
        rest = found.without(found.table["text"].cast(pl.String) == "2")
        assert rest.rows.equals(ROWS.filter(pl.col("text") != "2"))
        assert rest.spread(["n"])["n"].to_list() == [2, 1, 2, 2, 2]

    def test_the_places_of_a_combination_are_those_of_its_rows(self) -> None:
        found = Contexts.of(ROWS.with_row_index("place"), KEYS)
        assert found.places(found.table["unit"].is_null(), ["place"])["place"].to_list() == [3, 5]
