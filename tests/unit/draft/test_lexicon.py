from __future__ import annotations

import pytest

from ember.draft.lexicon import LEAST_SHORTENING


def first(lexicon, kind, text):
    found = lexicon.meanings(kind, text)
    return (found[0].target, found[0].confidence) if found else (None, 0.0)


@pytest.mark.parametrize(
    ("kind", "text", "target"),
    [
        pytest.param("variable", "IDADE", "age", id="Portuguese age"),
        pytest.param("variable", "ålder", "age", id="Swedish age"),
        pytest.param("variable", "alder", "age", id="without its accent"),
        pytest.param("variable", "Alter", "age", id="German age"),
        pytest.param("variable", "âge", "age", id="French age"),
        pytest.param("variable", "edad", "age", id="Spanish age"),
        pytest.param("variable", "leeftijd", "age", id="Dutch age"),
        pytest.param("variable", "Geschlecht", "sex", id="German sex"),
        pytest.param("variable", "kön", "sex", id="Swedish sex"),
        pytest.param("variable", "Raucher", "smoker", id="German smoker"),
        pytest.param("variable", "ryger", "smoker", id="Danish smoker"),
        pytest.param("analyte", "IL-6", "il6", id="IL-6"),
        pytest.param("analyte", "TNF-α", "tnf", id="Greek letter"),
        pytest.param("analyte", "hs-CRP", "hscrp", id="hsCRP"),
        pytest.param("instrument", "PHQ-9", "phq9", id="PHQ-9"),
        pytest.param("role", "Date of randomisation", "randomisation", id="randomisation"),
        pytest.param("role", "redcap_event_name", "visit", id="REDCap event"),
        pytest.param("answer", "weiblich", "female", id="weiblich"),
        pytest.param("answer", "oui", "yes", id="oui"),
    ],
)
def test_a_name_is_sure(kind, text, target, lexicon):
    found, confidence = first(lexicon, kind, text)
    assert found == target
    assert confidence >= 0.75


@pytest.mark.parametrize(
    ("kind", "text", "target"),
    [
        pytest.param("variable", "Age started smoking", "age", id="another age"),
        pytest.param("variable", "BMI category", "bmi", id="a category"),
        pytest.param("variable", "age of mother", "age", id="another person"),
        pytest.param("analyte", "CRP ratio", "hscrp", id="a ratio"),
        pytest.param("analyte", "TNF.B", "tnf", id="another substance"),
        pytest.param("role", "rule_id", "participant", id="the id of something else"),
    ],
)
def test_a_word_that_makes_it_another_thing_is_heard(kind, text, target, lexicon):
    assert target not in [guess.target for guess in lexicon.meanings(kind, text) if guess.confidence >= 0.6]


def test_crp_alone_names_two_assays(lexicon):
    assert {guess.target for guess in lexicon.meanings("analyte", "PCR")} == {"hscrp", "crp_standard"}
    assert max(guess.confidence for guess in lexicon.meanings("analyte", "CRP")) < 0.8


def test_an_abbreviation_is_faint(lexicon):
    found, confidence = first(lexicon, "variable", "advers")
    assert found == "adversity"
    assert confidence < 0.8
    assert first(lexicon, "variable", "ad"[:LEAST_SHORTENING]) == (None, 0.0)
