"""The report on invented tables: whole, self-contained, careful in its words, the same bytes each time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import polars as pl
import pytest

from ember.consortium.disclosure import profile_of, protect
from ember.errors import EmberError
from ember.registry.load import load_study
from ember.reporting.blocks import Figure, Report, Table
from ember.reporting.html import render_html
from ember.reporting.index import TEMPLATES, render_index
from ember.reporting.pdf import render_pdf
from ember.reporting.report import SECTIONS, build_report
from tests.unit.reporting.invented import VERSION, invented_tables

STUDIES = ("demo", "nhanes")


def make(name: str, **changes: pl.DataFrame) -> Report:
    study, registry = load_study(name)
    tables = invented_tables(study, registry) | changes
    return build_report(protect(tables, profile_of(registry, study.disclosure)), study, registry, VERSION)


@pytest.fixture(scope="module", params=STUDIES)
def report(request: pytest.FixtureRequest) -> Report:
    return make(request.param)


@pytest.fixture(scope="module")
def page(report: Report) -> str:
    return render_html(report, TEMPLATES)


class Tags(HTMLParser):
    """Collects what a page refers to and whether its tags close."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.scripts += tag == "script"
        self.ids += [str(found["id"])] if "id" in found else []
        self.links += [str(found[name]) for name in ("href", "src", "xlink:href") if name in found]


def words_of(report: Report) -> Iterator[str]:
    first = report.first
    yield from (first.answer, first.not_meant, first.caution, first.question)
    for section in report.sections:
        for block in section.blocks:
            if isinstance(block, Figure):
                yield from (block.title, block.caption, block.alternative)
            elif isinstance(block, Table):
                yield from (block.title, *block.notes, *(cell for row in block.rows for cell in row))
            else:
                yield str(block)


def test_the_page_needs_nothing_else(page: str) -> None:
    tags = Tags()
    tags.feed(page)
    assert tags.scripts == 0
    assert all(link.startswith("#") for link in tags.links)
    assert "@import" not in page
    assert "url(http" not in page


def test_ids_are_unique_and_links_lead_somewhere(page: str) -> None:
    tags = Tags()
    tags.feed(page)
    assert len(tags.ids) == len(set(tags.ids))
    assert {link[1:] for link in tags.links} <= set(tags.ids)


def test_every_figure_has_an_alternative_and_a_table_behind_it(report: Report) -> None:
    assert report.figures
    for figure in report.figures:
        assert len(figure.alternative) > 40, figure.id
        assert figure.table is not None and figure.table.rows, figure.id


def test_sections_stand_in_order(report: Report) -> None:
    names = [section.id for section in report.sections]
    assert names == [
        "people", "measures", "quality", "endotypes", "models", "sensitivity", "trial", "run", "decisions",
        "data_dictionary", "limits", "provenance",
    ]  # fmt: skip
    assert len(names) == len(SECTIONS)


def test_the_first_page_carries_the_caution_and_four_numbers(report: Report) -> None:
    assert "a stratification signal, not a diagnosis, not a treatment rule" in report.first.caution
    assert len(report.first.numbers) == 4
    assert report.first.figure is not None


def test_no_word_claims_significance(report: Report) -> None:
    assert not [text for text in words_of(report) if re.search(r"significant(?!\s+digits)|\*\*", text)]


def test_a_survey_says_what_it_is_and_claims_no_response() -> None:
    made = make("nhanes")
    assert "cross-sectional" in made.first.not_meant
    assert "association, not response" in made.first.not_meant
    assert "is associated with" in made.first.answer
    assert not [text for text in words_of(made) if "randomised within" in text]


def test_a_survey_never_pools_its_bands() -> None:
    made = make("nhanes")
    endotypes = next(section for section in made.sections if section.id == "endotypes")
    tables = [block.table for block in endotypes.blocks if isinstance(block, Figure) and block.table is not None]
    assert tables
    assert not [row for table in tables for row in table.rows if row[0].startswith("All")]


def test_a_randomised_study_may_say_changes() -> None:
    assert " changes by " in make("demo").first.answer


def test_an_associational_study_may_not() -> None:
    study, registry = load_study("demo")
    cohort = replace(study, design="cohort")
    tables = protect(invented_tables(study, registry), profile_of(registry, "public"))
    made = build_report(tables, cohort, registry, VERSION)
    assert "changes" not in made.first.answer
    assert "is associated with" in made.first.answer


def test_synthetic_data_say_so(page: str, report: Report) -> None:
    assert ("Synthetic data" in page) == (report.study == "demo")


def test_protected_counts_are_printed_with_a_note() -> None:
    made = make("demo")
    cells = [cell for table in made.tables for row in table.rows for cell in row]
    assert "<10" in cells
    assert any("“<10” stands for a protected count" in note for table in made.tables for note in table.notes)


def test_parts_that_cannot_all_be_small_are_not_called_small() -> None:
    made = make("demo")
    flow = next(table for table in made.tables if table.id == "flow_moderation")
    for column in range(1, len(flow.columns)):
        hidden = [row[column] for row in flow.rows if row[column] in ("<10", "*")]
        known = [row[column] for row in flow.rows if row[0].startswith("  ") and row[column].isdigit()]
        ends = [row[column].replace(",", "") for row in flow.rows if not row[0].startswith("  ")]
        if "<10" in hidden and all(end.isdigit() for end in ends):
            rest = int(ends[0]) - int(ends[1]) - sum(int(n) for n in known)
            assert rest <= 9 * len(hidden)


def test_a_withheld_headline_is_said_to_be_withheld() -> None:
    study, registry = load_study("demo")
    tables = invented_tables(study, registry)
    tables["estimates"] = tables["estimates"].with_columns(pl.lit(9).cast(pl.Int64).alias("n"))
    made = make("demo", estimates=tables["estimates"], curves=tables["curves"])
    assert "withheld" in made.first.answer
    assert render_html(made, TEMPLATES)


def test_a_headline_without_estimates_is_refused() -> None:
    study, registry = load_study("demo")
    wrong = replace(study, report={"headline": {"analysis": "moderation", "model": "absent"}})
    tables = invented_tables(study, registry)
    with pytest.raises(EmberError, match="no estimate"):
        build_report(tables, wrong, registry, VERSION)


def test_excluded_sites_are_named_with_their_reason() -> None:
    study, registry = load_study("demo")
    excluded = replace(study, excluded_sites={"cork": "The laboratory could not name its assay."})
    tables = invented_tables(study, registry)
    page = render_html(build_report(tables, excluded, registry, VERSION), TEMPLATES)
    assert "The laboratory could not name its assay." in page
    assert "1 left out" in page


def test_two_renders_are_the_same_bytes(report: Report) -> None:
    again = make(report.study)
    assert render_html(again, TEMPLATES) == render_html(report, TEMPLATES)
    assert [figure.svg for figure in again.figures] == [figure.svg for figure in report.figures]
    assert render_pdf(again, TEMPLATES) == render_pdf(report, TEMPLATES)


def test_the_pdf_is_tagged_and_names_its_language(report: Report) -> None:
    pdf = render_pdf(report, TEMPLATES)
    assert pdf.startswith(b"%PDF-")
    assert b"/StructTreeRoot" in pdf
    assert b"/Lang" in pdf
    assert b"/CreationDate" not in pdf


def test_text_from_a_study_is_escaped() -> None:
    study, registry = load_study("demo")
    sharp = replace(study, question="Is a < b & c > d?")
    page = render_html(build_report(invented_tables(study, registry), sharp, registry, VERSION), TEMPLATES)
    assert "Is a &lt; b &amp; c &gt; d?" in page


def test_the_index_lists_versions_and_marks_the_current_one() -> None:
    page = render_index("Title", "demo", ["2026.1-a", "2026.1-b"], "2026.1-b")
    assert page.count("report.html") == 2
    assert page.index("2026.1-a") < page.index("2026.1-b")
    assert "latest run" in page.split("2026.1-b")[1]
