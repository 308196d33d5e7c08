import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ember.extract.shares import shares

PEOPLE = st.lists(st.sampled_from(["a", "b", "c", "d", None]), max_size=30)


@pytest.mark.parametrize(
    ("participants", "rows", "expected"),
    [
        pytest.param({"one": []}, 3, [{"one": []}], id="no rows"),
        pytest.param({"one": ["a", "b", "a"]}, 3, [{"one": [0, 1, 2]}], id="one share"),
        pytest.param({"one": ["a", "a", "b", "b"]}, 2, [{"one": [0, 1]}, {"one": [2, 3]}], id="people together"),
        pytest.param({"one": ["a", "b", "a", "b"]}, 2, [{"one": [0, 2]}, {"one": [1, 3]}], id="people apart"),
        pytest.param(
            {"one": ["a", "b"], "two": ["b", "b", "a"]},
            2,
            [{"one": [0], "two": [2]}, {"one": [1], "two": [0, 1]}],
            id="two sources",
        ),
        pytest.param({"one": ["a", "a", "a", "b"]}, 2, [{"one": [0, 1, 2]}, {"one": [3]}], id="more rows than a share"),
    ],
)
def test_shares(participants, rows, expected):
    told = {source: pl.Series(people, dtype=pl.String) for source, people in participants.items()}
    found = [{source: list(rows) for source, rows in share.items()} for share in shares(told, rows)]
    assert found == expected


@given(PEOPLE, PEOPLE, st.integers(1, 12))
def test_every_row_is_in_one_share_and_all_rows_of_a_participant_in_the_same(first, second, rows):
    told = {"one": pl.Series(first, dtype=pl.String), "two": pl.Series(second, dtype=pl.String)}
    found = list(shares(told, rows))
    for source, people in told.items():
        taken = np.concatenate([share[source] for share in found])
        assert sorted(taken) == list(range(people.len()))
        assert all((np.diff(share[source]) > 0).all() for share in found)
    owners = [{p for source, people in told.items() for p in people.gather(share[source])} for share in found]
    assert sum(len(people) for people in owners) == len(set().union(*owners))
