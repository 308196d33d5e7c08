"""The samples that may define a person's state: when they were taken, where they lie, and what speaks against them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from ember.endotypes.cuts import UNPLACED, BoolArray, Cut, FloatArray, IntArray, place
from ember.endotypes.results import PERSON, censored, of_standard_assay, standard_limits, values
from ember.endotypes.scheme import Scheme
from ember.registry.model import Visit

INFECTION = "acute_infection"
"""Instrument of the registry that says whether there was an infection at a visit: 1 yes, 0 no."""
VALID, ACUTE, INFECTED, UNKNOWN = 0, 1, 2, 3
"""Kinds of samples: one that can be placed, one above the acute cut, one with an infection, one nobody can place."""


@dataclass(frozen=True)
class Samples:
    """Samples in the window, ordered by person and time; one entry a sample.

    Attributes
    ----------
    person : ndarray of int
        Position of the participant.
    low, high : ndarray
        Study day; where only the visit is known, the first and last day of its window.
    kind : ndarray of int
        VALID, ACUTE, INFECTED or UNKNOWN.
    band : ndarray of int
        Number of cuts at or below the value, UNPLACED where that is not known.
    blind : ndarray of bool
        A standard assay whose limit leaves the band open.
    asked : ndarray of bool
        Whether somebody said if there was an infection.
    at : ndarray of int
        Position of the result among the measurements.
    row_id : ndarray of int
    undated, late : ndarray of bool, one a participant
        Has a sample that could lie in the window and whose day is not known; has one after treatment began.
    elsewhere : ndarray of bool, one a participant
        Has a result outside the window only.
    """

    person: IntArray
    low: IntArray
    high: IntArray
    kind: IntArray
    band: IntArray
    blind: BoolArray
    asked: BoolArray
    at: IntArray
    row_id: IntArray
    undated: BoolArray
    late: BoolArray
    elsewhere: BoolArray


def numbered(participants: pl.DataFrame) -> pl.DataFrame:
    """Return `site_id`, `participant_id` and `person`, the position of each participant."""
    return participants.select(*PERSON, pl.int_range(pl.len(), dtype=pl.Int64).alias("person"))


def samples_of(
    people: pl.DataFrame,
    measurements: pl.DataFrame,
    scheme: Scheme,
    visits: Sequence[Visit],
    scores: pl.DataFrame | None = None,
    started: FloatArray | None = None,
) -> Samples:
    """Return the samples of the screening analyte that may define a baseline state.

    Parameters
    ----------
    people : DataFrame
        What `numbered` returns.
    measurements : DataFrame
        Contract measurements. Of several replicates of a visit the first in contract order stands.
    visits : sequence of Visit
        The study's planned visits.
    scores : DataFrame, optional
        Contract scores, of which the instrument `acute_infection` is read.
    started : ndarray, shape (people,), optional
        Study day on which each participant's treatment began; nan where nobody says.

    Notes
    -----
    Only samples inside the window and not after the day on which treatment began are used: what treatment has
    already changed cannot say what was there before it. A sample without a day lies somewhere in the window of its
    visit, and counts only if all of that lies inside.
    """
    known = [visit.id for visit in visits]
    found, slot = _results(people, measurements, scheme.analyte, known)
    low, high, dated = _days(found, slot, visits)
    person = found["person"].to_numpy().astype(np.int64)
    window = scheme.samples
    inside = (low >= window.first) & (high <= window.last)
    limit = np.full(person.size, np.inf) if started is None else np.nan_to_num(started, nan=np.inf)[person]
    late = inside & (high > limit)
    straddles = ~dated & ~inside & (low <= window.last) & (high >= window.first)
    kept = np.flatnonzero(inside & ~late)
    kept = kept[np.lexsort((found["at"].to_numpy()[kept], high[kept], low[kept], person[kept]))]
    own = found[kept]
    band, blind = _bands(own, scheme.cuts)
    infected, asked = _infections(own, slot[kept], people, scores, known)
    return Samples(
        person=person[kept],
        low=low[kept],
        high=high[kept],
        kind=_kinds(band, infected, len(scheme.cuts)),
        band=band,
        blind=blind,
        asked=asked,
        at=own["at"].to_numpy().astype(np.int64),
        row_id=own["row_id"].to_numpy().astype(np.int64),
        undated=_any(person[straddles], people.height),
        late=_any(person[late], people.height),
        elsewhere=_any(person, people.height) & ~_any(person[kept], people.height),
    )


def _results(
    people: pl.DataFrame, measurements: pl.DataFrame, analyte: str, known: Sequence[str]
) -> tuple[pl.DataFrame, IntArray]:
    """Return the usable results of the analyte, the first of each person and visit, and the numbers of their visits."""
    usable = (pl.col("analyte") == analyte) & pl.col("value").is_not_null() & pl.col("visit").is_in(known)
    found = (
        measurements.with_columns(pl.int_range(pl.len(), dtype=pl.Int64).alias("at"))
        .filter(usable)
        .select(*PERSON, "at", "row_id", "visit", "study_day", "value", "censoring", "assay_class", "detection_limit")
        .join(people, on=PERSON, how="inner", maintain_order="left")
    )
    return _first_replicates(found, _visit_numbers(found["visit"], known))


def _days(found: pl.DataFrame, slot: IntArray, visits: Sequence[Visit]) -> tuple[IntArray, IntArray, BoolArray]:
    """Return the first and last day on which each sample may have been taken, and whether its day is known."""
    ends = np.array([(visit.first, visit.last) for visit in visits], dtype=np.int64)
    dated = found["study_day"].is_not_null().to_numpy()
    day = found["study_day"].fill_null(0).to_numpy().astype(np.int64)
    return np.where(dated, day, ends[slot, 0]), np.where(dated, day, ends[slot, 1]), dated


def _visit_numbers(visit: pl.Series, known: Sequence[str]) -> IntArray:
    numbers = visit.cast(pl.String).replace_strict({name: n for n, name in enumerate(known)}, return_dtype=pl.Int64)
    return numbers.to_numpy().astype(np.int64)


def _first_replicates(found: pl.DataFrame, slot: IntArray) -> tuple[pl.DataFrame, IntArray]:
    """Keep the first result of a person and visit."""
    key = found["person"].to_numpy() * (int(slot.max(initial=0)) + 1) + slot
    _, first = np.unique(key, return_index=True)
    if first.size == key.size:
        return found, slot
    first = np.sort(first)
    return found[first], slot[first]


def _bands(found: pl.DataFrame, cuts: Sequence[Cut]) -> tuple[IntArray, BoolArray]:
    """Return the band of each result, and where it is the limit of a standard assay that leaves it open.

    Notes
    -----
    A standard assay sees nothing below its limit, so a number it gives there counts as "below the limit".
    """
    value, left, right = values(found), censored(found, "left"), censored(found, "right")
    limit = standard_limits(found)
    blind = ~left & ~right & (np.isnan(limit) | (value < limit))
    band = place(np.where(blind, limit, value), left | blind, right, cuts)
    return band, (blind | (left & of_standard_assay(found))) & (band == UNPLACED)


def _infections(
    found: pl.DataFrame, slot: IntArray, people: pl.DataFrame, scores: pl.DataFrame | None, known: Sequence[str]
) -> tuple[BoolArray, BoolArray]:
    """Return where an infection is reported at the visit of a sample, and where somebody was asked."""
    width = len(known)
    state = np.zeros(people.height * width, dtype=np.int8)
    if scores is not None:
        told = scores.filter((pl.col("instrument") == INFECTION) & pl.col("visit").is_in(known))
        told = told.select(*PERSON, "visit", "score").join(people, on=PERSON, how="inner", maintain_order="left")
        at = told["person"].to_numpy().astype(np.int64) * width + _visit_numbers(told["visit"], known)
        state[at] = np.where(told["score"].to_numpy() > 0, 2, 1)
    mine = state[found["person"].to_numpy().astype(np.int64) * width + slot]
    return mine == 2, mine > 0


def _kinds(band: IntArray, infected: BoolArray, acute: int) -> IntArray:
    kind = np.where(band == UNPLACED, UNKNOWN, np.where(band == acute, ACUTE, VALID))
    return np.where(infected, INFECTED, kind).astype(np.int64)


def _any(person: IntArray, number: int) -> BoolArray:
    found = np.zeros(number, dtype=np.bool_)
    found[person] = True
    return found
