"""The proposals of one source, collected while its mapping is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ember.draft.proposal import OPEN, PROPOSED, Proposal, capped, one_line


@dataclass
class Notes:
    """Proposals and open points of one source of one site."""

    site: str
    source: str
    proposals: list[Proposal] = field(default_factory=list)

    def propose(self, column: str, kind: str, proposal: str, evidence: str, confidence: float) -> None:
        """Note a statement that will stand in the study."""
        self._add(column, kind, proposal, evidence, confidence, PROPOSED)

    def leave(self, column: str, kind: str, alternatives: Iterable[str], evidence: str) -> None:
        """Note what is left open, with its alternatives in order."""
        self._add(column, kind, " | ".join(alternatives), evidence, 0.0, OPEN)

    def skip(self, column: str, evidence: str) -> None:
        """Note a column that is not mapped; that holds nothing up."""
        self._add(column, "unmapped", "", evidence, 0.0, PROPOSED)

    def of(self, kind: str) -> list[Proposal]:
        """Return the proposals of one kind."""
        return [proposal for proposal in self.proposals if proposal.kind == kind]

    def _add(self, column: str, kind: str, proposal: str, evidence: str, confidence: float, status: str) -> None:
        made = Proposal(self.site, self.source, column, kind, proposal, one_line(evidence), capped(confidence), status)
        self.proposals.append(made)
