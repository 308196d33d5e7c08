"""The one error that a user can mend, and the search for the name they meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class EmberError(Exception):
    """Something a user can mend: says where, what, what is allowed and what is nearest.

    Parameters
    ----------
    what : str
        One sentence on what is wrong. Never holds a participant's value.
    where : str
        File, and line, row, column or key.
    allowed : iterable of str
        What would have been accepted.
    nearest : str, optional
        The accepted name closest to what was given.
    fix : str
        What to do about it, if that is not obvious.
    """

    def __init__(
        self, what: str, *, where: str = "", allowed: Iterable[str] = (), nearest: str | None = None, fix: str = ""
    ) -> None:
        self.what = what
        self.where = where
        self.allowed = tuple(allowed)
        self.nearest = nearest
        self.fix = fix
        super().__init__(str(self))

    def __str__(self) -> str:
        lines = [self.where] if self.where else []
        indent = "  " if self.where else ""
        lines.append(indent + self.what)
        hint = ""
        if self.allowed:
            hint = f"Allowed: {_shortened(self.allowed)}."
        if self.nearest:
            hint = f"{hint} Nearest: {self.nearest}.".strip()
        if hint:
            lines.append(indent + hint)
        if self.fix:
            lines.append(indent + self.fix)
        return "\n".join(lines)


def nearest_name(given: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name closest to `given`, ignoring case, or None if nothing is close."""
    by_lower = {name.lower(): name for name in sorted(allowed)}
    found = get_close_matches(given.lower(), by_lower, n=1, cutoff=0.6)
    return by_lower[found[0]] if found else None


def _shortened(names: tuple[str, ...], most: int = 12) -> str:
    listed = ", ".join(names[:most])
    return listed if len(names) <= most else f"{listed} and {len(names) - most} more"
