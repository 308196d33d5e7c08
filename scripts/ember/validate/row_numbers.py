"""Whether each row of a source stands once, whatever site it belongs to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.validate.gate_rule import COUNT, KEY
from ember.validate.tally import times_table


@dataclass
class Sheet:
    """Which site has a row first (its place in the order of sites, from 1; 0: none), and the rows that stand again."""

    owner: NDArray[np.uint16] = field(default_factory=lambda: np.zeros(0, np.uint16))
    again: list[tuple[str, NDArray[np.uint32]]] = field(default_factory=list)

    def add(self, site: str, place: int, numbers: NDArray[np.uint32]) -> None:
        """Add numbers of rows of a site."""
        self.owner.resize(max(len(self.owner), int(numbers.max(initial=0)) + 1), refcheck=False)
        new = pl.Series(numbers).is_first_distinct().to_numpy() & (self.owner[numbers] == 0)
        self.owner[numbers[new]] = place
        if not new.all():
            self.again.append((site, numbers[~new]))

    def repeated(self, sites: list[str]) -> dict[str, int]:
        """Return by site how many of its rows stand more than once."""
        if not self.again:
            return {}
        twice = np.unique(np.concatenate([numbers for _, numbers in self.again]))
        rows = dict(zip(sites, np.bincount(self.owner[twice], minlength=len(sites) + 1)[1:].tolist(), strict=True))
        for site, numbers in self.again:
            rows[site] += len(numbers)
        return rows


class RowNumbers:
    """Numbers of the rows of one source, by sheet: two bytes a row, because any two sites may share one."""

    def __init__(self) -> None:
        self._sheets: dict[str | None, Sheet] = {}
        self._rows: dict[str, int] = {}

    def add(self, site: str, rows: pl.DataFrame) -> None:
        """Add the rows of a site, which tell their `_sheet` and `_row`."""
        if not rows.height:
            return
        self._rows[site] = self._rows.get(site, 0) + rows.height
        place = list(self._rows).index(site) + 1
        numbered = rows.select("_sheet", pl.col("_row").cast(pl.UInt32))
        for (sheet,), part in numbered.partition_by("_sheet", as_dict=True, include_key=False).items():
            self._sheets.setdefault(sheet, Sheet()).add(site, place, part.to_series().to_numpy())

    def times(self) -> dict[str, pl.DataFrame]:
        """Return by site how many rows stand once, and how many more than once."""
        again = dict.fromkeys(self._rows, 0)
        for sheet in self._sheets.values():
            for site, rows in sheet.repeated(list(self._rows)).items():
                again[site] += rows
        found = {site: {1: rows - again[site], 2: again[site]} for site, rows in self._rows.items()}
        return {site: times_table(rows).filter(pl.col(COUNT) > 0).select(KEY, COUNT) for site, rows in found.items()}
