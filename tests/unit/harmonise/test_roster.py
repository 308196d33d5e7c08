from __future__ import annotations

import polars as pl
import pytest

from ember.harmonise.roster import settle, usable


def cells(*told: tuple[int, float | None, str | None]) -> pl.DataFrame:
    schema = {"person": pl.UInt32, "number": pl.Float64, "rule": pl.String}
    return pl.DataFrame(told, schema=schema, orient="row").with_row_index("at")


CONFLICT = "value.conflict"


@pytest.mark.parametrize(
    ("told", "rules", "repeats"),
    [
        pytest.param([(0, 1.0, None)], [None], [False], id="once"),
        pytest.param([(0, 1.0, None), (0, 1.0, None)], [None, None], [False, True], id="repeat"),
        pytest.param([(0, 1.0, None), (1, 2.0, None)], [None, None], [False, False], id="two people"),
        pytest.param(
            [(0, 1.0, None), (0, 1.0, None), (0, 2.0, None)], [CONFLICT] * 3, [False] * 3, id="one of three differs"
        ),
        pytest.param(
            [(1, 5.0, None), (0, 1.0, None), (1, 5.0, None), (0, 2.0, None)],
            [None, CONFLICT, None, CONFLICT],
            [False, False, True, False],
            id="interleaved people",
        ),
        pytest.param(
            [(0, None, "value.not_numeric"), (0, 1.0, None)],
            ["value.not_numeric", None],
            [False, False],
            id="a refused cell is no opinion",
        ),
        pytest.param([], [], [], id="no cells"),
    ],
)
def test_settle(told: list[tuple[int, float | None, str | None]], rules: list[str | None], repeats: list[bool]) -> None:
    settled = settle(cells(*told), "number").sort("at")
    assert settled["rule"].to_list() == rules
    assert settled["repeat"].to_list() == repeats
    agreed = {person for person, _, rule in told if rule is None} - {
        told[at][0] for at, rule in enumerate(rules) if rule == CONFLICT
    }
    assert sorted(usable(settled)["person"].to_list()) == sorted(agreed)
