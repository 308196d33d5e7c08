"""Split totals into answers to items, so that the instrument's own rule gives the total back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ember.registry.registry import Registry

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Item:
    """One item: its number, its highest answer, the domain it counts in ("" if it stands alone), scored or not."""

    number: int
    high: int
    domain: str
    scored: bool


def items_of(instrument: str, registry: Registry) -> tuple[Item, ...]:
    """Return the items of an instrument in their order."""
    rows = [row for row in registry.rows("instrument_items") if row["instrument"] == instrument]
    return tuple(Item(int(row["item"]), int(row["item_high"]), row["domain"], row["scored"] == "true") for row in rows)


def draw_answers(rng: np.random.Generator, totals: IntArray, items: tuple[Item, ...]) -> IntArray:
    """Return answers whose score is the total.

    Parameters
    ----------
    totals : ndarray of int, shape (n,)
    items : tuple of Item
        All items; those of one domain count once, with the highest of them.

    Returns
    -------
    ndarray of int, shape (n, items)
        Within each item's range. Items that are not scored get an answer at random.
    """
    scored = [item for item in items if item.scored]
    parts = list(dict.fromkeys(item.domain or str(item.number) for item in scored))
    highs = [max(item.high for item in scored if (item.domain or str(item.number)) == part) for part in parts]
    points = dict(zip(parts, fill_parts(rng, totals, highs).T, strict=True))
    answers = np.empty((len(totals), len(items)), dtype=np.int64)
    for part in parts:
        places = [i for i, item in enumerate(items) if item.scored and (item.domain or str(item.number)) == part]
        answers[:, places] = _within_domain(rng, points[part], len(places))
    for place, item in enumerate(items):
        if not item.scored:
            answers[:, place] = rng.integers(0, item.high + 1, len(totals))
    return answers


def fill_parts(rng: np.random.Generator, totals: IntArray, highs: list[int]) -> IntArray:
    """Distribute each total at random over parts that hold at most `highs` points, shape (n, parts)."""
    slots = np.repeat(np.arange(len(highs)), highs)
    order = np.argsort(rng.random((len(totals), len(slots))), axis=1, kind="stable")
    filled = order < totals[:, None]  # slot j is filled if its random rank is below the total
    points = np.zeros((len(totals), len(highs)), dtype=np.int64)
    for part in range(len(highs)):
        points[:, part] = filled[:, slots == part].sum(axis=1)
    return points


def _within_domain(rng: np.random.Generator, highest: IntArray, count: int) -> IntArray:
    if count == 1:
        return highest[:, None]
    answers = rng.integers(0, highest[:, None] + 1, (len(highest), count))
    answers[np.arange(len(highest)), rng.integers(0, count, len(highest))] = highest
    return answers
