"""What leaves of treatment histories: counts by site and answer, protected; and what analyses may use."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from ember.consortium.disclosure import profile_of, protect
from ember.history.declared import COLUMNS, has_history, site_steps, uses_history
from ember.history.joined import with_history
from ember.registry.load import load_study
from ember.registry.model import Study
from ember.registry.treatment_model import TreatmentMap, TrialColumn
from ember.reporting.report import build_report
from ember.reporting.summary_history import history_counts
from tests.unit.history.invented import history_of, trial
from tests.unit.reporting.invented import VERSION, invented_tables

RULE: dict[str, Any] = {"reason": "not looked at here"}


def demo(trials: bool = False, dtd: dict[str, Any] | None = None) -> Study:
    """Return the demo study, with a table of trials and a rule for DTD where asked."""
    study, _ = load_study("demo")
    if trials:
        name, site = next(iter(study.sites.items()))
        outcome = TrialColumn("worked", {"0": "none"})
        table = replace(site.tables[0], treatments=TreatmentMap("drug", "background", outcome=outcome))
        study = replace(study, sites={**study.sites, name: replace(site, tables=(table, *site.tables[1:]))})
    return replace(study, dtd=dtd)


def histories(**answers: dict[str, int]) -> pl.DataFrame:
    """Return a history with so many participants of each answer of TRD."""
    one = history_of([trial("sertraline")]).history
    words = [word for word, n in answers["trd"].items() for _ in range(n)]
    whole = pl.concat([one] * len(words))
    return whole.with_columns(pl.Series("trd", words), pl.lit("no").alias("dtd"))


def test_a_study_without_treatments_and_rule_has_no_history() -> None:
    assert not has_history(demo())
    assert site_steps(demo()) == ("standardise_site", "harmonise_site")
    assert site_steps(demo(trials=True)) == ("standardise_site", "harmonise_site", "derive_history")


@pytest.mark.parametrize(
    ("study", "variables"),
    [
        pytest.param(demo(trials=True), ["trd", "msm_band", "anti_inflammatory_before_sample"], id="trials"),
        pytest.param(demo(dtd=RULE), ["dtd", "anti_inflammatory_before_sample"], id="a rule"),
    ],
)
def test_only_what_was_asked_is_counted(study: Study, variables: list[str]) -> None:
    counted = history_counts(study, {"porto": histories(trd={"yes": 2, "no": 1})})
    assert counted["variable"].unique(maintain_order=True).to_list() == variables


def test_every_level_is_counted_and_the_levels_are_everybody() -> None:
    counted = history_counts(demo(trials=True), {"porto": histories(trd={"yes": 2, "indeterminate": 3})})
    assert counted.filter(variable="trd").select("level", "n").rows() == [("yes", 2), ("no", 0), ("indeterminate", 3)]
    assert set(counted.group_by("variable").agg(pl.col("n").sum())["n"]) == {5}


class TestReport:
    def printed(self, study: Study, *answers: dict[str, int]) -> tuple[list[list[str]], str]:
        _, registry = load_study("demo")
        sites = list(study.sites)[: len(answers)]
        counted = history_counts(study, {site: histories(trd=one) for site, one in zip(sites, answers, strict=True)})
        tables = protect(invented_tables(study, registry) | {"history": counted}, profile_of(registry, "sacro"))
        report = build_report(tables, study, registry, VERSION)
        (table,) = [table for table in report.tables if table.id == "history"]
        return table.rows, repr(report.sections)

    def test_a_small_count_does_not_leave_nor_follow_from_the_others(self) -> None:
        rows, _ = self.printed(demo(trials=True), {"yes": 40, "no": 4, "indeterminate": 60})
        assert rows[0] == ["Treatment-resistant depression", ""]
        shown = {row[0].strip(): row[1] for row in rows[1:4]}
        assert shown["no"] == "<10"
        assert len([text for text in shown.values() if not text.isdigit()]) >= 2

    def test_enough_people_are_counted(self) -> None:
        rows, _ = self.printed(demo(trials=True), {"yes": 40, "no": 30, "indeterminate": 60})
        assert [row[1] for row in rows[1:4]] == ["40", "30", "60"]

    def test_it_says_whose_rule_it_is(self) -> None:
        rows, words = self.printed(demo(dtd=RULE), {"yes": 40, "no": 30})
        assert rows[0][0] == "Difficult-to-treat depression, study-defined, not validated"
        assert "it is study-defined, not validated" in words


def test_indeterminate_is_missing_in_an_analysis() -> None:
    known = history_of([trial("sertraline")], samples=(5,))
    people = pl.DataFrame({"site_id": ["s"], "participant_id": ["P1"]})
    joined = with_history(people, known.history)
    assert joined.select(COLUMNS).row(0) == (None, "no", None)


@pytest.mark.parametrize(
    ("analysis", "uses"),
    [
        pytest.param({"models": [{"covariates": ["age", "trd"]}]}, True, id="a covariate"),
        pytest.param({"models": [{}], "population": [{"column": "dtd"}]}, True, id="the population"),
        pytest.param({"models": [{"covariates": ["age"]}], "population": [{"column": "sex"}]}, False, id="neither"),
    ],
)
def test_which_analyses_wait_for_histories(analysis: dict[str, Any], uses: bool) -> None:
    assert uses_history(analysis) == uses
