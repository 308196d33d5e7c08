"""Outcomes stand in the framework's order wherever they are listed: functioning first, symptoms last."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from ember.consortium.disclosure import profile_of, protect
from ember.registry.load import load_study
from ember.registry.model import InstrumentMap, Study
from ember.registry.registry import Registry
from ember.reporting.blocks import Heading
from ember.reporting.dictionary import dictionary
from ember.reporting.report import build_report
from ember.reporting.summary_characteristics import _lines
from ember.reporting.summary_quality import QUALITY, _expected
from ember.tables.contract import contract
from tests.unit.reporting.invented import VERSION, invented_tables

MAPPED = ("madrs", "dsst_120s", "eq_vas", "wsas")
IN_ORDER = ["wsas", "eq_vas", "dsst_120s", "madrs"]


@pytest.fixture(scope="module")
def demo() -> tuple[Study, Registry]:
    return load_study("demo")


@pytest.fixture(scope="module")
def with_outcomes(demo: tuple[Study, Registry]) -> Study:
    study, _ = demo
    site = next(iter(study.sites.values()))
    table = replace(site.tables[0], instruments={name: InstrumentMap(total=name.upper()) for name in MAPPED})
    return replace(study, sites={site.id: replace(site, tables=(table,))})


def test_in_the_dictionary(demo: tuple[Study, Registry], with_outcomes: Study) -> None:
    table = dictionary(with_outcomes, demo[1], {}, pl.DataFrame(schema=QUALITY))
    assert table.filter(pl.col("source") == "scores")["variable"].to_list() == IN_ORDER


def test_in_the_table_of_completeness(demo: tuple[Study, Registry], with_outcomes: Study) -> None:
    lines = _expected(with_outcomes, next(iter(with_outcomes.sites.values())), demo[1])
    assert list(dict.fromkeys(variable for table, variable, _ in lines if table == "scores")) == IN_ORDER


def test_in_the_table_of_characteristics(demo: tuple[Study, Registry], with_outcomes: Study) -> None:
    names = {"arm": pl.String, "site_id": pl.String, **{f"score_{name}": pl.Float64 for name in MAPPED}}
    empty = {name: [None] for name in (*contract("participants").mapped, *names)}
    people = pl.DataFrame(empty, schema_overrides=names)
    variables = [line["variable"] for line in _lines(demo[1], people, people)]
    assert [name for name in variables if name.startswith("score_")] == [f"score_{name}" for name in IN_ORDER]


def test_in_the_models_of_the_report(demo: tuple[Study, Registry]) -> None:
    study, registry = demo
    main = study.report["headline"]["analysis"]
    first = study.analyses[main]
    work = {**first, "analysis": "work", "title": "Work", "outcome": {**first["outcome"], "construct": "functioning"}}
    both = replace(study, analyses={**study.analyses, "work": work})
    report = build_report(
        protect(invented_tables(both, registry), profile_of(registry, both.disclosure)), both, registry, VERSION
    )
    section = next(section for section in report.sections if section.id == "models")
    titles = [block.text for block in section.blocks if isinstance(block, Heading)]
    named = {f"{content['title']} ({content['role']})": name for name, content in both.analyses.items()}
    assert [named[title] for title in titles if title in named] == ["work", *study.analyses]
