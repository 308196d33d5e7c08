import polars as pl
import pytest

from ember.extract.raw_file import write_raw
from ember.extract.raw_shares import raw_shares

TOGETHER = ["a", "a", "b", "b", "c", "c"]
APART = ["a", "b", "c", "c", "a", "b", None]


@pytest.fixture
def paths(tmp_path):
    def written(**participants):
        for source, people in participants.items():
            rows = pl.DataFrame(
                {
                    "_row": range(2, len(people) + 2),
                    "_participant": people,
                    "value": [f"{source}{n}" for n, _ in enumerate(people)],
                },
                schema={"_row": pl.Int64, "_participant": pl.String, "value": pl.String},
            )
            batches = [("porto", rows[:3]), ("lima", rows[:2]), ("porto", rows[3:])]
            write_raw(batches, {}, tmp_path / f"{source}.parquet", file=f"{source}.csv", sheet=None)
        return {source: tmp_path / f"{source}.parquet" for source in participants}

    return written


@pytest.mark.parametrize("rows", [pytest.param(n, id=f"{n} rows a share") for n in (1, 2, 3, 5, 100)])
@pytest.mark.parametrize("people", [pytest.param(TOGETHER, id="together"), pytest.param(APART, id="apart")])
def test_shares_hold_every_row_of_the_site_once_and_in_file_order(paths, people, rows):
    found = [share["one"][0] for share in raw_shares(paths(one=people), "porto", rows)]
    whole = pl.concat(found)
    assert sorted(whole["value"]) == [f"one{n}" for n, _ in enumerate(people)]
    assert all(share["_row"].is_sorted() for share in found)
    assert set(whole["_site"]) == {"porto"}
    owners = [set(share["_participant"]) for share in found]
    assert sum(map(len, owners)) == len(set(people))


def test_rows_of_a_participant_come_from_all_sources_together(paths):
    found = list(raw_shares(paths(one=TOGETHER, two=APART), "porto", 5))
    assert len(found) > 1
    for share in found:
        one, two = (set(share[source][0]["_participant"].drop_nulls()) for source in ("one", "two"))
        assert one == two


def test_a_source_without_rows_of_the_share_keeps_its_columns(paths):
    found = list(raw_shares(paths(one=["a", "a", "a"], two=["b", "b", "b"]), "porto", 3))
    assert [share["two"][0].height for share in found] == [0, 3]
    assert found[0]["two"][0].columns == found[1]["two"][0].columns
