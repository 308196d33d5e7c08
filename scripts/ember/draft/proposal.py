"""What a draft says: one proposal a line, with its evidence in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

# Below it a proposal is left open: it stands as a comment and the study does not run before it is settled.
LEAST_CONFIDENCE = 0.5

PROPOSED, OPEN = "proposed", "open"


@dataclass(frozen=True)
class Proposal:
    """One thing that the draft proposes, or leaves open.

    Attributes
    ----------
    kind : str
        participant, time_zero, visits, visit, visit_date, variable, code, analyte, test, unit, batch, flag, items,
        total, missing, rows, date_format, format, unmapped ...
    proposal : str
        What it should become; where open, the alternatives in order, joined by " | ".
    evidence : str
        In words and counts; never a participant's value.
    confidence : float
        0 to 1.
    """

    site: str
    source: str
    column: str
    kind: str
    proposal: str
    evidence: str
    confidence: float
    status: str = PROPOSED

    @property
    def is_open(self) -> bool:
        """Whether people have to settle it."""
        return self.status == OPEN

    def sentence(self) -> str:
        """Return the open point as the study lead reads it."""
        place = f"{self.source}, {self.column}" if self.column else self.source
        answer = f" Perhaps: {self.proposal}." if self.proposal else ""
        return one_line(f"{place}: {self.kind.replace('_', ' ')} is open. {self.evidence}.{answer}")


@dataclass(frozen=True)
class Guess:
    """A meaning, what it is worth and why."""

    target: str
    confidence: float
    evidence: str


def one_line(text: str) -> str:
    """Return text that cannot end a comment or a line: a header may hold line breaks and control characters."""
    return "".join(mark if mark.isprintable() else "?" for mark in " ".join(text.split()))


def best(guesses: Iterable[Guess]) -> Guess | None:
    """Return the guess of the highest confidence; the earlier one of equals."""
    return max(guesses, key=lambda guess: guess.confidence, default=None)


def capped(confidence: float) -> float:
    """Return a confidence between 0 and 0.99: nothing is certain that nobody has confirmed."""
    return round(min(max(confidence, 0.0), 0.99), 2)
