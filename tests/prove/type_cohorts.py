"""Simulated cohorts of 1,000 people for the verdict about types: eight that hold no type, and some that do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import ndtr, ndtri

from ember.endotypes.discreteness.panel import Panel

FloatArray = NDArray[np.float64]

PEOPLE = 1000
MARKERS = 3
LOG_MEAN = np.array([0.45, 0.55, 0.70])
LOG_SD = np.array([1.05, 0.63, 0.50])
LIMITS = np.log(np.array([0.2, 0.3, 0.4]))
"""hsCRP (mg/L), IL-6 and TNF (pg/mL): ln means, ln SDs and detection limits near those of the demonstration."""

LOADING = 0.7
BMI_CORRELATION = 0.4
ACUTE = float(np.log(10))
SITES = (1, 2, 4)
CLASS_SHARE = 0.27


@dataclass(frozen=True)
class Drawn:
    """Scores of people on the log scale, in SD before the class or the acute infection, and what goes with them.

    `limit` replaces the usual detection limits; `assay` is the number of each person's assay as the data say it.
    """

    score: FloatArray
    limit: FloatArray | None = None
    assay: NDArray[np.int64] | None = None


Draw = Callable[[np.random.Generator, FloatArray, int], Drawn]
"""Takes a stream, a standard normal general factor that goes with BMI (n,), and a number that varies the details."""


def dimension(rng: np.random.Generator, factor: FloatArray, loading: float = LOADING) -> FloatArray:
    """Return correlated standard normal scores (n, k)."""
    own = rng.standard_normal((factor.size, MARKERS))
    return np.asarray(loading * factor[:, None] + np.sqrt(1 - loading**2) * own)


def lognormal(rng: np.random.Generator, factor: FloatArray, detail: int) -> Drawn:
    return Drawn(dimension(rng, factor, (0.5, 0.7, 0.85)[detail % 3]))


def skew_normal(rng: np.random.Generator, factor: FloatArray, detail: int) -> Drawn:
    """Scores skewed to the right on the log scale: as margins of a normal copula, or by a skewed factor."""
    shape = 6.0
    centre, spread = stats.skewnorm.mean(shape), stats.skewnorm.std(shape)
    if detail % 2:
        return Drawn((stats.skewnorm.ppf(ndtr(dimension(rng, factor)), shape) - centre) / spread)
    skewed = (stats.skewnorm.ppf(ndtr(factor), shape) - centre) / spread
    own = (stats.skewnorm.rvs(shape, size=(factor.size, MARKERS), random_state=rng) - centre) / spread
    return Drawn(LOADING * skewed[:, None] + np.sqrt(1 - LOADING**2) * own)


def gamma(rng: np.random.Generator, factor: FloatArray, detail: int) -> Drawn:
    """Gamma values on the raw scale, of shape 1 to 2: skewed to the left on the log scale."""
    shape = (1.0, 1.5, 2.0)[detail % 3]
    log = np.log(stats.gamma.ppf(np.clip(ndtr(dimension(rng, factor)), 1e-12, 1 - 1e-12), shape))
    return Drawn((log - stats.loggamma.mean(shape)) / stats.loggamma.std(shape))


def heavy_tailed(rng: np.random.Generator, factor: FloatArray, detail: int) -> Drawn:
    """Scores from t distributions with four degrees of freedom: with common tails, or tails of each marker alone."""
    score = dimension(rng, factor)
    if detail % 2:
        return Drawn(stats.t.ppf(ndtr(score), 4) / np.sqrt(2))
    return Drawn(score / np.sqrt(rng.chisquare(4, factor.size) / 4)[:, None] / np.sqrt(2))


def two_dimensions(rng: np.random.Generator, factor: FloatArray, detail: int) -> Drawn:
    """Two dimensions that correlate at 0.3 and load on the three markers unequally."""
    second = 0.3 * factor + np.sqrt(1 - 0.09) * rng.standard_normal(factor.size)
    loadings = np.array([[0.75, 0.2], [0.5, 0.5], [0.1, 0.8]])
    common = np.array([row @ np.array([[1, 0.3], [0.3, 1]]) @ row for row in loadings])
    own = rng.standard_normal((factor.size, MARKERS)) * np.sqrt(1 - common)
    return Drawn(np.stack([factor, second], axis=1) @ loadings.T + own)


def censored(rng: np.random.Generator, factor: FloatArray, detail: int) -> Drawn:
    """Three in ten values of every marker below the limit."""
    return Drawn(dimension(rng, factor), limit=LOG_MEAN + LOG_SD * ndtri(0.3))


def mixed_assays(rng: np.random.Generator, factor: FloatArray, detail: int) -> Drawn:
    """Two in five people measured with a second assay, 1.5 SD higher and a third more variable; the data say which."""
    second = rng.random(factor.size) < 0.4
    score = dimension(rng, factor) * np.where(second, 1.3, 1.0)[:, None] + np.where(second, 1.5, 0.0)[:, None]
    return Drawn(score, assay=second.astype(np.int64))


def acute_infections(rng: np.random.Generator, factor: FloatArray, detail: int) -> Drawn:
    """One in twenty has an infection: hsCRP, IL-6 and TNF raised by 2.3, 1.8 and 0.8 SD on average."""
    ill = rng.random(factor.size) < 0.05
    raised = np.array([2.3, 1.8, 0.8]) + 0.5 * rng.standard_normal((factor.size, MARKERS))
    return Drawn(dimension(rng, factor) + ill[:, None] * raised)


def classes(separation: float) -> Draw:
    """Return cohorts of two classes that lie this many within-class SDs apart on every marker, 27 % in the upper."""

    def drawn(rng: np.random.Generator, factor: FloatArray, detail: int) -> Drawn:
        upper = rng.random(factor.size) < CLASS_SHARE * (0.5 + ndtr(factor))
        score = rng.standard_normal((factor.size, MARKERS)) + separation * upper[:, None]
        spread = np.sqrt(1 + CLASS_SHARE * (1 - CLASS_SHARE) * separation**2)
        return Drawn((score - CLASS_SHARE * separation) / spread)

    return drawn


def undeclared_assays(rng: np.random.Generator, factor: FloatArray, detail: int) -> Drawn:
    """The mixed assays, but the data do not say which value is of which assay."""
    return Drawn(mixed_assays(rng, factor, detail).score)


NULLS: Mapping[str, Draw] = {
    "lognormal": lognormal,
    "skew_normal": skew_normal,
    "gamma": gamma,
    "heavy_tailed": heavy_tailed,
    "two_dimensions": two_dimensions,
    "censored_30": censored,
    "mixed_assays": mixed_assays,
    "acute_infections_5": acute_infections,
}
TYPES: Mapping[str, Draw] = {"type_2_sd": classes(2.0)}
BEYOND: Mapping[str, Draw] = {"type_1.5_sd": classes(1.5), "undeclared_assays": undeclared_assays}
"""Cohorts of which nothing is claimed: what the verdict says of them is shown."""


def cohort(rng: np.random.Generator, draw: Draw, detail: int) -> Panel:
    """Return a cohort of 1,000 people in one, two or four sites, BMI going with the general factor."""
    bmi = rng.standard_normal(PEOPLE)
    factor = BMI_CORRELATION * bmi + np.sqrt(1 - BMI_CORRELATION**2) * rng.standard_normal(PEOPLE)
    drawn = draw(rng, factor, detail // len(SITES))
    value = LOG_MEAN + LOG_SD * drawn.score
    low = np.broadcast_to(LIMITS if drawn.limit is None else drawn.limit, value.shape)
    left = value < low
    assay = np.zeros(PEOPLE, dtype=np.int64) if drawn.assay is None else drawn.assay
    site = np.arange(PEOPLE) % SITES[detail % len(SITES)]
    return Panel(
        value=np.where(left, low, value),
        low=np.array(low),
        high=np.full(value.shape, np.inf),
        left=left,
        right=np.zeros(value.shape, dtype=bool),
        stratum=np.repeat((2 * site + assay)[:, None], MARKERS, axis=1),
        site=site,
        bmi=27 + 4.5 * bmi,
        acute=value[:, 0] > ACUTE,
        compared=np.zeros(PEOPLE, dtype=bool),
    )
