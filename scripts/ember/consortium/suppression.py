"""Which counts must be hidden so that no count below a threshold can be read, or worked out, from the rest."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ember.tables.store import BrokenContractError

Key = tuple[Hashable, ...]
BoolArray = NDArray[np.bool_]
IntArray = NDArray[np.int64]
SMALLEST_DIRECTION = 1e-9
WHOLES = frozenset(("participants",))
"""Counts that every reader looks for: they are hidden last."""


@dataclass(frozen=True)
class Relation:
    """A published sum: the count at `total` is the sum of the counts at `parts`."""

    total: int
    parts: tuple[int, ...]

    @property
    def cells(self) -> tuple[int, ...]:
        return (*self.parts, self.total)


@dataclass
class Counts:
    """Every count that is published or follows from published ones, each once, and the sums between them.

    A count that stands in several tables has one key, so it is hidden everywhere or nowhere. An *implied* cell
    is in no table but can be worked out (a total minus its parts); hiding it costs a reader nothing.
    """

    values: list[int] = field(default_factory=list)
    implied: list[bool] = field(default_factory=list)
    relations: list[Relation] = field(default_factory=list)
    places: dict[Key, int] = field(default_factory=dict)
    people: dict[int, int] = field(default_factory=dict)

    def add(self, key: Key, value: int, implied: bool = False) -> Key:
        """Add a count, or meet it again.

        Raises
        ------
        BrokenContractError
            The key is there already with another count.
        """
        place = self.places.get(key)
        if place is None:
            self.places[key] = len(self.values)
            self.values.append(int(value))
            self.implied.append(implied)
        elif self.values[place] != value:
            raise BrokenContractError(f"disclosure: one count, two values ({key[0]})")
        else:
            self.implied[place] = self.implied[place] and implied
        return key

    def value(self, key: Key) -> int | None:
        """Return the count at a key, or None if there is none."""
        place = self.places.get(key)
        return None if place is None else self.values[place]

    def behind(self, key: Key, people: int) -> None:
        """Declare how many people stand behind a count of their rows: it is hidden where they are too few."""
        self.people[self.places[key]] = people

    def relate(self, total: Key, parts: Iterable[Key], rest: str = "rest") -> None:
        """Declare that parts add up to a total; what is missing becomes an implied part.

        Parts that add up to more than the total overlap, so nothing follows from them and no sum is kept.
        """
        places = [self.places[part] for part in parts]
        missing = self.values[self.places[total]] - sum(self.values[place] for place in places)
        if missing < 0 or not places:
            return
        if missing > 0:
            key = self.add((*total, rest), missing, implied=True)
            places.append(self.places[key])
        self.relations.append(Relation(self.places[total], tuple(places)))

    def hidden(self, threshold: int) -> frozenset[Key]:
        """Return the keys of the counts that may not be shown."""
        few = np.zeros(len(self.values), dtype=bool)
        few[[place for place, people in self.people.items() if 0 < people < threshold]] = True
        counts = np.array(self.values, dtype=np.int64)
        whole = np.array([key[0] in WHOLES for key in self.places], dtype=bool)
        mask = suppress(counts, self.relations, threshold, np.array(self.implied), few, whole)
        return frozenset(key for key, place in self.places.items() if mask[place])


def suppress(
    counts: NDArray[np.int64],
    relations: Sequence[Relation],
    threshold: int,
    implied: BoolArray | None = None,
    few: BoolArray | None = None,
    whole: BoolArray | None = None,
) -> BoolArray:
    """Return which counts to hide.

    Parameters
    ----------
    counts : ndarray, shape (n,)
        Counts of people, rows or values.
    relations : sequence of Relation
        Sums that hold between the counts.
    threshold : int
        A count from 1 to threshold - 1 is hidden; 0 hides nothing. Zeros are always shown.
    implied : ndarray of bool, shape (n,), optional
        Counts that are in no table; they are hidden before published ones.
    few : ndarray of bool, shape (n,), optional
        Counts of rows or values of too few people, hidden whatever their size.
    whole : ndarray of bool, shape (n,), optional
        Counts that are hidden only where nothing else is left.

    Returns
    -------
    ndarray of bool, shape (n,)

    Notes
    -----
    Primary: 0 < n < threshold. Secondary, repeated until nothing changes: (a) a sum never has exactly one hidden
    cell; (b) k hidden parts of a known total together hold at least threshold + k - 1, so every one of them may
    still be as large as the threshold for a reader who knows that none is zero; (c) no hidden count is a linear
    combination of shown ones (null space of the sums, per connected component), which is what leaks from tables
    with totals in two directions. Each time the smallest shown count of the sum is hidden as well, implied ones
    first and `whole` ones last.
    It does not see sums that are not declared, nor two analyses whose people differ by a few.
    """
    mask = (counts > 0) & (counts < threshold)
    mask = mask if few is None else mask | few
    turn = np.ones(counts.size, dtype=np.int64)
    if implied is not None and implied.size:
        turn[implied] = 0
    if whole is not None and whole.size:
        turn[whole] = 2
    if not mask.any():
        return mask
    while True:
        while any([_make_safe(relation, counts, mask, threshold, turn) for relation in relations]):
            pass
        found = _first_determined(relations, mask)
        if found is None:
            return mask
        _hide_neighbour(*found, relations, counts, mask, turn)


def _make_safe(relation: Relation, counts: NDArray[np.int64], mask: BoolArray, threshold: int, turn: IntArray) -> bool:
    changed = False
    while _unsafe(relation, counts, mask, threshold):
        candidate = _next_smallest(relation, counts, mask, turn)
        if candidate is None:
            break
        mask[candidate] = True
        changed = True
    return changed


def _unsafe(relation: Relation, counts: NDArray[np.int64], mask: BoolArray, threshold: int) -> bool:
    unknown = [part for part in relation.parts if mask[part]]
    if mask[relation.total]:
        return not unknown
    if not unknown:
        return False
    held = sum(int(counts[part]) for part in unknown)
    return len(unknown) == 1 or held < threshold + len(unknown) - 1


def _next_smallest(relation: Relation, counts: NDArray[np.int64], mask: BoolArray, turn: IntArray) -> int | None:
    shown = [cell for cell in relation.cells if not mask[cell] and counts[cell] > 0]
    return min(shown, key=lambda cell: (int(turn[cell]), int(counts[cell])), default=None)


def _hide_neighbour(
    cell: int,
    component: frozenset[int],
    relations: Sequence[Relation],
    counts: NDArray[np.int64],
    mask: BoolArray,
    turn: IntArray,
) -> None:
    """Hide the smallest shown count in a sum with the cell, else in a sum with a hidden cell that leads to it.

    One is always there: sums of hidden counts and zeros alone determine nothing.
    """
    for reach in (frozenset((cell,)), component):
        near = [relation for relation in relations if not reach.isdisjoint(relation.cells)]
        found = [candidate for r in near if (candidate := _next_smallest(r, counts, mask, turn)) is not None]
        if found:
            mask[min(found, key=lambda place: (int(turn[place]), int(counts[place])))] = True
            return
    raise BrokenContractError("disclosure: a hidden count follows from the shown ones and nothing is left to hide")


def _first_determined(relations: Sequence[Relation], mask: BoolArray) -> tuple[int, frozenset[int]] | None:
    """Return a hidden cell that the shown ones determine and the hidden cells tied to it, or None."""
    rows = [{cell: (-1.0 if cell == r.total else 1.0) for cell in r.cells if mask[cell]} for r in relations]
    for component in _components([row for row in rows if row]):
        cells = sorted({cell for row in component for cell in row})
        column = {cell: number for number, cell in enumerate(cells)}
        matrix = np.zeros((len(component), len(cells)))
        for number, row in enumerate(component):
            for cell, sign in row.items():
                matrix[number, column[cell]] = sign
        freedom = _null_space(matrix)
        fixed = np.flatnonzero(np.abs(freedom).max(axis=1, initial=0.0) < SMALLEST_DIRECTION)
        if fixed.size:
            return cells[int(fixed[0])], frozenset(cells)
    return None


def _null_space(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    _, sizes, directions = np.linalg.svd(matrix, full_matrices=True)
    rank = int((sizes > SMALLEST_DIRECTION * max(1.0, sizes.max(initial=0.0))).sum())
    free: NDArray[np.float64] = directions[rank:].T
    return free


def _components(rows: list[dict[int, float]]) -> list[list[dict[int, float]]]:
    """Group the sums that share a hidden cell, in order of appearance."""
    owner: dict[int, int] = {}
    groups: dict[int, list[dict[int, float]]] = {}
    for number, row in enumerate(rows):
        joined = sorted({owner[cell] for cell in row if cell in owner})
        target = joined[0] if joined else number
        groups.setdefault(target, [])
        for other in joined[1:]:
            groups[target].extend(groups.pop(other))
        groups[target].append(row)
        for member in groups[target]:
            owner.update(dict.fromkeys(member, target))
    return list(groups.values())
