"""The accounting identity: what came in went somewhere."""

from __future__ import annotations

import pytest

from ember.tables.store import BrokenContractError, polars_schema
from ember.validate.accounting import Account, account_table, chain_faults

STAGES = ("one", "two", "three")


def test_an_account_that_balances():
    account = Account("a", "one", "value", n_in=5, n_created=3, n_out=4, n_collapsed=2, n_quarantined=1, n_excluded=1)
    table = account_table([account])
    assert dict(table.schema) == polars_schema("accounting") and table["n_out"].to_list() == [4]


@pytest.mark.parametrize(
    "numbers",
    [
        pytest.param({"n_in": 1}, id="one_lost"),
        pytest.param({"n_out": 1}, id="one_from_nowhere"),
        pytest.param({"n_in": 1, "n_out": 2, "n_excluded": -1}, id="negative"),
        pytest.param({"n_in": 2, "n_created": -1, "n_out": 1}, id="negative_created"),
    ],
)
def test_an_account_that_does_not_balance_cannot_be_made(numbers):
    with pytest.raises(BrokenContractError, match="rows in one of a"):
        Account("a", "one", "row", **numbers)


def test_nothing_accounts_for_nothing():
    assert account_table([]).height == 0
    assert Account("a", "one", "row").n_out == 0


def test_a_chain_without_a_gap():
    table = account_table([Account("a", stage, "row", n_in=3, n_out=3) for stage in STAGES])
    assert chain_faults(table, STAGES) == []


@pytest.mark.parametrize("order", [pytest.param((0, 1), id="in_order"), pytest.param((1, 0), id="turned")])
def test_a_gap_is_named_with_its_site_and_stage(order):
    lines = [Account("a", "one", "row", n_in=3, n_out=3), Account("a", "two", "row", n_in=2, n_out=2)]
    table = account_table([lines[index] for index in order])
    assert chain_faults(table, STAGES) == ["a: two took in 2 rows of 3"]


def test_sites_and_units_have_chains_of_their_own():
    lines = [Account(site, "one", unit, n_in=n, n_out=n) for site, unit, n in (("a", "row", 3), ("b", "row", 5))]
    lines += [Account("a", "two", "value", n_in=9, n_out=9), Account("b", "two", "row", n_in=5, n_out=5)]
    assert chain_faults(account_table(lines), STAGES) == []


def test_a_stage_outside_the_chain_is_not_compared():
    lines = [Account("a", "one", "row", n_in=3, n_out=3), Account("a", "other", "row", n_in=1, n_out=1)]
    assert chain_faults(account_table(lines), STAGES) == []
