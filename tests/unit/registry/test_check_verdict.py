"""Plans of verdicts about types: shipped ones, a study's own, and what leads nowhere in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.registry.load import PROJECT, load_study
from tests.unit.registry.study_folder import change, findings

OWN = "verdicts/inflamed_type.yaml"


@pytest.fixture
def judged(study: Path) -> Path:
    """Return the small study with a verdict of its own: the shipped rule on the one analyte that it measures."""
    change(study, "study.yaml", "analyses: [course]", "verdicts: [inflamed_type]\nanalyses: [course]")
    shipped = (PROJECT / "config/registry" / OWN).read_text(encoding="utf-8")
    (study / "verdicts").mkdir()
    (study / OWN).write_text(shipped.replace("[hscrp, il6, tnf]", "[hscrp]"), encoding="utf-8")
    return study


def test_a_sound_plan(judged: Path) -> None:
    assert findings(judged) == []
    assert load_study(str(judged))[0].verdicts["inflamed_type"]["markers"] == ["hscrp"]


def test_a_shipped_plan_needs_no_file_and_its_markers_must_be_measured(judged: Path) -> None:
    (judged / OWN).unlink()
    found = "\n".join(findings(judged))
    assert "No site of the analysis measures il6" in found
    assert "config/registry/verdicts/inflamed_type.yaml" in found


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        pytest.param("[hscrp]", "[hscpr]", "Nearest: hscrp", id="marker"),
        pytest.param("visit: baseline", "visit: basline", "Nearest: baseline", id="visit"),
        pytest.param("threshold: hscrp_acute", "threshold: hscrp_acut", "Nearest: hscrp_acute", id="threshold"),
        pytest.param("value: 10}", "value: 8}", "The registry says that hscrp_acute is hscrp > 10", id="other-value"),
        pytest.param("missing: passes, source: osimo_2020", "source: osimo_2002", "'osimo_2002' is not", id="source"),
        pytest.param("bootstrap: 99", "bootstrap: 19", "With 19 samples", id="one-in-twenty-is-just-enough"),
        pytest.param("least: 0.10, greatest: 0.90", "least: 0.9, greatest: 0.9", "not below the greatest", id="rates"),
        pytest.param("over: mean, operator: \">\"", "over: most, operator: \">\"", "'most'", id="over"),
        pytest.param("people: 300", "people: 200", "people", id="fewer-than-the-method-needs"),
    ],
)  # fmt: skip
def test_finding(judged: Path, old: str, new: str, expected: str) -> None:
    text = (judged / OWN).read_text(encoding="utf-8").replace(old, new)
    (judged / OWN).write_text(text.replace("value: 0.05", "value: 0.04") if "bootstrap" in old else text, "utf-8")
    found = "\n".join(findings(judged))
    assert expected in found
    assert bool(found) == bool(expected)


def test_a_type_needs_the_likelihood_ratio(judged: Path) -> None:
    text = (judged / OWN).read_text(encoding="utf-8")
    line = '    - {witness: p_value, over: each, operator: "<=", value: 0.05, source: mclachlan_1987}\n'
    assert line in text
    (judged / OWN).write_text(text.replace(line, ""), encoding="utf-8")
    assert "without the likelihood ratio" in "\n".join(findings(judged))
