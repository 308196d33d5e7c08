"""Samples gathered by person: what the likelihood of a usual level needs of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ember.endotypes.cuts import BoolArray, FloatArray, IntArray


@dataclass(frozen=True)
class Samples:
    """Samples on the log scale, one entry a sample.

    Attributes
    ----------
    person : ndarray of int
        From 0; samples of one person need not stand together.
    value : ndarray
        ln of the result; of the limit where it is only known to lie below or above one.
    below, above : ndarray of bool
        Known only to lie below, or above, the value. One above may be a sample of acute illness.
    """

    person: IntArray
    value: FloatArray
    below: BoolArray
    above: BoolArray

    @property
    def exact(self) -> BoolArray:
        return ~self.below & ~self.above


@dataclass(frozen=True)
class Persons:
    """One entry a person.

    Attributes
    ----------
    group : ndarray of int
        Site.
    n_exact, mean, squares : ndarray
        Number of exact values, their mean (0 without any) and the sum of squares about it.
    n_below, n_above : ndarray of int
    bounds : dict of int to (persons, limit, sign)
        By number of censored samples: the persons with so many, their limits, shape (persons, number), and 1 where the
        sample lies below, -1 where it lies above.
    """

    group: IntArray
    n_exact: IntArray
    mean: FloatArray
    squares: FloatArray
    n_below: IntArray
    n_above: IntArray
    bounds: dict[int, tuple[IntArray, FloatArray, FloatArray]]

    @property
    def n_samples(self) -> IntArray:
        return self.n_exact + self.n_below + self.n_above


def gather(samples: Samples, group: IntArray) -> Persons:
    """Return the samples by person.

    Parameters
    ----------
    group : ndarray of int, shape (persons,)
        Site of each person; a person may have no sample.
    """
    number, exact = group.size, samples.exact
    at = samples.person[exact]
    n_exact = np.bincount(at, minlength=number).astype(np.int64)
    mean = np.bincount(at, samples.value[exact], number) / np.maximum(n_exact, 1)
    residual = samples.value[exact] - mean[at]
    return Persons(
        group=group,
        n_exact=n_exact,
        mean=mean,
        squares=np.asarray(np.bincount(at, residual * residual, number), dtype=np.float64),
        n_below=np.bincount(samples.person[samples.below], minlength=number).astype(np.int64),
        n_above=np.bincount(samples.person[samples.above], minlength=number).astype(np.int64),
        bounds=_bounds(samples, number),
    )


def _bounds(samples: Samples, number: int) -> dict[int, tuple[IntArray, FloatArray, FloatArray]]:
    censored = np.flatnonzero(~samples.exact)
    order = censored[np.argsort(samples.person[censored], kind="stable")]
    person = samples.person[order]
    count = np.bincount(person, minlength=number)
    start = np.concatenate([[0], np.cumsum(count)[:-1]]) if number else np.zeros(0, dtype=np.int64)
    found = {}
    for many in np.unique(count[count > 0]):
        persons = np.flatnonzero(count == many)
        places = order[start[persons][:, None] + np.arange(many)]
        found[int(many)] = (persons, samples.value[places], np.where(samples.below[places], 1.0, -1.0))
    return found
