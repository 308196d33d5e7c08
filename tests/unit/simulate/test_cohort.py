"""The generating model draws what it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ember.simulate.cohort import Cohort, Scale, draw_cohort
from ember.simulate.design import EFFECTS, SITES

HAMD17 = Scale(0, 52, 21, 5)
LARGE = 40_000


def draw(n: int, seed: int = 7, **changes: float) -> Cohort:
    return draw_cohort(np.random.default_rng(seed), SITES["porto"], HAMD17, n, replace(EFFECTS, **changes))


@pytest.mark.parametrize("n", [pytest.param(n, id=f"n={n}") for n in (1, 2, 31)])
def test_small_cohorts_have_every_part(n: int) -> None:
    cohort = draw(n)
    assert cohort.n == n
    assert cohort.totals.shape == (n, 3)
    assert cohort.samples["il6"].shape == (n, 2)


def test_arms_differ_by_at_most_one() -> None:
    assert abs(2 * int(draw(301).active.sum()) - 301) == 1


def test_same_seed_gives_same_cohort_and_another_seed_another() -> None:
    assert np.array_equal(draw(50).totals, draw(50).totals)
    assert not np.array_equal(draw(50).totals, draw(50, seed=8).totals)


def test_totals_stay_within_the_instrument() -> None:
    narrow = draw_cohort(np.random.default_rng(1), SITES["graz"], Scale(10, 20, 16, 4.3), 2000)
    assert narrow.totals.min() == 10
    assert narrow.totals.max() == 20


def test_inflamed_class_has_its_share_and_its_shift() -> None:
    cohort = draw(LARGE)
    assert cohort.inflamed.mean() == pytest.approx(0.27, abs=0.01)
    logs = np.log(cohort.samples["hscrp"][:, 0]) - EFFECTS.crp_log_per_bmi * (cohort.bmi - 27)
    shift = logs[cohort.inflamed].mean() - logs[~cohort.inflamed].mean()
    assert shift == pytest.approx(EFFECTS.crp_log_shift, abs=0.04)


def test_visits_lie_in_their_windows() -> None:
    days = draw(LARGE).days
    for column, (first, last) in enumerate([(-28, 0), (21, 35), (70, 98)]):
        assert first <= days[:, column].min()
        assert days[:, column].max() <= last


def test_drop_out_rises_with_severity_at_week_4() -> None:
    cohort = draw(LARGE)
    gone = ~cohort.attended[:, 2]
    assert 0.05 < gone.mean() < 0.20
    assert cohort.totals[gone, 1].mean() > cohort.totals[~gone, 1].mean() + 0.5


def test_no_sample_without_the_visit() -> None:
    cohort = draw(LARGE)
    assert not (cohort.sampled[:, 1] & ~cohort.attended[:, 2]).any()


def test_without_dropout_everyone_comes() -> None:
    cohort = draw(500, dropout_logit=-50.0, visit_missed=0.0, sample_missed=0.0)
    assert cohort.attended.all()
    assert cohort.sampled.all()
