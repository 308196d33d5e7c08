"""Of whom every treatment of a kind is known: only lists that say so, of the kinds that they name."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ember.history.lists import listed
from ember.registry.build import build_site

PEOPLE = pl.DataFrame({"site_id": ["s", "s"], "participant_id": ["with", "without"]})
ROWS = pl.DataFrame({"participant_id": ["with"], "list": ["drugs"]})
COMPLETE = {"kinds": ["antidepressant", "augmentation"], "reason": "asked of everybody"}
TRIAL = {"outcome": {"column": "worked", "codes": {"0": "none"}}, "episode": "current"}


@pytest.mark.parametrize(
    ("mapping", "kinds", "trials", "expected"),
    [
        pytest.param({}, ["antidepressant"], False, [False, False], id="a list that says nothing"),
        pytest.param({"complete": COMPLETE}, ["antidepressant"], False, [True, False], id="who has a row"),
        pytest.param(
            {"complete": {**COMPLETE, "without_rows": "none"}}, ["antidepressant"], False, [True, True], id="all"
        ),
        pytest.param({"complete": COMPLETE}, ["antidepressant", "diet"], False, [False, False], id="not of every kind"),
        pytest.param(
            {"complete": COMPLETE}, ["antidepressant"], True, [False, False], id="a list that tells no trials"
        ),
        pytest.param({"complete": COMPLETE, **TRIAL}, ["antidepressant"], True, [True, False], id="a list of trials"),
    ],
)
def test_who_is_known(mapping: dict[str, Any], kinds: list[str], trials: bool, expected: list[bool]) -> None:
    table = {"participant": "id", "treatments": {"name": "drug", "role": "background", **mapping}}
    site = build_site({"site": "s", "tables": {"drugs": table, "other": {"participant": "id"}}})
    assert listed(site, kinds, PEOPLE, ROWS, trials=trials).to_list() == expected


def test_rows_of_another_list_make_nobody_known() -> None:
    table = {"participant": "id", "treatments": {"name": "drug", "role": "background", "complete": COMPLETE}}
    site = build_site({"site": "s", "tables": {"drugs": table}})
    others = ROWS.with_columns(pl.lit("notes").alias("list"))
    assert listed(site, ["antidepressant"], PEOPLE, others).to_list() == [False, False]
