"""The page of a gate: counts alone, nothing from outside, the same bytes for the same verdicts."""

from __future__ import annotations

import re

import polars as pl
import pytest

from ember.registry.model import GateChange
from ember.tables.store import empty_table
from ember.validate.gate_page import render_gate_page
from ember.validate.gates import gate_frame
from tests.unit.validate.dirty import clean, dirty, parts, study

CHANGES = (GateChange("visits.visit.allowed", "a <visit> of its own", share=0.25),)


def verdicts(sites: dict[str, dict[str, pl.DataFrame]]) -> pl.DataFrame:
    return gate_frame("harmonised", parts("harmonised", sites, CHANGES), sites)


@pytest.fixture(scope="module")
def page() -> str:
    return render_gate_page("harmonised", verdicts({"a": dirty(), "b": clean()}), study())


def test_it_needs_nothing_else(page: str) -> None:
    assert not re.search(r"<script|<link|https?://|url\(|@import| src=", page)
    assert "prefers-color-scheme: dark" in page
    assert set(re.findall(r'href="([^"]+)"', page)) == {"standardised.html", "analysis.html"}


def test_failures_with_counts_by_site(page: str) -> None:
    row = next(part for part in page.split("<tr>") if "measurements.value.hard_limits.hscrp" in part)
    assert "2 / 4" in row and "2 / 3" in row and "0 / 1" in row and 'class="error"' in row


def test_a_share_and_its_reason_are_shown_and_escaped(page: str) -> None:
    row = next(part for part in page.split("<tr>") if "visits.visit.allowed" in part)
    assert "25 %" in row and "a &lt;visit&gt; of its own" in row and 'class="held"' in row


def test_three_categories_and_no_participant(page: str) -> None:
    for category in ("Conformance", "Completeness", "Plausibility"):
        assert category in page
    assert not re.search(r"\bp[123]\b|stranger", page)


def test_the_same_verdicts_give_the_same_bytes(page: str) -> None:
    assert page == render_gate_page("harmonised", verdicts({"a": dirty(), "b": clean()}), study())


@pytest.mark.parametrize("gate", ["standardised", "harmonised", "analysis"])
def test_nothing_was_checked(gate: str) -> None:
    assert "Nothing was checked." in render_gate_page(gate, empty_table("gates"), study())
