"""One skewed component against two normal ones, judged by samples from the single component."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri

from ember.endotypes.cuts import BoolArray, FloatArray
from ember.endotypes.discreteness.cells import Cells, count_cells
from ember.endotypes.discreteness.comparison import correlated_normals, normal_correlations
from ember.endotypes.discreteness.panel import Panel
from ember.endotypes.discreteness.shapes import (
    fit_one,
    fit_two,
    sinh_arcsinh_below,
    sinh_arcsinh_quantile,
    two_normals_named,
)

TAIL_NODES = 16


@dataclass(frozen=True)
class Ratio:
    """Evidence for two components against one of one histogram.

    Attributes
    ----------
    statistic : float
        Log-likelihood of two normal components less that of one skewed component.
    drawn : ndarray, shape (b,)
        The same of samples from the fitted single component.
    one, two : ndarray
        The parameters that were fitted.
    exact : ndarray
        The values that are known exactly.
    n : int
        Values, the censored ones among them.
    """

    statistic: float
    drawn: FloatArray
    one: FloatArray
    two: FloatArray
    exact: FloatArray
    n: int

    @property
    def p_value(self) -> float:
        """Share of samples, the data among them, with a statistic at least as large."""
        return float((1 + (self.drawn >= self.statistic).sum()) / (1 + self.drawn.size))

    @property
    def upper_share(self) -> float:
        """Share of the component with the higher mean."""
        share, means, _ = two_normals_named(self.two[None])
        return float(share[0] if means[0, 0] > means[0, 1] else 1 - share[0])


@dataclass(frozen=True)
class OneDimension:
    """The single-component model of a panel: the shape of each marker and the correlations of their normal scores."""

    shapes: FloatArray
    correlations: FloatArray
    below: FloatArray
    above: FloatArray


def fit_dimension(scores: Panel) -> OneDimension:
    """Return the model of complete scores in which no marker has two components."""
    shapes, _ = fit_one(_cells(scores))
    below, above = (np.stack(parts, axis=1) for parts in zip(*_tails(scores, shapes), strict=True))
    filled = np.where(scores.left, below, np.where(scores.right, above, scores.value))
    return OneDimension(shapes, normal_correlations(filled), below, above)


def _cells(scores: Panel) -> Cells:
    return count_cells(scores.value.T, scores.left.T, scores.right.T)


def _tails(scores: Panel, shapes: FloatArray) -> list[tuple[FloatArray, FloatArray]]:
    """Return for each marker what stands for a value below the lower limit and for one above the upper, (n,) each."""
    found = []
    middles = (np.arange(TAIL_NODES) + 0.5) / TAIL_NODES
    for marker, shape in enumerate(shapes):
        ends = []
        for limit, sign in ((scores.low[:, marker], 1.0), (scores.high[:, marker], -1.0)):
            finite = np.where(np.isfinite(limit), limit, 0.0)
            tail = ndtr(sign * sinh_arcsinh_below(shape, finite))
            nodes = sign * ndtri(np.clip(tail[:, None] * middles, 1e-12, 1 - 1e-12))
            ends.append(np.where(np.isfinite(limit), sinh_arcsinh_quantile(shape, nodes).mean(axis=1), 0.0))
        found.append((ends[0], ends[1]))
    return found


def filled(scores: Panel, model: OneDimension) -> FloatArray:
    """Return complete scores (n, k), each censored one by its mean beyond the limit."""
    return np.asarray(np.where(scores.left, model.below, np.where(scores.right, model.above, scores.value)))


def draw(
    rng: np.random.Generator, scores: Panel, model: OneDimension, samples: int
) -> tuple[FloatArray, BoolArray, BoolArray]:
    """Return samples of the model under the limits of the data: values (b, n, k), left and right."""
    normal = correlated_normals(rng, model.correlations, samples, scores.n)
    value = np.stack(
        [sinh_arcsinh_quantile(shape, normal[:, :, marker]) for marker, shape in enumerate(model.shapes)], axis=2
    )
    return value, value < scores.low, value > scores.high


def ratio(observed: Cells, drawn: Cells, exact: FloatArray) -> Ratio:
    """Return the evidence of one sample, judged by drawn ones; `exact` are its uncensored values."""
    pairs = ((getattr(observed, name), getattr(drawn, name)) for name in ("exact", "left", "right"))
    both = Cells(*(np.concatenate(pair) for pair in pairs))
    one, told_one = fit_one(both)
    two, told_two = fit_two(both)
    statistic = told_two - told_one
    return Ratio(float(statistic[0]), statistic[1:], one[0], two[0], exact, int(observed.n[0]))


def marker_ratios(scores: Panel, drawn: FloatArray, left: BoolArray, right: BoolArray) -> dict[int, Ratio]:
    """Return the evidence of every marker by itself, values beyond a limit known only to be there.

    Parameters
    ----------
    scores : Panel
        Complete.
    drawn, left, right : ndarray, shape (b, n, k)
        Of `draw`.
    """
    found = {}
    for marker in range(scores.markers):
        seen = np.where(left, scores.low, np.where(right, scores.high, drawn))[:, :, marker]
        own = scores.value[:, marker], scores.left[:, marker], scores.right[:, marker]
        observed = count_cells(own[0][None], own[1][None], own[2][None])
        exact = own[0][~own[1] & ~own[2]]
        found[marker] = ratio(observed, count_cells(seen, left[:, :, marker], right[:, :, marker]), exact)
    return found


def composite_ratio(value: FloatArray, drawn: FloatArray) -> Ratio:
    """Return the evidence of a composite, the mean of k markers: values (n, k), drawn (b, n, k), all filled.

    Notes
    -----
    Two classes that overlap in every marker lie apart in their mean, which is where two components can be told from
    skewness. A censored marker stands for its mean beyond the limit, in the data and in the samples alike, so the
    fill cannot make a difference between them.
    """
    observed, sampled = value.mean(axis=1), drawn.mean(axis=2)
    centre, spread = observed.mean(), observed.std()
    scaled = (observed - centre) / spread
    return ratio(count_cells(scaled[None]), count_cells((sampled - centre) / spread), scaled)
