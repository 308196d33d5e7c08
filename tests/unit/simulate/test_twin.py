"""Twins of the demonstration: one dimension with the same means and covariances, and a study folder."""

from __future__ import annotations

import numpy as np
import pytest

from ember.errors import EmberError
from ember.registry.load import PROJECT
from ember.simulate.cohort import Cohort, Scale, draw_cohort
from ember.simulate.design import SITES, TRUTHS, truth_named
from ember.simulate.twin import twin_files, twin_study

N = 40_000


def drawn(name: str) -> Cohort:
    truth = TRUTHS[name]
    return draw_cohort(np.random.default_rng(3), SITES["lund"], Scale(0, 52, 14, 6), N, truth.effects, truth.classes)


def logs(cohort: Cohort) -> np.ndarray:
    return np.log(np.stack([cohort.samples[analyte][:, 0] for analyte in ("hscrp", "il6", "tnf")], axis=1))


def test_the_twin_has_no_classes_but_the_same_people_means_and_covariances() -> None:
    classes, shift = drawn("classes"), drawn("shift")
    assert classes.inflamed.any() and not shift.inflamed.any()
    assert (classes.bmi == shift.bmi).all() and (classes.active == shift.active).all()
    assert logs(shift).mean(axis=0) == pytest.approx(logs(classes).mean(axis=0), abs=0.02)
    assert np.cov(logs(shift).T) == pytest.approx(np.cov(logs(classes).T), abs=0.03)


def test_separate_classes_lie_two_standard_deviations_apart() -> None:
    cohort = drawn("separate")
    for marker in logs(cohort).T[1:]:
        groups = [marker[cohort.inflamed], marker[~cohort.inflamed]]
        assert (groups[0].mean() - groups[1].mean()) / groups[1].std() == pytest.approx(2, abs=0.05)


def test_the_study_is_the_demonstration_with_a_verdict_and_its_own_data() -> None:
    files = twin_files(PROJECT / "config" / "studies" / "demo", TRUTHS["shift"])
    assert {"study.yaml", "report.yaml", "decisions.csv", "sites/porto.yaml", "analyses/moderation.yaml"} <= set(files)
    lines = files["study.yaml"].splitlines()
    assert {"study: demo_shift", "data: {folder: data}", "verdicts: [inflamed_type]"} <= set(lines)


def test_a_demonstration_without_the_lines_is_refused() -> None:
    with pytest.raises(EmberError, match="no single line 'study:'"):
        twin_study("title: x\n", TRUTHS["shift"])


def test_an_unknown_truth_is_refused() -> None:
    with pytest.raises(EmberError, match="no truth"):
        truth_named("shfit")
