"""Trials: adequate, failed and counting, with what is unknown named; participants in are participants out."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from tests.unit.history.invented import history_of, row_of, trial


@pytest.mark.parametrize(
    ("changes", "adequate", "failed", "counts", "unknown"),
    [
        pytest.param({}, "yes", "yes", "yes", None, id="all known"),
        pytest.param({"dose": 50.0, "weeks": 4.0}, "yes", "yes", "yes", None, id="at the minimum"),
        pytest.param({"dose": 49.9}, "no", "yes", "no", None, id="dose below"),
        pytest.param({"weeks": 3.99}, "no", "yes", "no", None, id="weeks below"),
        pytest.param({"dose": None}, "unknown", "yes", "unknown", "dose", id="no dose"),
        pytest.param({"dose": None, "weeks": None}, "unknown", "yes", "unknown", "dose;duration", id="neither"),
        pytest.param({"dose": None, "weeks": 1.0}, "no", "yes", "no", None, id="too short whatever the dose"),
        pytest.param({"outcome": None}, "yes", "unknown", "unknown", "outcome", id="no outcome"),
        pytest.param({"episode": None}, "yes", "yes", "unknown", "episode", id="no episode"),
        pytest.param({"adherence": "not_adherent", "dose": None}, "no", "yes", "no", None, id="not taken"),
        pytest.param({"adherence": "adherent"}, "yes", "yes", "yes", None, id="taken"),
        pytest.param({"treatment": "opipramol"}, "unknown", "yes", "unknown", "minimum", id="no minimum known"),
        pytest.param({"treatment": None, "kind": None}, "unknown", "yes", "unknown", "name", id="no name"),
        pytest.param({"outcome": "response", "dose": None}, "unknown", "no", "no", None, id="it helped, whatever else"),
    ],
)
def test_a_trial(changes: dict[str, Any], adequate: str, failed: str, counts: str, unknown: str | None) -> None:
    found = history_of([{**trial("sertraline"), **changes}]).trials.row(0, named=True)
    assert (found["adequate"], found["failed"], found["counts"], found["unknown"]) == (
        adequate,
        failed,
        counts,
        unknown,
    )


def test_only_rows_that_tell_an_outcome_are_trials() -> None:
    result = history_of([trial("sertraline", trial=False), trial("venlafaxine")])
    assert result.trials["treatment"].to_list() == ["venlafaxine"]


def test_counts_and_reason_of_a_participant() -> None:
    rows = [trial("sertraline"), trial("sertraline"), trial("venlafaxine", dose=None), trial("lithium")]
    found = row_of(rows)
    counted = (found["trd_n_trials"], found["trd_n_adequate_failures"], found["trd_n_unknown"])
    assert (found["trd"], counted, found["trd_reason"]) == ("indeterminate", (2, 1, 1), "unknown of a trial: dose")


def test_a_known_failure_of_a_drug_settles_its_other_trials() -> None:
    found = row_of([trial("sertraline"), trial("sertraline", dose=None)])
    assert (found["trd"], found["trd_n_unknown"]) == ("no", 0)


def test_every_participant_comes_out_once() -> None:
    result = history_of([trial("sertraline")])
    (account,) = result.accounts
    assert (account.unit, account.n_in, account.n_out, result.history.height) == ("participant", 1, 1, 1)
    assert result.history.select(pl.col("trd").null_count()).item() == 0
