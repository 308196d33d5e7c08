"""draft.csv: every proposal with its evidence."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable

from ember.draft.proposal import Proposal

COLUMNS = ("site", "source", "column", "kind", "proposal", "evidence", "confidence", "status")


FORMULA = re.compile(r"^[=+@\t\r]|^-(?!\d)")


def _cell(value: object) -> str:
    """Return a cell that a spreadsheet shows and does not compute: a column's name may begin like a formula."""
    text = str(value)
    return f"'{text}" if FORMULA.match(text) else text


def draft_csv(proposals: Iterable[Proposal]) -> str:
    """Return the proposals as CSV, in the order in which they were made."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(COLUMNS)
    for proposal in proposals:
        writer.writerow([_cell(getattr(proposal, name)) for name in COLUMNS])
    return written.getvalue()
