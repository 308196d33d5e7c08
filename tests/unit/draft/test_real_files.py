"""Drafts of real files: no crash, nothing sure that is wrong, no unit without words that say it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ember.draft.proposal import Proposal
from tests.unit.draft.conftest import DraftFiles
from tests.unit.draft.expectations import TRUE

SURE = 0.8
HOW_TO_READ = {
    "format", "compression", "encoding", "delimiter", "decimal", "header_row", "sample", "unmapped",
}  # fmt: skip
READABLE = (
    "formats/haven/labelled-num.sav", "formats/haven/labelled-num-na.sav", "formats/haven/labelled-str.sav",
    "formats/haven/umlauts.sav", "formats/haven/tagged-na-int.dta", "formats/haven/tagged-na-double.dta",
    "formats/pyreadstat/sample.sav", "formats/pyreadstat/sample.por", "formats/pyreadstat/sample.xpt",
    "formats/pyreadstat/missing_test.dta", "formats/pyreadstat/simple_alltypes.sav",
    "formats/pyreadstat/dates_xpt_v8.xpt", "formats/pyreadstat/hebrews.sav", "cytoprofile/ExampleData2.csv",
)  # fmt: skip
RealFile = Callable[[str], Path]


def statements(proposals: list[Proposal]) -> list[Proposal]:
    return [one for one in proposals if not one.is_open and one.kind not in HOW_TO_READ]


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in TRUE])
def test_what_is_sure_is_true(name: str, real_file: RealFile, draft_files: DraftFiles) -> None:
    proposals = draft_files(real_file(name)).proposals
    said = {(one.kind, one.column, one.proposal): one for one in statements(proposals)}
    sure = {key for key, one in said.items() if one.confidence >= SURE}
    true = TRUE[name]
    n_open = sum(one.is_open for one in proposals)
    print(f"{name}: {len(true & set(said))} hits, {len(true - set(said))} misses, {n_open} open")
    assert sure - true == set()


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in TRUE])
def test_no_unit_is_stated_that_no_word_of_the_file_says(
    name: str, real_file: RealFile, draft_files: DraftFiles
) -> None:
    units = [one for one in statements(draft_files(real_file(name)).proposals) if one.kind == "unit"]
    assert {(one.kind, one.column, one.proposal) for one in units} <= TRUE[name]
    assert all("says '" in one.evidence or "column" in one.proposal for one in units)


def test_most_of_what_the_files_tell_is_recovered(real_file: RealFile, draft_files: DraftFiles) -> None:
    hits, wanted = 0, 0
    for name, true in TRUE.items():
        said = {(one.kind, one.column, one.proposal) for one in statements(draft_files(real_file(name)).proposals)}
        hits, wanted = hits + len(true & said), wanted + len(true)
    print(f"real files: {hits} of {wanted} statements ({hits / wanted:.1%})")
    assert hits >= 0.85 * wanted


@pytest.mark.parametrize("name", [pytest.param(name, id=name) for name in READABLE])
def test_a_file_of_another_subject_is_drafted_without_a_unit(
    name: str, real_file: RealFile, draft_files: DraftFiles
) -> None:
    assert not [one for one in statements(draft_files(real_file(name)).proposals) if one.kind == "unit"]


def test_a_unit_in_brackets_that_is_not_known_is_left_open(real_file: RealFile, draft_files: DraftFiles) -> None:
    # The label says `1000 cell/uL`, which is not `cell/uL`.
    proposals = draft_files(real_file("nhanes/CBC_I.XPT")).proposals
    assert not [one for one in proposals if one.column == "LBDNENO" and one.kind == "unit" and not one.is_open]


def test_a_file_without_names_shows_none_of_its_cells(real_file: RealFile, draft_files: DraftFiles) -> None:
    draft = draft_files(real_file("il6_diurnal/Sothern1995IndividualData.csv"))
    assert {one.kind for one in draft.open_points} >= {"header_row", "names", "participant"}
    assert all(not one.column or one.column.startswith("column_") for one in draft.proposals)


def test_the_draft_of_a_survey_joins_its_tables(real_file: RealFile, draft_files: DraftFiles) -> None:
    names = ("DEMO_I.XPT", "BMX_I.XPT", "DPQ_I.XPT", "HSCRP_I.XPT")
    draft = draft_files(*(real_file(f"nhanes/{name}") for name in names))
    assert draft.tables[0].file.id == "site_demo_i"
    assert all(table.mapping["participant"] == "SEQN" for table in draft.tables)
