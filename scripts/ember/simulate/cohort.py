"""Draw the participants of one site from the generating model: people, samples, severity, visits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from ember.registry.registry import Registry
from ember.simulate.design import EFFECTS, Effects, SiteDesign

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]

ENTRY = (-1.6, 2.4)
"""Latent severity at entry, in reference SD: trials have an entry criterion, and totals an upper end."""


@dataclass(frozen=True)
class Scale:
    """What a total has to fit: range of the instrument and its reference distribution."""

    low: float
    high: float
    mean: float
    sd: float


@dataclass(frozen=True)
class Cohort:
    """The n participants of one site, before anything is lost, rounded or spoilt.

    Parameters
    ----------
    age, bmi, female, smoker, adversity, active, inflamed : ndarray, shape (n,)
        `inflamed` is the latent class, which no file holds.
    samples : dict of analyte to ndarray, shape (n, 2)
        Concentration in the canonical unit at baseline and at week 12.
    totals : ndarray of int, shape (n, 3)
        Totals at baseline, week 4 and week 12.
    time_zero : ndarray of int, shape (n,)
        Day of randomisation, counted from the first day of the consortium.
    days : ndarray of int, shape (n, 3)
        Study day of each visit.
    attended : ndarray of bool, shape (n, 3)
    sampled : ndarray of bool, shape (n, 2)
        Blood was drawn and the result exists.
    """

    age: IntArray
    bmi: FloatArray
    female: BoolArray
    smoker: BoolArray
    adversity: BoolArray
    active: BoolArray
    inflamed: BoolArray
    samples: Mapping[str, FloatArray]
    totals: IntArray
    time_zero: IntArray
    days: IntArray
    attended: BoolArray
    sampled: BoolArray

    @property
    def n(self) -> int:
        return len(self.age)

    @property
    def complete(self) -> BoolArray:
        """Participants who came to every visit and have every sample."""
        return np.asarray(self.attended.all(axis=1) & self.sampled.all(axis=1))


def scale_of(instrument: str, registry: Registry) -> Scale:
    """Return the range and the reference distribution of an instrument."""
    row = registry.row("instruments", instrument)
    return Scale(*(float(row[key]) for key in ("total_low", "total_high", "reference_mean", "reference_sd")))


def draw_cohort(
    rng: np.random.Generator,
    site: SiteDesign,
    scale: Scale,
    n: int,
    effects: Effects = EFFECTS,
    classes: bool = True,
) -> Cohort:
    """Draw `n` participants of a site.

    Notes
    -----
    Drop-out before week 12 depends on severity at baseline and at week 4 only (missing at random given
    both). Half of the participants of each block of two are in the active arm: 1:1 within the site.

    Without classes a normal variable takes the place of the class indicator: given BMI it has the same mean and
    variance, so every mean, variance and covariance of the markers stays as it is, and nobody belongs to a class.
    All else is drawn from the same random numbers, so the two cohorts are twins.
    """
    age = np.clip(np.round(rng.normal(42, 12, n)), 18, 75).astype(np.int64)
    bmi: FloatArray = np.asarray(np.round(np.clip(rng.normal(27, 4.5, n), 17, 50), 1), dtype=np.float64)
    female, smoker, adversity = (rng.random(n) < share for share in (0.62, 0.25, 0.30))
    active = _randomise(rng, n)
    chance = _probability(effects.inflamed_logit + effects.inflamed_logit_per_bmi * (bmi - 27))
    drawn = rng.random(n)
    inflamed = (drawn < chance) & classes
    level = inflamed.astype(np.float64) if classes else chance - np.sqrt(chance * (1 - chance)) * ndtri(drawn)
    samples = _draw_samples(rng, site, level, bmi, effects)
    doublings = np.log2(samples["hscrp"][:, 0]) - 1
    latent = _draw_severity(rng, site, doublings, age, female, adversity, active, level, effects)
    totals = np.clip(np.round(scale.mean + scale.sd * latent), scale.low, scale.high).astype(np.int64)
    attended, sampled = _draw_attendance(rng, latent, effects)
    days = np.stack([-rng.integers(0, 21, n), rng.integers(23, 34, n), rng.integers(74, 95, n)], axis=1)
    time_zero = rng.integers(0, 420, n)
    return Cohort(
        age, bmi, female, smoker, adversity, active, inflamed, samples, totals, time_zero, days, attended, sampled
    )


def _probability(logit: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-logit)), dtype=np.float64)


def _randomise(rng: np.random.Generator, n: int) -> BoolArray:
    first = rng.random((n + 1) // 2) < 0.5
    return np.stack([first, ~first], axis=1).ravel()[:n]


def _draw_samples(
    rng: np.random.Generator, site: SiteDesign, level: FloatArray, bmi: FloatArray, effects: Effects
) -> dict[str, FloatArray]:
    means = {
        "hscrp": effects.crp_log_mean + site.crp_level + effects.crp_log_per_bmi * (bmi - 27),
        "il6": np.full(len(bmi), effects.il6_log_mean),
        "tnf": np.full(len(bmi), effects.tnf_log_mean),
    }
    shifts = {"hscrp": effects.crp_log_shift, "il6": effects.il6_log_shift, "tnf": effects.tnf_log_shift}
    spreads = {"hscrp": effects.crp_log_sd, "il6": effects.il6_log_sd, "tnf": effects.tnf_log_sd}
    keep = effects.follow_up_correlation
    samples = {}
    for analyte, mean in means.items():
        centre = mean + shifts[analyte] * level
        first = rng.normal(0, spreads[analyte], len(bmi))
        second = keep * first + np.sqrt(1 - keep**2) * rng.normal(0, spreads[analyte], len(bmi))
        samples[analyte] = np.exp(np.stack([centre + first, centre + second], axis=1))
    return samples


def _draw_severity(
    rng: np.random.Generator,
    site: SiteDesign,
    doublings: FloatArray,
    age: IntArray,
    female: BoolArray,
    adversity: BoolArray,
    active: BoolArray,
    level: FloatArray,
    effects: Effects,
) -> FloatArray:
    n = len(age)
    entry = effects.baseline_inflamed * level + effects.baseline_adversity * adversity
    first = np.clip(entry + rng.normal(0, effects.baseline_sd, n), *ENTRY)
    last = (
        site.level
        + effects.baseline * first
        + effects.treatment * active
        + effects.exposure * doublings
        + site.slope * active * doublings
        + effects.age * (age - 42)
        + effects.female * female
        + rng.normal(0, effects.noise_sd, n)
    )
    middle = 0.55 * first + 0.35 * last + rng.normal(0, 0.45, n)
    return np.stack([first, middle, last], axis=1)


def _draw_attendance(rng: np.random.Generator, latent: FloatArray, effects: Effects) -> tuple[BoolArray, BoolArray]:
    n = len(latent)
    gone = rng.random(n) < _probability(
        effects.dropout_logit
        + effects.dropout_per_week_4 * (latent[:, 1] + 0.6)
        + effects.dropout_per_baseline * latent[:, 0]
    )
    attended = np.stack([np.ones(n, dtype=np.bool_), rng.random(n) >= effects.visit_missed, ~gone], axis=1)
    sampled = (rng.random((n, 2)) >= effects.sample_missed) & attended[:, [0, 2]]
    return attended, sampled
