"""The Maudsley Staging Method: every boundary of every part, and no stage with an unknown part."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.history.invented import COMPLETE, row_of, trial

DRUGS = (
    "sertraline", "venlafaxine", "escitalopram", "fluoxetine", "paroxetine", "duloxetine", "mirtazapine", "bupropion",
    "amitriptyline", "imipramine", "phenelzine",
)  # fmt: skip
PERSON = {"episode_months": 12.0, "episode_severity": "moderate"}


def failed(n: int) -> list[dict[str, Any]]:
    return [trial(drug) for drug in DRUGS[:n]]


def test_a_stage_is_the_sum_of_its_parts() -> None:
    found = row_of([*failed(2), trial("lithium")], person=PERSON)
    parts = [found[f"msm_{part}"] for part in ("duration", "severity", "failures", "augmentation", "ect")]
    assert (parts, found["msm_total"], found["msm_band"], found["msm_missing"]) == ([1, 3, 1, 1, 0], 6, "mild", None)


@pytest.mark.parametrize(
    ("months", "points"),
    [(0.0, 1), (12.0, 1), (12.1, 2), (24.0, 2), (24.1, 3), (600.0, 3)],
    ids=lambda value: str(value),
)
def test_duration(months: float, points: int) -> None:
    assert row_of(failed(1), person={**PERSON, "episode_months": months})["msm_duration"] == points


@pytest.mark.parametrize(
    ("severity", "points"),
    [
        pytest.param("subsyndromal", 1, id="subsyndromal"),
        pytest.param("mild", 2, id="mild"),
        pytest.param("moderate", 3, id="moderate"),
        pytest.param("severe", 4, id="severe"),
        pytest.param("severe_psychotic", 5, id="severe with psychosis"),
    ],
)
def test_severity(severity: str, points: int) -> None:
    assert row_of(failed(1), person={**PERSON, "episode_severity": severity})["msm_severity"] == points


@pytest.mark.parametrize(
    ("n", "points"),
    [
        pytest.param(n, points, id=str(n))
        for n, points in zip(range(1, 12), (1, 1, 2, 2, 3, 3, 4, 4, 4, 4, 5), strict=True)
    ],
)
def test_failures(n: int, points: int) -> None:
    assert row_of(failed(n), person=PERSON)["msm_failures"] == points


@pytest.mark.parametrize(
    ("trials", "points"),
    [
        pytest.param([*failed(1), trial(None)], 1, id="one or two is one point"),
        pytest.param([*failed(2), trial(None)], None, id="two or three is not known"),
        pytest.param([*failed(11), trial(None)], 5, id="more cannot change the most"),
    ],
)
def test_failures_are_known_where_unknown_trials_would_not_change_their_points(
    trials: list[dict[str, Any]], points: int | None
) -> None:
    assert row_of(trials, person=PERSON)["msm_failures"] == points


def test_the_most_points_need_no_complete_list() -> None:
    assert row_of(failed(11), person=PERSON, complete=None)["msm_failures"] == 5


@pytest.mark.parametrize(
    ("rows", "person", "complete", "missing"),
    [
        pytest.param(failed(2), {}, COMPLETE, "duration;severity", id="nothing of the episode"),
        pytest.param(failed(2), {**PERSON, "episode_months": None}, COMPLETE, "duration", id="no duration"),
        pytest.param(failed(2), {**PERSON, "episode_severity": None}, COMPLETE, "severity", id="no severity"),
        pytest.param(failed(2), PERSON, None, "failures;augmentation;ect", id="no complete list"),
        pytest.param(
            failed(2), PERSON, {**COMPLETE, "kinds": ["antidepressant"]}, "augmentation;ect", id="a list of one kind"
        ),
        pytest.param(
            [trial("sertraline", outcome="response")], PERSON, COMPLETE, "failures (none)", id="nothing failed"
        ),
        pytest.param(
            [*failed(1), trial(None)], PERSON, COMPLETE, "augmentation;ect", id="an unknown name may be either"
        ),
        pytest.param(
            [*failed(1), trial("lithium", episode=None)], PERSON, COMPLETE, "augmentation", id="in which episode"
        ),
    ],
)
def test_without_a_part_there_is_no_stage(
    rows: list[dict[str, Any]], person: dict[str, Any], complete: Any, missing: str
) -> None:
    found = row_of(rows, person=person, complete=complete)
    assert (found["msm_total"], found["msm_band"], found["msm_missing"]) == (None, None, missing)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        pytest.param(trial("lithium"), (1, 0), id="augmentation"),
        pytest.param(trial("ect", dose_unit="sessions"), (0, 1), id="ECT"),
        pytest.param(trial("rtms", dose_unit="sessions"), (0, 0), id="other neuromodulation"),
        pytest.param(trial("lithium", episode="earlier"), (0, 0), id="augmentation of an earlier episode"),
        pytest.param(trial("lithium", role="arm"), (0, 0), id="augmentation as the study's arm"),
        pytest.param(trial("lithium", dose=None, weeks=None, outcome=None), (1, 0), id="used is used, however it went"),
    ],
)
def test_augmentation_and_ect(row: dict[str, Any], expected: tuple[int, int]) -> None:
    found = row_of([*failed(1), row], person=PERSON)
    assert (found["msm_augmentation"], found["msm_ect"]) == expected


@pytest.mark.parametrize(
    ("n", "months", "severity", "total", "band"),
    [
        pytest.param(1, 1.0, "subsyndromal", 3, "mild", id="3, the least"),
        pytest.param(1, 1.0, "severe", 6, "mild", id="6"),
        pytest.param(1, 1.0, "severe_psychotic", 7, "moderate", id="7"),
        pytest.param(5, 13.0, "severe_psychotic", 10, "moderate", id="10"),
        pytest.param(5, 25.0, "severe_psychotic", 11, "severe", id="11"),
    ],
)
def test_bands(n: int, months: float, severity: str, total: int, band: str) -> None:
    found = row_of(failed(n), person={"episode_months": months, "episode_severity": severity})
    assert (found["msm_total"], found["msm_band"]) == (total, band)


def test_the_most_is_fifteen() -> None:
    rows = [*failed(11), trial("lithium"), trial("ect", dose_unit="sessions")]
    found = row_of(rows, person={"episode_months": 60.0, "episode_severity": "severe_psychotic"})
    assert (found["msm_total"], found["msm_band"]) == (15, "severe")
