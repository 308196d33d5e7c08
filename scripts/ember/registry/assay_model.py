"""What a site says of its assays, as typed, frozen objects."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class DeclaredLimit:
    """The limits of a laboratory for the results of some months or batches, in its unit; null where it has none.

    `first` and `last` are calendar months ("2019-03"), both included; without one the limits hold from, or to, ever.
    """

    unit: str
    reason: str
    low: float | None = None
    high: float | None = None
    first: str | None = None
    last: str | None = None
    batches: tuple[str, ...] = ()
    decision: str | None = None


@dataclass(frozen=True)
class BridgeUse:
    """A row of config/registry/bridges.csv that brings results to the scale of another assay."""

    id: str
    decision: str | None = None
