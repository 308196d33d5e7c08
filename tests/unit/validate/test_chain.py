"""No row, value or participant is lost between stages."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from ember.tables.store import BrokenContractError, read_table, write_table
from ember.validate.accounting import Account, account_table
from ember.validate.chain import collect_accounts


def parts(**changes: int) -> list[pl.DataFrame]:
    """Return the accounts of one site over all stages; a change replaces what a stage takes in and lets out."""
    number = {"rows": 7, "values": 30, "harmonised_people": 6, "states": 6, "analysed": 6, **changes}
    source = "read_source"
    return [
        account_table([Account("a", source, "row", 5, 0, 5), Account("", source, "row", 1, n_excluded=1)]),
        account_table([Account("a", source, "row", 2, 0, 2), Account("", source, "row", 2, n_excluded=2)]),
        account_table(
            [
                Account("a", "standardise_site", "row", number["rows"], 0, number["rows"]),
                Account("a", "standardise_site", "value", 0, 40, 30, n_excluded=10),
                Account("a", "standardise_site", "participant", 0, 6, 6),
            ]
        ),
        account_table(
            [
                Account("a", "harmonise_site", "value", number["values"], 2, 20, number["values"] - 18),
                Account("a", "harmonise_site", "participant", number["harmonised_people"], 0, 6,
                        n_quarantined=number["harmonised_people"] - 6),
            ]
        ),
        account_table([Account("a", "endotypes:bands", "participant", number["states"], 0, number["states"])]),
        account_table([Account("a", "analysis:main", "participant", number["analysed"], 0, 4,
                               n_excluded=number["analysed"] - 4)]),
    ]  # fmt: skip


def test_lines_of_several_sources_are_added_up() -> None:
    joined = collect_accounts(parts())
    rows = joined.filter(pl.col("stage") == "read_source").select("site", "n_in", "n_out", "n_excluded").rows()
    assert rows == [("a", 7, 7, 0), ("", 3, 0, 3)]
    assert joined.height == 9


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"rows": 6}, "standardise_site took in 6 rows of 7", id="rows"),
        pytest.param({"values": 31}, "harmonise_site took in 31 values of 30", id="values"),
        pytest.param({"harmonised_people": 8}, "harmonise_site took in 8 participants of 6", id="participants"),
        pytest.param({"states": 5}, "endotypes:bands took in 5 participants of 6", id="endotypes"),
        pytest.param({"analysed": 7}, "analysis:main took in 7 participants of 6", id="analysis"),
    ],
)
def test_a_broken_link_is_refused(change: dict[str, int], words: str) -> None:
    with pytest.raises(BrokenContractError, match=words):
        collect_accounts(parts(**change))


def test_a_missing_link_is_refused() -> None:
    with pytest.raises(BrokenContractError, match="harmonise_site never let out"):
        collect_accounts(parts()[:3] + parts()[4:])


def test_an_account_that_does_not_balance_is_refused() -> None:
    broken = parts()
    broken[0] = broken[0].with_columns(n_out=pl.lit(4, dtype=pl.Int64))
    with pytest.raises(BrokenContractError, match="came"):
        collect_accounts(broken)


def test_rows_of_no_site_survive_csv(tmp_path: Path) -> None:
    write_table(parts()[0], tmp_path / "a.csv", "accounting")
    read = read_table(tmp_path / "a.csv", "accounting")
    assert read.equals(parts()[0])
