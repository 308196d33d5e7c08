"""In which order a column writes its dates, told by the cells that allow only one."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice

# Orders that a person writes; those in one group can be taken for each other.
ORDERS: tuple[str, ...] = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%m.%d.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y%m%d",
    "%d%b%Y", "%d-%b-%Y", "%d %b %Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%y", "%d-%m-%y", "%m-%d-%y",
)  # fmt: skip
DATE_LIKE = re.compile(r"^\d{1,4}[-/. ]?[A-Za-z0-9]{1,3}[-/. ]?\d{2,4}([T ].*)?$")
WITH_TIME = re.compile(r"^\d{4}-\d{2}(-\d{2})?([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?Z?)?$")
FIRST_YEAR, LAST_YEAR = 1900, 2100
LEAST_SHARE = 0.95
MOST_TEXTS = 1500
# Cells that only the other order reads may be slips of the pen, not another order.
MOST_AGAINST = 0.02


@dataclass(frozen=True)
class DateEvidence:
    """Orders that read the cells of a column; more than one are alternatives.

    `share` is that of the cells which the first of them reads.
    """

    orders: tuple[str, ...] = ()
    share: float = 0.0
    evidence: str = ""

    @property
    def is_date(self) -> bool:
        """Whether the column reads as dates in some order."""
        return bool(self.orders)


def date_evidence(texts: Mapping[str, int]) -> DateEvidence:
    """Return the orders in which a column's dates can be read.

    Parameters
    ----------
    texts : mapping
        Each text of the column with its count.
    """
    texts = dict(islice(texts.items(), 0, None, max(1, len(texts) // MOST_TEXTS)))
    n = sum(texts.values())
    if not n or sum(count for text, count in texts.items() if DATE_LIKE.match(text)) < LEAST_SHARE * n:
        return DateEvidence()
    read = {order: {text for text in texts if _reads(text, order)} for order in ORDERS}
    counts = {order: sum(texts[text] for text in found) for order, found in read.items()}
    good = [order for order in ORDERS if counts[order] >= LEAST_SHARE * n]
    if good:
        return _told(good, counts, n)
    if all(WITH_TIME.match(text) for text in texts) and any("-" in text for text in texts):
        return DateEvidence(("iso",), 1.0, f"all {n} cells are ISO 8601, some with a time or without a day")
    return DateEvidence()


def _told(good: list[str], counts: Mapping[str, int], n: int) -> DateEvidence:
    best = max(good, key=lambda order: counts[order])
    rival = _partner(best)
    against = n - counts[best]
    if rival in counts and counts[rival] >= counts[best] - MOST_AGAINST * n:
        return DateEvidence(
            (best, rival), counts[best] / n, f"{best} reads {counts[best]} and {rival} {counts[rival]} of {n} cells"
        )
    exact = f"{best} reads all {n} cells" if not against else f"{best} reads {counts[best]} of {n} cells"
    other = f"; {rival} reads {counts[rival]}" if rival in counts else ""
    return DateEvidence((best,), counts[best] / n, exact + other)


def _partner(order: str) -> str:
    """Return the order with day and month changed round."""
    if "%b" in order or order.startswith("%Y"):
        return ""
    return order.translate(str.maketrans("dm", "md"))


def _reads(text: str, order: str) -> bool:
    return _date(text, order) is not None


def _date(text: str, order: str) -> datetime.date | None:
    # strptime takes spaces and missing zeros that a column of eight digits does not have.
    if order == "%Y%m%d" and not re.fullmatch(r"\d{8}", text):
        return None
    try:
        found = datetime.datetime.strptime(text, order).date()
    except ValueError:
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def parsed(text: str, order: str) -> datetime.date | None:
    """Return a cell as a date in a known order, or None."""
    if order == "iso":
        return _date(text[:10], "%Y-%m-%d")
    return _date(text, order)
