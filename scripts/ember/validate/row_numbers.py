"""Whether each row of a source stands once, whatever site it belongs to."""

from __future__ import annotations

import polars as pl

from ember.validate.gate_rule import COUNT, KEY
from ember.validate.tally import times_table


class RowNumbers:
    """Numbers of the rows of one source, by sheet: four bytes a row, because any two sites may share one."""

    def __init__(self) -> None:
        self._parts: dict[str | None, list[tuple[str, pl.Series]]] = {}

    def add(self, site: str, rows: pl.DataFrame) -> None:
        """Add the rows of a site, which tell their `_sheet` and `_row`."""
        for (sheet,), part in (
            rows.select("_sheet", pl.col("_row").cast(pl.UInt32))
            .partition_by("_sheet", as_dict=True, include_key=False)
            .items()
        ):
            self._parts.setdefault(sheet, []).append((site, part.to_series()))

    def times(self) -> dict[str, pl.DataFrame]:
        """Return by site how many rows stand once, and how many more than once."""
        found: dict[str, dict[int, int]] = {}
        for parts in self._parts.values():
            numbers = pl.concat([part for _, part in parts]).sort()
            twice = numbers.filter((numbers.diff(null_behavior="ignore") == 0).fill_null(False)).unique()
            for site, part in parts:
                again = int(part.is_in(twice.implode()).sum()) if twice.len() else 0
                rows = found.setdefault(site, {1: 0, 2: 0})
                rows[1] += part.len() - again
                rows[2] += again
        return {site: times_table(rows).filter(pl.col(COUNT) > 0).select(KEY, COUNT) for site, rows in found.items()}
