"""What the report says of a verdict about types, from the protected tables alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
import yaml

from ember.consortium.disclosure import profile_of, protect
from ember.endotypes.discreteness.judgement import judge
from ember.endotypes.discreteness.tables import condition_table, curve_table, witness_table
from ember.registry.load import PROJECT, load_study
from ember.reporting.blocks import Figure, Text
from ember.reporting.facts import Facts
from ember.reporting.parts import VERDICTS, optional_tables
from ember.reporting.section_verdict import verdict_blocks
from tests.unit.endotypes.discreteness.panels import classes, dimension, panel_of_values
from tests.unit.reporting.invented import VERSION

NAME = "inflamed_type"


def facts_of(values) -> Facts:
    """Return the facts of a study with one verdict on these values."""
    plan = yaml.safe_load((PROJECT / f"config/registry/verdicts/{NAME}.yaml").read_text(encoding="utf-8"))
    study, registry = load_study("demo")
    judged = judge(panel_of_values(values, limit=-2.0), plan, 1)
    tables = {
        "verdict_conditions": condition_table(NAME, plan, judged),
        "verdict_witnesses": witness_table(NAME, plan, judged, ["porto"], []),
        "verdict_curves": curve_table(NAME, plan, judged),
    }
    protected = protect(tables, profile_of(registry, "sacro"))
    return Facts(protected, replace(study, verdicts={NAME: plan}), registry, VERSION)


@pytest.mark.parametrize(
    ("values", "verdict", "figures"),
    [
        pytest.param(classes(1, n=800), "type", 2, id="classes"),
        pytest.param(dimension(2, n=800), "shift", 2, id="dimension"),
        pytest.param(dimension(2, n=200), "undecidable", 1, id="too-few-for-taxometrics"),
        pytest.param(dimension(2, n=40), "undecidable", 0, id="too-few-for-anything"),
    ],
)
def test_one_paragraph_its_plots_and_its_tables(values, verdict: str, figures: int) -> None:
    blocks = verdict_blocks(facts_of(values))
    texts = [block.text for block in blocks if isinstance(block, Text)]
    assert len(texts) == 1
    assert texts[0].startswith(f"Verdict: {verdict}.")
    assert sum(isinstance(block, Figure) for block in blocks) == figures
    assert [block.id for block in blocks[-2:]] == [f"verdict_{NAME}_rule", f"verdict_{NAME}_witnesses"]


def test_a_study_without_a_verdict_says_nothing_of_it() -> None:
    study, registry = load_study("demo")
    without = replace(study, verdicts={})
    assert verdict_blocks(Facts({}, without, registry, VERSION)) == []
    assert not set(VERDICTS) & set(optional_tables(without))
