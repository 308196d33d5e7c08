"""Answers add up to the total by the instrument's own rule."""

from __future__ import annotations

import numpy as np
import pytest

from ember.registry.load import PROJECT
from ember.registry.registry import Registry, read_registry
from ember.simulate.questionnaires import Item, draw_answers, fill_parts, items_of


@pytest.fixture(scope="module")
def registry() -> Registry:
    return read_registry(PROJECT / "config" / "registry")


def score(answers: np.ndarray, items: tuple[Item, ...]) -> np.ndarray:
    parts: dict[str, np.ndarray] = {}
    for place, item in enumerate(items):
        if item.scored:
            name = item.domain or str(item.number)
            parts[name] = np.maximum(parts.get(name, 0), answers[:, place])
    return np.sum(list(parts.values()), axis=0)


@pytest.mark.parametrize(
    ("instrument", "high"),
    [
        pytest.param("hamd17", 52, id="items of two lengths"),
        pytest.param("madrs", 60, id="ten items"),
        pytest.param("phq9", 27, id="one item that is not scored"),
        pytest.param("qids_sr16", 27, id="highest item of a domain"),
    ],
)
def test_score_of_the_answers_is_the_total(registry: Registry, instrument: str, high: int) -> None:
    items = items_of(instrument, registry)
    totals = np.arange(high + 1, dtype=np.int64)
    answers = draw_answers(np.random.default_rng(3), totals, items)
    assert np.array_equal(score(answers, items), totals)
    assert (answers >= 0).all()
    assert (answers <= np.array([item.high for item in items])).all()


def test_unscored_item_is_asked_too(registry: Registry) -> None:
    items = items_of("phq9", registry)
    answers = draw_answers(np.random.default_rng(3), np.zeros(200, dtype=np.int64), items)
    assert [item.number for item in items if not item.scored] == [10]
    assert answers[:, 9].max() > 0
    assert answers[:, :9].max() == 0


def test_parts_never_overflow() -> None:
    totals = np.array([0, 1, 4, 7], dtype=np.int64)
    points = fill_parts(np.random.default_rng(1), totals, [4, 2, 1])
    assert np.array_equal(points.sum(axis=1), totals)
    assert (points <= np.array([4, 2, 1])).all()
