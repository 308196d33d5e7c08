"""The one filter of a table's own rows, which every reader of a shared source uses."""

from __future__ import annotations

import polars as pl
import pytest

from ember.extract.claims import claim_rows
from ember.extract.own_rows import other_tests, own_rows
from ember.registry.model import CodedColumn, LaboratoryMap, RowFilter, Site, Source, TableMap

FRAME = pl.DataFrame({"clinic": ["A", " A ", "B", "", " ", None, "a"]})


@pytest.mark.parametrize(
    ("equals", "expected"),
    [
        pytest.param("A", [0, 1], id="outer-white-space-does-not-count-and-case-does"),
        pytest.param(" A ", [0, 1], id="nor-in-the-site-file"),
        pytest.param("", [3, 4, 5], id="empty-asks-for-rows-without-a-text"),
        pytest.param("C", [], id="none"),
    ],
)
def test_own_rows(tmp_path, equals, expected):
    table = TableMap("s", "p", rows=RowFilter("clinic", equals))
    found = own_rows(FRAME, table)
    assert found.arg_true().to_list() == expected
    source = Source("s", tmp_path / "s.csv", "s.csv", "csv")
    claimed = claim_rows(FRAME, source, [(Site("x", "x", (table,)), table)])
    assert claimed.is_not_null().to_list() == found.to_list()


def test_a_table_without_rows_has_them_all():
    assert own_rows(FRAME, TableMap("s", "p")).all()


@pytest.mark.parametrize(
    ("others", "expected"),
    [pytest.param("quarantine", [], id="quarantine"), pytest.param("ignore", [2, 6], id="ignore")],
)
def test_other_tests(others, expected):
    analyte = CodedColumn("clinic", {" A": "hscrp"})
    table = TableMap("s", "p", laboratory=LaboratoryMap(analyte, "v", "mg/L", others=others))
    assert other_tests(FRAME, table).arg_true().to_list() == expected


def test_a_table_without_tests_has_no_others():
    assert not other_tests(FRAME, TableMap("s", "p")).any()
