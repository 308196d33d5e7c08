"""Ledger entries and the catalogue of their rules."""

from __future__ import annotations

import polars as pl
import pytest

from ember.tables.contract import contract
from ember.tables.store import conform, polars_schema
from ember.validate.ledger import count, entries, join_entries, rules

PLACE = {"source_file": ["a.csv", "a.csv"], "row_number": [3, 2]}


def rule_of(action: str, unit: str) -> str:
    return next(rule.id for rule in rules().values() if (rule.action, rule.unit) == (action, unit))


@pytest.mark.parametrize("rule", [pytest.param(rule, id=rule.id) for rule in rules().values()])
def test_every_rule_is_complete(rule):
    columns = contract("ledger").by_name
    for name in ("unit", "severity", "action"):
        assert getattr(rule, name) in columns[name].allowed, name
    assert rule.version and rule.category and rule.title and rule.reason


def test_one_entry_a_row_with_the_rule_written_out():
    rule = rules()[rule_of("quarantined", "value")]
    found = entries(pl.DataFrame({**PLACE, "column": ["x", "y"]}), rule.id, site="lund", stage="s", message="a number")
    assert dict(found.schema) == polars_schema("ledger")
    assert found.select("row_number", "column", "rule_id", "action", "reason").rows() == [
        (3, "x", rule.id, "quarantined", rule.reason), (2, "y", rule.id, "quarantined", rule.reason),
    ]  # fmt: skip
    assert conform(found, "ledger").height == 2


def test_the_study_s_own_reason_stands_in_place_of_the_rule_s():
    found = entries(pl.DataFrame(PLACE), rule_of("excluded", "value"), site=None, stage="s", reason="assay recalled")
    assert found["reason"].unique().to_list() == ["assay recalled"]
    assert found["site_id"].null_count() == found["sheet"].null_count() == found["column"].null_count() == 2


def test_no_rows_make_no_entries():
    empty = pl.DataFrame(schema={"source_file": pl.String, "row_number": pl.Int64})
    assert entries(empty, rule_of("excluded", "value"), site="a", stage="s").height == 0


def test_an_unknown_rule_is_an_error():
    with pytest.raises(KeyError):
        entries(pl.DataFrame(PLACE), "no.such_rule", site="a", stage="s")


def test_joined_parts_stand_in_order_of_the_file():
    value, row = rule_of("quarantined", "value"), rule_of("excluded", "row")
    first = entries(pl.DataFrame({**PLACE, "column": ["x", "x"]}), value, site="a", stage="s")
    second = entries(pl.DataFrame({"source_file": ["a.csv"], "row_number": [2]}), row, site="a", stage="s")
    joined = join_entries([first, second])
    assert joined.select("row_number", "column").rows() == [(2, None), (2, "x"), (3, "x")]
    assert joined.equals(join_entries([second, first]))
    assert count(joined, "quarantined", "value") == 2 and count(joined, "excluded", "row") == 1
    assert join_entries([]).height == 0
