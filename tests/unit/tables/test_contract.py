"""Contracts as they are read, and that every shipped one is sound."""

from __future__ import annotations

import pytest

from ember.tables.contract import CONTRACTS_FOLDER, contract
from ember.tables.store import POLARS_TYPES

NAMES = sorted(path.stem for path in CONTRACTS_FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in NAMES])
def test_every_contract_is_sound(name):
    rules = contract(name)
    assert rules.table == name and rules.description
    assert len(set(rules.names)) == len(rules.names) > 0
    assert set(rules.key) <= set(rules.names)
    assert {column.type for column in rules.columns} <= set(POLARS_TYPES)
    for column in rules.columns:
        assert rules.by_name[column.name] is column
        assert column.low is None or column.high is None or column.low <= column.high


def test_columns_that_a_site_may_fill():
    mapped = contract("participants").mapped
    assert {"age", "sex", "arm"} <= set(mapped)
    assert "participant_id" not in mapped


def test_a_contract_is_read_once_and_can_be_a_key():
    assert contract("visits") is contract("visits")
    assert len({contract("visits").columns[0], contract("visits").columns[0]}) == 1


def test_no_contract_of_that_name():
    with pytest.raises(FileNotFoundError):
        contract("nothing")
