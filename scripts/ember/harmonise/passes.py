"""Shares of a site that are gone through several times: what is said of the whole site is known after a pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

Share = TypeVar("Share")
Made = TypeVar("Made")


class Passes(Generic[Share]):
    """Something of each share of a site, made anew at every pass; where there is one share it is made once and kept.

    Parameters
    ----------
    make : callable
        Makes it for all shares, in their order.
    single : bool
        Whether there is one share.
    """

    def __init__(self, make: Callable[[], Iterable[Share]], single: bool) -> None:
        self._make, self.single = make, single
        self._kept: list[Share] | None = None

    def __iter__(self) -> Iterator[Share]:
        if not self.single:
            return iter(self._make())
        if self._kept is None:
            self._kept = list(self._make())
        return iter(self._kept)

    def each(self, change: Callable[[Share], Made]) -> Passes[Made]:
        """Return what a function makes of each share."""
        return Passes(lambda: map(change, self), self.single)
