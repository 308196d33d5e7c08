"""Mixtures at load: what leads nowhere, and what may never be a feature."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.registry.study_folder import change, findings

MIXTURE = """\
mixture: classes
version: 1
label: Classes
visit: baseline
source: a test of the cross-checks
analytes: [hscrp]
classes: {from: 1, to: 3}
covariance: [diagonal]
starts: 200
variance_floor: 0.001
anchor: hscrp
choose: bic
compare: [bands]
"""


@pytest.fixture
def with_mixture(study: Path) -> Path:
    (study / "mixtures").mkdir()
    (study / "mixtures" / "classes.yaml").write_text(MIXTURE, encoding="utf-8")
    change(study, "study.yaml", "analyses: [course]", "mixtures: [classes]\nanalyses: [course]")
    return study


def test_a_right_one_has_no_findings(with_mixture):
    assert findings(with_mixture) == []


@pytest.mark.parametrize(
    "old, new, text",
    [
        pytest.param("analytes: [hscrp]", "analytes: [hscrp, phq9]", "'phq9' is an outcome", id="instrument"),
        pytest.param("analytes: [hscrp]", "analytes: [hscrp, severity]", "'severity' is an outcome", id="construct"),
        pytest.param(
            "analytes: [hscrp]", "analytes: [hscrp, il6]", "No site of the analysis measures il6", id="unmeasured"
        ),
        pytest.param("analytes: [hscrp]", "analytes: [hscrp, crpx]", "'crpx' is not an analyte", id="unknown"),
        pytest.param("anchor: hscrp", "anchor: il6", "'il6' is not an analyte of the mixture", id="anchor"),
        pytest.param("choose: bic\n", "", "does not say choose", id="absent"),
        pytest.param("from: 1, to: 3", "from: 3, to: 2", "more than the most", id="sizes"),
        pytest.param("starts: 200", "starts: 199", "199", id="starts"),
        pytest.param("visit: baseline", "visit: week_9", "'week_9' is not a visit", id="visit"),
        pytest.param("[bands]", "[band]", "'band' is not an endotype scheme", id="scheme"),
        pytest.param("compare: [bands]", "frozen: other.json", "`starts` has no say", id="fitted_and_frozen"),
    ],
)
def test_findings(with_mixture, old, new, text):
    change(with_mixture, "mixtures/classes.yaml", old, new)
    found = "\n".join(findings(with_mixture))
    assert text in found


def test_a_frozen_mixture_must_be_there(with_mixture):
    frozen = (
        "mixture: classes\nversion: 1\nlabel: Classes\nvisit: baseline\nsource: another study\nfrozen: other.json\n"
    )
    (with_mixture / "mixtures" / "classes.yaml").write_text(frozen, encoding="utf-8")
    assert "The frozen mixture does not exist." in "\n".join(findings(with_mixture))
    (with_mixture / "mixtures" / "other.json").write_text('{"shifts": "by_site"}', encoding="utf-8")
    assert "shifts of its own sites" in "\n".join(findings(with_mixture))
