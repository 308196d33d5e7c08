"""What the cells of a column look like, in aggregate."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.draft.dates import DateEvidence, date_evidence
from ember.draft.words import squeezed
from ember.extract.table import ColumnInfo

# A text that fewer cells hold may be a free text or an id; it is counted and never shown.
LEAST_COUNT = 5
MOST_CODES = 300
NUMBER = re.compile(r"^[<>≤≥]?=?\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d+)?)$")


@dataclass(frozen=True)
class Profile:
    """A column in aggregate. `codes` holds only texts that may be shown; `numbers` never leaves the draft.

    Attributes
    ----------
    n, n_filled, n_distinct : int
        Rows, rows with a cell that is neither empty nor a missing text, and different texts among those.
    missing_texts : mapping
        Conventional texts for missing among the cells, with counts.
    numbers : array of float64
        Cells that are numbers, a leading "<" or ">" left out.
    n_censored : int
        Numbers with a "<" or ">".
    codes : mapping
        Texts of a column with few of them, each with its count, if at least 5 cells hold it or the file
        declares it.
    n_other_texts : int
        Cells whose text is not in `codes`, where there are codes.
    """

    name: str
    info: ColumnInfo
    n: int
    n_filled: int
    n_distinct: int
    numbers: NDArray[np.float64]
    n_censored: int = 0
    codes: Mapping[str, int] = field(default_factory=dict)
    n_other_texts: int = 0
    missing_texts: Mapping[str, int] = field(default_factory=dict)
    dates: DateEvidence = field(default_factory=DateEvidence)

    @property
    def share_numeric(self) -> float:
        """Share of the filled cells that are numbers."""
        return self.numbers.size / self.n_filled if self.n_filled else 0.0

    @property
    def is_numeric(self) -> bool:
        """Whether the column is one of numbers, a few odd cells apart."""
        return self.share_numeric >= 0.9

    @property
    def median(self) -> float | None:
        """Median of the numbers, None without one."""
        return float(np.median(self.numbers)) if self.numbers.size else None

    def without(self, codes: Collection[float]) -> NDArray[np.float64]:
        """Return the numbers other than missing codes."""
        return self.numbers[~np.isin(self.numbers, np.array(list(codes), dtype=np.float64))]


def profile_of(
    cells: pl.Series, info: ColumnInfo, missing_texts: Collection[str], decimal: str = ".", thousands: str | None = None
) -> Profile:
    """Return what the cells of one column look like.

    Parameters
    ----------
    cells : Series of str
        Cells as text; "" is empty.
    missing_texts : collection of str
        Texts that conventionally mean missing, squeezed or as they are.
    """
    texts = cells.str.strip_chars()
    counts = {text: int(n) for text, n in zip(*_counted(texts), strict=True)}
    absent = {text: n for text, n in counts.items() if text and _is_missing(text, missing_texts)}
    left = {text: n for text, n in counts.items() if text and text not in absent}
    numbers, repeats, n_censored = _numbers(left, decimal, thousands)
    declared = set(info.value_labels) | set(info.missing_values)
    codes = {text: left[text] for text in sorted(left) if left[text] >= LEAST_COUNT or text in declared}
    few = len(left) <= MOST_CODES and bool(codes)
    shown = codes if few else {}
    return Profile(
        name=cells.name,
        info=info,
        n=len(cells),
        n_filled=sum(left.values()),
        n_distinct=len(left),
        numbers=np.repeat(numbers, repeats),
        n_censored=n_censored,
        codes=shown,
        n_other_texts=sum(n for text, n in left.items() if text not in shown) if few else 0,
        missing_texts=absent,
        dates=date_evidence(left),
    )


def _counted(texts: pl.Series) -> tuple[list[str], list[int]]:
    table = pl.DataFrame({"text": texts}).group_by("text", maintain_order=True).len()
    return table["text"].to_list(), table["len"].to_list()


def _is_missing(text: str, missing_texts: Collection[str]) -> bool:
    return text in missing_texts or (squeezed(text) in missing_texts and len(squeezed(text)) > 1)


def _numbers(
    left: Mapping[str, int], decimal: str, thousands: str | None
) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    values, repeats, n_censored = [], [], 0
    for text, n in left.items():
        plain = text.replace(thousands, "") if thousands else text
        found = NUMBER.match(plain.replace(decimal, ".") if decimal != "." else plain)
        if found:
            values.append(float(found[1]))
            repeats.append(n)
            n_censored += n if text[0] in "<>≤≥" else 0
    return np.array(values, dtype=np.float64), np.array(repeats, dtype=np.int64), n_censored
