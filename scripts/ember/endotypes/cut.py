"""Points that divide a line, and to which side they belong."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cut:
    """A point on the line and the side to which it belongs.

    Parameters
    ----------
    value : float
        In the canonical unit.
    belongs_above : bool
        True for ">= value" against "< value", False for "> value" against "<= value".
    """

    value: float
    belongs_above: bool


def cut_of(operator: str, value: float) -> Cut:
    """Return the cut that an operator makes: ">=" and "<" make the same one, and so do ">" and "<="."""
    return Cut(float(value), operator in (">=", "<"))


def points_up(operator: str) -> bool:
    """Return whether an operator takes the side above its value."""
    return operator in (">", ">=")
