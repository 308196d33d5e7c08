"""Shipped schemes, a study's own, and what takes the name of what."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.endotypes.scheme import scheme_rules
from ember.registry.load import PROJECT, load_study
from ember.registry.model import Visit
from ember.registry.schema import schema_findings
from ember.registry.schemes import baseline_visit, resolved_scheme, shipped_names, shipped_scheme
from tests.unit.registry.study_folder import change, findings, write_study

BANDS = "endotypes/bands.yaml"
TAKEN = """\
scheme: mine
like: hscrp_bands
label: Bands of the first week
samples: {from: -7, to: 7}
"""
SHIPPED = {
    "cytokine_supported", "hscrp_above_5", "hscrp_at_least_1", "hscrp_at_least_2", "hscrp_at_least_3", "hscrp_bands",
    "hscrp_persistent", "immuno_metabolic",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_study(tmp_path)


def test_what_is_shipped() -> None:
    assert set(shipped_names(PROJECT)) == SHIPPED


@pytest.mark.parametrize("name", sorted(SHIPPED))
def test_every_shipped_scheme_is_total_and_says_what_the_registry_says(name: str) -> None:
    document = shipped_scheme(PROJECT, name)
    _, registry = load_study("demo")
    assert schema_findings(document, "scheme") == []
    assert document.content["scheme"] == name
    scheme = scheme_rules(resolved_scheme(document.content, [Visit("baseline", 0, -28, 0)]))
    assert scheme.samples.apart == 14 and scheme.samples.last == 0
    for threshold, text in document.content["thresholds"].items():
        row = registry.row("thresholds", threshold)
        assert text == f"{row['analyte']} {row['operator']} {row['value']}"


@pytest.mark.parametrize(
    ("name", "value", "state"),
    [
        pytest.param("hscrp_bands", ">", False, id="above 3"),
        pytest.param("hscrp_at_least_3", ">=", True, id="at least 3"),
        pytest.param("hscrp_above_5", ">", False, id="above 5"),
        pytest.param("hscrp_at_least_1", ">=", True, id="at least 1"),
        pytest.param("hscrp_at_least_2", ">=", True, id="at least 2"),
    ],
)
def test_the_operator_is_part_of_the_scheme(name: str, value: str, state: bool) -> None:
    scheme = scheme_rules(resolved_scheme(shipped_scheme(PROJECT, name).content, [Visit("v", 0, 0, 0)]))
    assert scheme.cuts[scheme.raised - 1].belongs_above == state
    assert (value == ">=") == state


def test_a_study_names_a_shipped_scheme_by_its_id(folder: Path) -> None:
    change(folder, "study.yaml", "from: -7, to: 7}", "from: -7, to: 0}")
    change(folder, "study.yaml", "endotypes: [bands]", "endotypes: [bands, hscrp_bands]")
    study, _ = load_study(str(folder))
    assert study.schemes["hscrp_bands"]["visit"] == "baseline"
    assert study.schemes["hscrp_bands"]["label"] == "hsCRP bands"


def test_a_scheme_takes_over_and_changes(folder: Path) -> None:
    (folder / "endotypes/mine.yaml").write_text(TAKEN, encoding="utf-8")
    change(folder, "study.yaml", "endotypes: [bands]", "endotypes: [bands, mine]")
    mine = load_study(str(folder))[0].schemes["mine"]
    assert mine["samples"] == {"from": -7, "to": 7, "apart": 14}
    assert (mine["label"], mine["acute"]) == ("Bands of the first week", "hscrp_acute")


def test_a_clash_of_names_is_never_silent(folder: Path) -> None:
    own = TAKEN.replace("scheme: mine", "scheme: hscrp_bands")
    path = folder / "endotypes/hscrp_bands.yaml"
    path.write_text(own, encoding="utf-8")
    change(folder, "study.yaml", "endotypes: [bands]", "endotypes: [bands, hscrp_bands]")
    assert any("is the name of a shipped scheme, and this file defines it anew" in text for text in findings(folder))
    path.write_text(own + "overrides: samples of the first week\n", encoding="utf-8")
    assert load_study(str(folder))[0].schemes["hscrp_bands"]["label"] == "Bands of the first week"


@pytest.mark.parametrize(("declared", "counted"), [("in", True), ("out", False)])
def test_persistently_above_is_inflamed_by_declaration(folder: Path, declared: str, counted: bool) -> None:
    change(folder, BANDS, "persistent_above_10: out", f"persistent_above_10: {declared}")
    assert ("persistent_above_10" in load_study(str(folder))[0].schemes["bands"]["inflamed"]) == counted


VISITS = [Visit("screening", -28, -42, -15), Visit("baseline", 0, -14, 7), Visit("week_4", 28, 21, 35)]


@pytest.mark.parametrize(
    ("first", "last", "visit"),
    [
        pytest.param(-90, 0, "baseline", id="the last that begins in the window"),
        pytest.param(-90, -15, "screening", id="only the screening"),
        pytest.param(-90, 28, "week_4", id="into treatment"),
        pytest.param(-90, -60, "", id="none"),
    ],
)
def test_the_visit_of_a_window(first: int, last: int, visit: str) -> None:
    assert baseline_visit({"from": first, "to": last}, VISITS) == visit


SYMPTOMS = """\
scheme: felt
like: immuno_metabolic
samples: {from: -7, to: 7}
"""
NORTH, COURSE = "sites/north.yaml", "analyses/course.yaml"
WITHIN = "within: {{scheme: felt, states: [immuno_metabolic]{more}}}\nmodels:"


def with_symptoms(folder: Path, more: str = "") -> None:
    (folder / "endotypes/felt.yaml").write_text(SYMPTOMS, encoding="utf-8")
    change(folder, "study.yaml", "endotypes: [bands]", "endotypes: [bands, felt]")
    change(folder, NORTH, "phq9: {total: PHQ}", 'phq9: {items: "PHQ{item}"}')
    change(folder, COURSE, "models:", WITHIN.format(more=more))


def test_an_outcome_that_shares_items_with_the_labels_is_refused(folder: Path) -> None:
    with_symptoms(folder)
    assert any("labels participants by symptoms that are items of the outcome (phq9)" in text
               for text in findings(folder))  # fmt: skip


def test_cross_fitting_is_refused_as_not_available_yet(folder: Path) -> None:
    with_symptoms(folder, ", cross_fitted: true")
    assert any("Cross-fitting of felt is not available yet" in text for text in findings(folder))


def test_an_outcome_without_those_items_is_fine(folder: Path) -> None:
    with_symptoms(folder)
    change(folder, NORTH, 'phq9: {items: "PHQ{item}"}', 'phq9: {items: "PHQ{item}"}\n  wsas: {total: W}')
    change(folder, COURSE, "construct: severity", "construct: functioning")
    assert findings(folder) == []


def test_symptoms_need_items(folder: Path) -> None:
    with_symptoms(folder)
    change(folder, NORTH, 'phq9: {items: "PHQ{item}"}', "phq9: {total: PHQ}")
    assert any("No site maps the items of an instrument of the profile energy_related" in text
               for text in findings(folder))  # fmt: skip


def test_within_names_states_of_the_scheme(folder: Path) -> None:
    change(folder, COURSE, "models:", "within: {scheme: bands, states: [inflamed]}\nmodels:")
    assert any("'inflamed' is not a state of the scheme bands" in text for text in findings(folder))
