"""Joins that lead nowhere are found before anything is read."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from ember.registry.check_join import join_findings, joined_by
from ember.registry.model import Join, Source


def source(name, *joins):
    made = Source(name, None, name, "csv")  # type: ignore[arg-type]
    return replace(made, joins=tuple(Join(other, {"k": "k"}, "many_to_one", columns) for other, columns in joins))


def found(study):
    document = SimpleNamespace(place=lambda keys: "study.yaml:" + ".".join(str(key) for key in keys))
    return [str(finding) for one in study.sources.values() for finding in join_findings(study, one, document)]


def study(*sources):
    return SimpleNamespace(sources={one.id: one for one in sources})


def test_a_join_that_leads_somewhere():
    made = study(source("lab", ("keys", ("pid",)), ("dates", ("day",))), source("keys"), source("dates"))
    assert found(made) == []
    assert joined_by(made, "keys") == ["lab"]
    assert joined_by(made, "lab") == []


@pytest.mark.parametrize(
    ("sources", "words"),
    [
        pytest.param([source("lab", ("kezs", ("a",))), source("keys")], ["kezs", "keys"], id="unknown"),
        pytest.param([source("lab", ("lab", ("a",)))], ["joins itself"], id="itself"),
        pytest.param(
            [source("lab", ("mid", ("a",))), source("mid", ("end", ("a",))), source("end")], ["one step"], id="chain"
        ),
        pytest.param(
            [source("lab", ("one", ("a",)), ("two", ("a",))), source("one"), source("two")],
            ["Two joins bring the columns a"],
            id="same-column-twice",
        ),
    ],
)
def test_finding(sources, words):
    findings = found(study(*sources))
    assert len(findings) == 1
    assert all(word in findings[0] for word in words)
