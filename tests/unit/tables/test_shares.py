import itertools

import polars as pl
import pytest

from ember.tables.shares import share_heights, table_writer
from ember.tables.store import BrokenContractError, conform, read_table

VISITS = pl.DataFrame(
    {
        "site_id": pl.Series(["porto"] * 4, dtype=pl.Categorical),
        "participant_id": ["a", "a", "b", "c"],
        "visit": pl.Series(["baseline", "week_8", "baseline", "baseline"], dtype=pl.Categorical),
        "study_day": [0, 56, 1, None],
        "source_file": "visits.csv",
        "row_number": [2, 3, 4, 5],
    }
)


def written(path, *parts):
    with table_writer(path, "visits") as writer:
        for part in parts:
            writer.write(part)


@pytest.mark.parametrize(
    "cuts",
    [
        pytest.param([0, 4], id="one share"),
        pytest.param([0, 2, 4], id="two"),
        pytest.param([0, 2, 2, 4], id="an empty one between"),
        pytest.param([0, 0, 2, 3, 4], id="the first empty"),
    ],
)
def test_shares_make_the_whole_table(tmp_path, cuts):
    path = tmp_path / "visits.parquet"
    parts = [VISITS[start:end] for start, end in itertools.pairwise(cuts)]
    written(path, *parts)
    assert share_heights(path) == [part.height for part in parts]
    assert read_table(path, "visits").equals(conform(VISITS, "visits").with_columns(pl.col(pl.Categorical).cast(str)))


@pytest.mark.parametrize("cuts", [pytest.param([0, 4], id="one"), pytest.param([0, 2, 3, 4], id="three")])
def test_a_share_is_read_alone(tmp_path, cuts):
    path = tmp_path / "visits.parquet"
    parts = [VISITS[start:end] for start, end in itertools.pairwise(cuts)]
    written(path, *parts)
    start = 0
    for height in share_heights(path):
        found = read_table(path, "visits", rows=(start, height))
        assert found["row_number"].to_list() == VISITS["row_number"][start : start + height].to_list()
        start += height


def test_text_stays_categorical_for_those_who_ask(tmp_path):
    path = tmp_path / "visits.parquet"
    written(path, VISITS[:2], VISITS[2:])
    assert read_table(path, "visits", coded=True).schema["visit"] == pl.Categorical
    assert read_table(path, "visits").schema["visit"] == pl.String


def test_shares_are_written_the_same_twice(tmp_path):
    for name in ("one", "two"):
        written(tmp_path / name, VISITS[:1], VISITS[1:3], VISITS[3:])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_share_that_breaks_the_contract_leaves_no_file(tmp_path):
    path = tmp_path / "visits.parquet"
    with pytest.raises(BrokenContractError, match="nulls"):
        written(path, VISITS, VISITS.with_columns(pl.lit(None, pl.String).alias("visit")))
    assert not list(tmp_path.iterdir())
