"""One rule of a gate, and the names of the derived columns that rules look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

STAGES: Mapping[str, tuple[str, ...]] = {
    "standardised": ("participants", "visits", "standard_measurements", "standard_items"),
    "harmonised": ("participants", "visits", "measurements", "scores"),
}
"""Tables of each stage that is checked table by table, in order; `raw` and `analysis` have modules of their own."""

GATES: Mapping[str, tuple[str, ...]] = {
    "standardised": ("raw", "standardised"),
    "harmonised": ("harmonised",),
    "analysis": ("analysis",),
}
"""Stages that one job checks, because their tables are ready at the same time, by the name of the gate."""

SITE = "_site"
KEY = "_key"
KNOWN = "_participant_known"
OWN_SITE = "_own_site"
ROWS = "_rows"
COUNT = "_count"
"""Columns that stand in no contract; `COUNT` is how many rows of a site hold the same cells."""


@dataclass(frozen=True)
class GateRule:
    """One expectation on a column of a table, for the rows that meet `where`.

    The verdict on a row depends on these cells alone, so that rows with the same cells need one verdict. A rule of
    the kind "unique" looks at how many rows have the key of a row.

    Parameters
    ----------
    rule : str
        Unique within a stage: table, column, what is asked and of whom.
    kind : {"unique", "present", "one_of", "between", "true"}
        All but `present` say nothing about missing values.
    checked : str
        The column that is looked at; it may be derived.
    column : str, optional
        The contract's column that a reader is told about; null for the whole table.
    where : tuple of (column, value)
        Only rows with all of these values.
    unit : {"row", "cell", "column", "table", "site"}
        What is counted.
    share : float, optional
        Largest share of failures that passes; None where none may fail.
    reason : str, optional
        Why the study changed severity or share.
    """

    rule: str
    table: str
    kind: str
    checked: str
    category: str
    severity: str
    title: str
    column: str | None = None
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    where: tuple[tuple[str, str | bool], ...] = ()
    unit: str = "row"
    share: float | None = None
    reason: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns on which the verdict on a row depends: what is checked, and the conditions."""
        return tuple(dict.fromkeys((self.checked, *(name for name, _ in self.where))))


@dataclass(frozen=True)
class Counts:
    """How many values a rule was asked about, and how many did not meet it."""

    checked: int = 0
    failed: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.checked + other.checked, self.failed + other.failed)

    def passed(self, share: float | None) -> bool:
        """Return whether few enough failed; `share` is the largest share that passes, None: none may fail."""
        return self.failed == 0 or (share is not None and self.failed / self.checked <= share)
