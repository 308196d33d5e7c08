"""draft.csv: every proposal with its evidence."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from ember.draft.proposal import Proposal

COLUMNS = ("site", "source", "column", "kind", "proposal", "evidence", "confidence", "status")


def draft_csv(proposals: Iterable[Proposal]) -> str:
    """Return the proposals as CSV, in the order in which they were made."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    for proposal in proposals:
        writer.writerow([getattr(proposal, name) for name in COLUMNS])
    return written.getvalue()
