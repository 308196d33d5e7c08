"""Which of a person's samples count, in the order in which they were taken, and which of them decide."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ember.endotypes.cuts import BoolArray, FloatArray, IntArray
from ember.endotypes.samples import ACUTE, INFECTED, UNKNOWN, VALID, Samples

NONE = -1


@dataclass(frozen=True)
class Sequences:
    """One entry a participant; positions are those of samples, NONE where there is no such sample.

    Attributes
    ----------
    last, before : ndarray of int
        The last valid sample that counts, and the valid one before it.
    twice_above : ndarray of bool
        The last two samples that count, infections left out, lie above the acute cut.
    n_counted : ndarray of int
        Samples that count.
    acute, infected, unknown : ndarray of bool
        Has a counted sample above the acute cut, a counted one with an infection, one nobody can place.
    unknown_last : ndarray of int
        The last sample that nobody can place.
    too_soon : ndarray of bool
        Has a sample too close to the one before it to count.
    acute_last : ndarray of bool
        The last counted sample is above the acute cut or with an infection.
    counted : ndarray of bool, one a sample
    """

    last: IntArray
    before: IntArray
    twice_above: BoolArray
    n_counted: IntArray
    acute: BoolArray
    infected: BoolArray
    unknown: BoolArray
    unknown_last: IntArray
    too_soon: BoolArray
    acute_last: BoolArray
    counted: BoolArray


def sequences(samples: Samples, number: int, apart: int) -> Sequences:
    """Return what the samples of `number` participants come to.

    Parameters
    ----------
    samples : Samples
        Ordered by person and time.
    apart : int
        Days that lie at least between two samples that count.

    Notes
    -----
    Time runs forward: the first sample counts, and each later one if it lies far enough behind the last that
    counted. A sample soon after an infection therefore does not acquit it. Where days are not known, the shortest
    possible distance has to be long enough. A sample that nobody can place neither counts nor stands in the way.
    """
    kind, person = samples.kind, samples.person
    rank = _ranks(person)
    last, before, plain, plain_before, unknown_last, latest = (np.full(number, NONE, np.int64) for _ in range(6))
    until: FloatArray = np.full(number, -np.inf)
    counted = np.zeros(person.size, dtype=np.bool_)
    n_counted = np.zeros(number, dtype=np.int64)
    too_soon = np.zeros(number, dtype=np.bool_)
    for step in range(int(rank.max(initial=-1)) + 1):
        rows = np.flatnonzero(rank == step)
        who = person[rows]
        placed = kind[rows] != UNKNOWN
        far = samples.low[rows] - until[who] >= apart
        unknown_last[who[~placed]] = rows[~placed]
        too_soon[who[placed & ~far]] = True
        rows, who = rows[placed & far], who[placed & far]
        counted[rows] = True
        n_counted[who] += 1
        until[who], latest[who] = samples.high[rows], rows
        _push(last, before, who, rows, kind[rows] == VALID)
        _push(plain, plain_before, who, rows, kind[rows] != INFECTED)
    return Sequences(
        last=last,
        before=before,
        twice_above=_is(plain, kind, ACUTE) & _is(plain_before, kind, ACUTE),
        n_counted=n_counted,
        acute=_has(person[counted & (kind == ACUTE)], number),
        infected=_has(person[counted & (kind == INFECTED)], number),
        unknown=unknown_last != NONE,
        unknown_last=unknown_last,
        too_soon=too_soon,
        acute_last=_is(latest, kind, ACUTE) | _is(latest, kind, INFECTED),
        counted=counted,
    )


def _ranks(person: IntArray) -> IntArray:
    """Return the place of each sample among those of its person, from 0."""
    new = np.ones(person.size, dtype=np.bool_)
    new[1:] = person[1:] != person[:-1]
    starts = np.flatnonzero(new)
    return np.arange(person.size) - np.repeat(starts, np.diff(np.append(starts, person.size)))


def _push(last: IntArray, before: IntArray, who: IntArray, rows: IntArray, where: BoolArray) -> None:
    """Put samples in the place of the last one, and that one in the place before; a person stands once in `who`."""
    before[who[where]] = last[who[where]]
    last[who[where]] = rows[where]


def _is(at: IntArray, kind: IntArray, wanted: int) -> BoolArray:
    found = np.zeros(at.size, dtype=np.bool_)
    there = at != NONE
    found[there] = kind[at[there]] == wanted
    return found


def _has(person: IntArray, number: int) -> BoolArray:
    found = np.zeros(number, dtype=np.bool_)
    found[person] = True
    return found
