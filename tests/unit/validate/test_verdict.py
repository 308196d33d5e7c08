"""What stops a study at a gate, and what it is told."""

from __future__ import annotations

import polars as pl
import pytest

from ember.errors import EmberError
from ember.registry.model import Answer
from ember.tables.store import conform, empty_table
from ember.validate.verdict import gate_verdict
from tests.unit.validate.dirty import study

RULE = "measurements.value.hard_limits.hscrp"
CONFIRMED = Answer(f"gate:a:{RULE}", "confirm", "checked with the laboratory")


def gates(severity: str = "error", failed: int = 2) -> pl.DataFrame:
    row = {
        "stage": "harmonised", "site": "a", "rule": RULE, "category": "plausibility", "table": "measurements",
        "column": "value", "severity": severity, "n_checked": 90, "n_failed": failed, "passed": failed == 0,
        "title": "hscrp lies between 0.01 and 500 mg/L",
    }  # fmt: skip
    return conform(pl.DataFrame([row]), "gates")


def findings(severity: str = "error", answered: bool = False) -> pl.DataFrame:
    row = {
        "finding": "unit:a:hscrp:B3", "stage": "harmonise_site", "site": "a", "rule_id": "value.finding_excluded",
        "severity": severity, "n": 41, "message": "ten times the reference", "answered": answered,
    }  # fmt: skip
    return conform(pl.DataFrame([row]), "findings")


def test_a_failed_rule_stops_with_counts_rule_ledger_and_answer() -> None:
    with pytest.raises(EmberError) as raised:
        gate_verdict("harmonised", gates(), empty_table("findings"), study())
    text = str(raised.value)
    for words in (
        "1 error stops",
        f"a  {RULE}  2 of 90 fail",
        "results/trial/restricted/ledger/a/harmonise_site.parquet",
        f"- {{finding: 'gate:a:{RULE}', action: confirm",
        "exclude_sites:",
    ):
        assert words in text


def test_an_open_finding_stops_too() -> None:
    with pytest.raises(EmberError) as raised:
        gate_verdict("harmonised", gates(), findings(), study())
    text = str(raised.value)
    assert "2 errors stop" in text
    assert "41 values: ten times the reference" in text
    assert "finding: 'unit:a:hscrp:B3', action: exclude or confirm" in text


@pytest.mark.parametrize(
    ("verdicts", "found", "answers"),
    [
        pytest.param(gates(failed=0), empty_table("findings"), (), id="nothing failed"),
        pytest.param(gates("warning"), findings("warning"), (), id="warnings"),
        pytest.param(gates(failed=0), findings(answered=True), (), id="answered finding"),
        pytest.param(gates(), empty_table("findings"), (CONFIRMED,), id="confirmed rule"),
        pytest.param(empty_table("gates"), empty_table("findings"), (), id="nothing at all"),
    ],
)
def test_passes(verdicts: pl.DataFrame, found: pl.DataFrame, answers: tuple[Answer, ...]) -> None:
    text = gate_verdict("harmonised", verdicts, found, study(*answers))
    assert text == gate_verdict("harmonised", verdicts, found, study(*answers))
    assert text.startswith("harmonised: ")


def test_a_failed_rule_cannot_be_answered_by_exclusion() -> None:
    with pytest.raises(EmberError):
        excluded = Answer(CONFIRMED.finding, "exclude", "because of something")
        gate_verdict("harmonised", gates(), empty_table("findings"), study(excluded))


def test_the_text_counts() -> None:
    text = gate_verdict("harmonised", gates("warning"), findings(answered=True), study())
    assert text == "harmonised: 1 sites, 1 rules, 1 warnings, 1 findings, 1 errors answered\n"
