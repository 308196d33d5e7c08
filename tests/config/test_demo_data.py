"""The committed synthetic extracts are what `ember simulate` writes: compared cell by cell, not byte by byte."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ember.extract.readers import read_table
from ember.registry.load import PROJECT, load_study
from ember.registry.registry import read_registry
from ember.simulate.consortium import POPULATION, simulate_consortium, write_consortium
from ember.simulate.design import SHAPES

SHIPPED = {
    "demo": ("demo", PROJECT / "resources" / "demo"),
    "tiny": (str(PROJECT / "tests" / "data" / "tiny"), PROJECT / "tests" / "data" / "tiny" / "extracts"),
}
TEXTS = ("README.md", "planted_faults.csv", "graz/redcap_dictionary.csv")
MOST_BYTES = 3_000_000


@pytest.fixture(scope="module", params=list(SHIPPED))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path, Path]:
    """The study, its committed folder and a folder written anew."""
    study, shipped = SHIPPED[request.param]
    shape = SHAPES[request.param]
    registry = read_registry(PROJECT / "config" / "registry")
    folder = tmp_path_factory.mktemp(shape.name)
    write_consortium(simulate_consortium(shape.seed, registry, shape.name), folder, registry, POPULATION)
    return study, shipped, folder


def test_same_files(pair: tuple[str, Path, Path]) -> None:
    _, shipped, written = pair
    names = [
        sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()) for root in (shipped, written)
    ]
    assert names[0] == names[1]


def test_same_cells_and_metadata(pair: tuple[str, Path, Path]) -> None:
    study, shipped, written = pair
    for source in load_study(study)[0].sources.values():
        committed = read_table(source)
        anew = read_table(replace(source, path=written / source.path.relative_to(shipped)))
        assert committed.frame.equals(anew.frame), source.id
        assert committed.columns == anew.columns, source.id


def test_same_texts(pair: tuple[str, Path, Path]) -> None:
    _, shipped, written = pair
    for name in TEXTS:
        assert (shipped / name).read_text(encoding="utf-8") == (written / name).read_text(encoding="utf-8")


def numbers(content: Any, place: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield from numbers(value, f"{place}/{key}")
    elif isinstance(content, int | float):
        yield place, content


def test_same_truth(pair: tuple[str, Path, Path]) -> None:
    _, shipped, written = pair
    truths = [json.loads((root / "truth.json").read_text(encoding="utf-8")) for root in (shipped, written)]
    committed, anew = (dict(numbers(truth)) for truth in truths)
    assert committed == pytest.approx(anew, abs=2e-4)  # one digit of rounding, on another kind of processor
    assert truths[0]["method"] == truths[1]["method"]


def test_demo_is_small() -> None:
    _, shipped = SHIPPED["demo"]
    assert sum(path.stat().st_size for path in shipped.rglob("*") if path.is_file()) < MOST_BYTES
