"""The registry tables: keys, units, a study's own rows, and overrides."""

from __future__ import annotations

from pathlib import Path

import pytest

from ember.errors import EmberError
from ember.registry.load import PROJECT
from ember.registry.registry import KEYS, Registry, read_registry
from tests.unit.registry.study_folder import change, findings

SHARED = PROJECT / "config" / "registry"
HEADER = (SHARED / "thresholds.csv").read_text(encoding="utf-8").splitlines()[0]


@pytest.fixture(scope="module")
def registry() -> Registry:
    return read_registry(SHARED)


def own_table(study: Path, name: str, text: str) -> None:
    folder = study / "registry"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def threshold(key: str) -> str:
    return f"{HEADER}\n{key},hscrp,>,5,mg/L,Above 5,a test,false\n"


def test_every_table_is_read(registry: Registry) -> None:
    assert set(registry.tables) == set(KEYS)
    assert all(registry.rows(table) for table in KEYS)


@pytest.mark.parametrize(
    ("unit", "analyte", "expected"),
    [
        pytest.param("mg/L", "hscrp", "mg/L", id="canonical"),
        pytest.param(" mg/L ", "hscrp", "mg/L", id="white-space"),
        pytest.param("MG/L", "hscrp", "mg/L", id="alias"),
        pytest.param("10*3/uL", "wbc", "10*3/uL", id="power-of-ten"),
        pytest.param("pg/mL", "wbc", None, id="unit-of-another-analyte"),
        pytest.param("furlong", "hscrp", None, id="unknown"),
        pytest.param("", "hscrp", None, id="blank"),
        pytest.param("mg/L", "crp2", None, id="unknown-analyte"),
    ],
)
def test_ucum(registry: Registry, unit: str, analyte: str, expected: str | None) -> None:
    assert registry.ucum(unit, analyte) == expected


def test_a_row_that_is_not_there_names_the_nearest(registry: Registry) -> None:
    with pytest.raises(EmberError) as caught:
        registry.row("analytes", "hscpr")
    assert caught.value.nearest == "hscrp"


def test_a_study_adds_a_row(study: Path) -> None:
    own_table(study, "thresholds.csv", threshold("above_5"))
    assert findings(study) == []
    own = read_registry(SHARED, study / "registry")
    assert own.row("thresholds", "above_5")["value"] == "5"
    assert not read_registry(SHARED).has("thresholds", "above_5")


def test_a_study_changes_a_shared_row_only_with_a_declared_override(study: Path) -> None:
    own_table(study, "thresholds.csv", threshold("hscrp_high"))
    assert any("changes a shared row" in text for text in findings(study))
    override = "overrides: [{table: thresholds, key: hscrp_high, reason: the protocol says five}]\n"
    change(study, "study.yaml", "seed: 1\n", f"seed: 1\n{override}")
    assert findings(study) == []
    assert read_registry(SHARED, study / "registry", [("thresholds", "hscrp_high")]).row(
        "thresholds", "hscrp_high"
    )["value"] == "5"  # fmt: skip


def test_an_override_names_a_table(study: Path) -> None:
    override = "overrides: [{table: treshold, key: x, reason: the protocol says five}]\n"
    change(study, "study.yaml", "seed: 1\n", f"seed: 1\n{override}")
    assert any("'treshold' is not a table" in text and "Nearest: thresholds" in text for text in findings(study))


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        pytest.param("analyte.csv", "x\n", "Nearest: analytes", id="table-with-another-name"),
        pytest.param("thresholds.csv", "x,y\n1,2\n", "column threshold is missing", id="no-key-column"),
        pytest.param("thresholds.csv", "threshold,value\na,1\n", "columns differ", id="other-columns"),
        pytest.param("thresholds.csv", f"{HEADER}\na,b\n", "more or fewer cells", id="short-row"),
        pytest.param("thresholds.csv", threshold("a") + threshold("a").split("\n")[1], "stands twice", id="key-twice"),
    ],
)
def test_an_own_table_that_is_refused(study: Path, name: str, text: str, expected: str) -> None:
    own_table(study, name, text)
    assert any(expected in finding for finding in findings(study)), findings(study)


def test_an_own_table_in_another_encoding(study: Path) -> None:
    own_table(study, "thresholds.csv", "")
    (study / "registry" / "thresholds.csv").write_bytes("é".encode("latin-1"))
    assert any("not UTF-8" in finding for finding in findings(study))
