"""Small harmonised tables for tests of the treatment history: people, trials, scores and samples in a few words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl

from ember.history.derive import History, Tables, derive_history
from ember.registry.build import build_site
from ember.registry.model import Answer, Study, Visit
from ember.registry.registry import Registry, read_registry
from ember.tables.store import conform, polars_schema

VISITS = (Visit("baseline", 0, -28, 0), Visit("week_4", 28, 21, 35), Visit("week_12", 84, 70, 98))
DAYS = {visit.id: visit.day for visit in VISITS}
COMPLETE = {"kinds": ["antidepressant", "augmentation", "neuromodulation"], "reason": "asked of everybody"}
TRIALS = {
    "name": "drug",
    "role": "background",
    "outcome": {"column": "outcome", "codes": {"none": "none"}},
    "episode": "current",
    "complete": COMPLETE,
}


@cache
def registry() -> Registry:
    return read_registry(Path(__file__).parents[3] / "config" / "registry")


def trial(treatment: str | None = "sertraline", **changes: Any) -> dict[str, Any]:
    """Return a row of treatments: by default a known adequate failure of an antidepressant in this episode."""
    kind = registry().row("treatments", treatment)["kind"] if treatment else None
    row = {
        "visit": "baseline", "study_day": 0, "treatment": treatment, "kind": kind, "role": "background",
        "name_reported": treatment or "no such drug", "dose": 10_000.0, "dose_unit": "mg/day", "weeks": 12.0,
        "outcome": "none", "episode": "current", "trial": True, "list": "trials",
    }  # fmt: skip
    return row | changes


def history_of(
    trials: Sequence[Mapping[str, Any]] = (),
    *,
    person: Mapping[str, Any] | None = None,
    scores: Sequence[tuple[str, str, float]] = (),
    attended: Mapping[str, int | None] | None = None,
    samples: Sequence[int | None] = (),
    complete: Mapping[str, Any] | None = COMPLETE,
    dtd: Mapping[str, Any] | None = None,
    answers: Sequence[Answer] = (),
) -> History:
    """Derive the history of one participant.

    Parameters
    ----------
    scores : sequence of (visit, instrument, score)
    attended : mapping of str to int, optional
        Study day by visit; default all on their planned days.
    samples : sequence of int
        Study days of hsCRP.
    complete : mapping, optional
        `complete:` of the table of trials.
    """
    mapping = {key: value for key, value in TRIALS.items() if key != "complete"}
    mapping |= {"complete": dict(complete)} if complete else {}
    tables = {
        "roster": {"participant": "id", "columns": {"age": {"column": "age"}}},
        "trials": {"participant": "id", "visits": {"single": "baseline"}, "treatments": mapping},
    }
    found = {answer.finding: answer for answer in answers}
    study = cast(
        Study, SimpleNamespace(visits=VISITS, dtd=dtd, time_zero="randomisation", answer=lambda name: found.get(name))
    )
    return derive_history(
        study,
        build_site({"site": "s", "tables": tables}),
        registry(),
        _tables(trials, person, scores, attended, samples),
    )


def row_of(*args: Any, **changes: Any) -> dict[str, Any]:
    """Return the one row of `history` that `history_of` derives."""
    return history_of(*args, **changes).history.row(0, named=True)


def _tables(
    trials: Sequence[Mapping[str, Any]],
    person: Mapping[str, Any] | None,
    scores: Sequence[tuple[str, str, float]],
    attended: Mapping[str, int | None] | None,
    samples: Sequence[int | None],
) -> Tables:
    days = DAYS if attended is None else attended
    scored = [
        {"visit": visit, "instrument": name, "construct": "severity", "score": score, "origin": "total", "n_items": 0,
         "flags": ""}
        for visit, name, score in scores
    ]  # fmt: skip
    measured = [{"visit": "baseline", "study_day": day, "analyte": "hscrp", "value": 2.0} for day in samples]
    return Tables(
        participants=_table("participants", [person or {}]),
        visits=_table("visits", [{"visit": visit, "study_day": day} for visit, day in days.items()]),
        measurements=_loose("measurements", measured),
        scores=_table("scores", scored),
        treatments=_table("treatments", [dict(row, entry=index) for index, row in enumerate(trials, start=1)]),
    )


def _loose(table: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    schema = polars_schema(table)
    place = {"site_id": "s", "participant_id": "P1", "source_file": "a.csv", "row_number": 2}
    return pl.DataFrame([{**dict.fromkeys(schema), **place, **row} for row in rows], schema=schema)


def _table(table: str, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return conform(_loose(table, rows), table)
