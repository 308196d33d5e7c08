"""The markers of a verdict on one footing: log values, standardised within site and assay, limits kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ember.endotypes.composites.censored_normal import fit_normals, mills
from ember.endotypes.cuts import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Panel:
    """k markers of n people.

    Attributes
    ----------
    value : ndarray, shape (n, k)
        Natural logarithms, or scores; the limit where censored; nan where missing.
    low, high : ndarray, shape (n, k)
        Limits below and above which the laboratory could not count; infinite where there are none.
    left, right : ndarray of bool, shape (n, k)
        Known only to lie below `low`, or above `high`.
    stratum : ndarray of int, shape (n, k)
        Number of the site and assay that a value comes from, from 0.
    site : ndarray of int, shape (n,)
    bmi : ndarray, shape (n,)
        nan where missing.
    acute : ndarray of bool, shape (n,)
        The screening marker lies above the acute threshold.
    compared : ndarray of bool, shape (n,)
        Belongs to the comparison group.
    """

    value: FloatArray
    low: FloatArray
    high: FloatArray
    left: BoolArray
    right: BoolArray
    stratum: IntArray
    site: IntArray
    bmi: FloatArray
    acute: BoolArray
    compared: BoolArray

    @property
    def n(self) -> int:
        return int(self.value.shape[0])

    @property
    def markers(self) -> int:
        return int(self.value.shape[1])

    def of(self, people: BoolArray) -> Panel:
        """Return the panel of some people."""
        return Panel(*(getattr(self, name)[people] for name in self.__dataclass_fields__))

    def moved(self, shift: FloatArray, scale: FloatArray) -> Panel:
        """Return the panel with (x - shift) / scale for values and limits; arrays of shape (n, k)."""
        changed = {name: (getattr(self, name) - shift) / scale for name in ("value", "low", "high")}
        kept = {name: getattr(self, name) for name in self.__dataclass_fields__ if name not in changed}
        return Panel(**changed, **kept)


def standardised(panel: Panel) -> Panel:
    """Return scores: each marker less its mean and divided by its SD within site and assay.

    Notes
    -----
    Mean and SD are those of a censored normal likelihood, so that a share of values below the limit moves neither.
    A marker of a stratum whose SD is not identified becomes missing.
    """
    shift, scale = np.empty(panel.value.shape), np.empty(panel.value.shape)
    for marker in range(panel.markers):
        groups = panel.stratum[:, marker]
        number = int(groups.max(initial=0)) + 1
        columns = (panel.value[:, marker], panel.left[:, marker], panel.right[:, marker])
        fits = fit_normals(*columns, groups, number)
        shift[:, marker], scale[:, marker] = fits.mean[groups], fits.sd[groups]
    return panel.moved(shift, scale)


def without_bmi(scores: Panel) -> Panel:
    """Return the scores of people with a BMI, less what a straight line on BMI explains within site and assay.

    Notes
    -----
    The slope of a marker is that of least squares over all strata, BMI centred in each; a censored score stands for
    its mean below the limit, given a normal distribution. Limits move with the values.
    """
    known = scores.of(~np.isnan(scores.bmi))
    explained = np.zeros(known.value.shape)
    for marker in range(known.markers):
        value = _expected(known, marker)
        there = ~np.isnan(value)
        groups = known.stratum[:, marker]
        number = int(groups.max(initial=0)) + 1
        size = np.maximum(np.bincount(groups[there], minlength=number), 1)
        centre = np.bincount(groups[there], known.bmi[there], number) / size
        bmi = known.bmi - centre[groups]
        spread = float((bmi[there] ** 2).sum())
        slope = float((bmi[there] * value[there]).sum()) / spread if spread > 0 else 0.0
        explained[:, marker] = slope * bmi
    return standardised(known.moved(explained, np.ones(explained.shape)))


def _expected(scores: Panel, marker: int) -> FloatArray:
    """Return the scores with the mean of a standard normal variable beyond the limit where they are censored."""
    value = scores.value[:, marker]
    bounded = np.nan_to_num(value)
    value = np.where(scores.left[:, marker], -mills(bounded), value)
    return np.asarray(np.where(scores.right[:, marker], mills(-bounded), value))


def complete(scores: Panel) -> Panel:
    """Return the people who have every marker."""
    return scores.of(np.asarray(~np.isnan(scores.value).any(axis=1)))
