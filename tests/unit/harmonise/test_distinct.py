from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ember.harmonise.distinct import Distinct, first_places


@pytest.mark.parametrize(
    ("cells", "texts"),
    [
        pytest.param([], [], id="no row"),
        pytest.param([None], [""], id="null is empty"),
        pytest.param(["b", "a", "b", None, ""], ["b", "a", ""], id="in order of appearance"),
        pytest.param(["b", "b", "b", "b", "a", "a", "a", "b", "c", "c"], ["b", "a", "c"], id="runs"),
        pytest.param([f"{n * 7919 % 5000}" for n in range(20_000)], None, id="many texts"),
        pytest.param([f"{n // 9 % 700}" for n in range(20_000)], None, id="runs that come again"),
    ],
)
def test_texts_stand_once_and_go_back_to_their_rows(cells: list[str | None], texts: list[str] | None) -> None:
    plain = [cell or "" for cell in cells]
    found = Distinct.of(pl.Series(cells, dtype=pl.String))
    assert found.texts.to_list() == (list(dict.fromkeys(plain)) if texts is None else texts)
    assert found.spread(found.texts).to_list() == plain


def test_a_slice_of_a_longer_column_is_read_as_it_stands() -> None:
    whole = pl.concat([pl.Series(["x", "y"]), pl.Series(["z", "y", "y", "y", "y"])], rechunk=False)
    assert Distinct.of(whole.slice(1, 4)).spread(Distinct.of(whole.slice(1, 4)).texts).to_list() == ["y", "z", "y", "y"]


def test_reads_each_text_once() -> None:
    found = Distinct.of(pl.Series([" 1", "2 ", " 1", None]))
    assert found.read(lambda text: text.str.strip_chars().cast(pl.Int16, strict=False)).to_list() == [1, 2, 1, None]


def test_first_places_are_those_of_the_first_row() -> None:
    assert first_places(np.array([2, 0, 2, 0]), 4).tolist() == [1, 4, 0, 4]
