"""What the protected tables share: counts that are the same ones, and people without a value."""

from __future__ import annotations

from ember.consortium.suppression import Counts, Key

Keys = dict[str, list[Key | None]]
"""For each count column the key of every row, None where the cell is empty."""


def same_or_own(counts: Counts, shared: Key, own: Key, value: int) -> Key:
    """Use a key that tables share if the count is the same one, else the table's own."""
    there = counts.value(shared)
    return counts.add(shared if there is None or there == value else own, value)


def relate_absence(counts: Counts, site: str, absent: Key) -> None:
    """Declare that those without a value and those with one are all participants, where the numbers say so."""
    whole: Key = ("participants", site)
    people, missing = counts.value(whole), counts.value(absent)
    if people is None or not missing:
        return
    for key in [key for key in counts.places if key[:2] == ("present", site)]:
        if counts.value(key) == people - missing:
            counts.relate(whole, [key, absent])
