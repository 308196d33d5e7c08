"""What every reader returns: cells as text, row numbers as a person counts, and the rows it refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import polars as pl

from ember.errors import EmberError
from ember.registry.model import Source

RESERVED = ("_site", "_row", "_file", "_sheet", "_participant")
REJECTED_SCHEMA = {"row_number": pl.Int64(), "rule_id": pl.String()}


@dataclass(frozen=True)
class ColumnInfo:
    """What the file itself says about a column.

    `missing_ranges` includes both ends; an open end is the largest finite number. `type` is the file's own
    name of the type or print format.
    """

    label: str = ""
    value_labels: Mapping[str, str] = field(default_factory=dict)
    missing_values: tuple[str, ...] = ()
    missing_ranges: tuple[tuple[float, float], ...] = ()
    type: str = ""

    def content(self) -> dict[str, Any]:
        """Return plain lists and dicts for JSON."""
        return {
            **asdict(self),
            "missing_values": list(self.missing_values),
            "missing_ranges": [list(ends) for ends in self.missing_ranges],
        }


@dataclass(frozen=True)
class RawTable:
    """One source as text.

    Attributes
    ----------
    frame : DataFrame
        `_row` (int64) and one String column for each column of the file; an empty cell is "".
    sheet : str or None
        The sheet of a workbook.
    columns : mapping
        What the file says about each column.
    rejected : DataFrame
        `row_number` and `rule_id` (row.wrong_width or row.blank) of data rows that are not in `frame`.
    """

    frame: pl.DataFrame
    sheet: str | None
    columns: Mapping[str, ColumnInfo]
    rejected: pl.DataFrame

    @property
    def names(self) -> list[str]:
        """Column names of the file, in its order."""
        return [name for name in self.frame.columns if name != "_row"]

    @property
    def n_rows(self) -> int:
        """Data rows of the file."""
        return self.frame.height + self.rejected.height


def column_names(cells: Sequence[str], source: Source) -> list[str]:
    """Return the header's names; a blank one becomes `(column 5)`, which tells its place.

    Raises
    ------
    EmberError
        The header is blank, a name stands twice, or a name is one of EMBER's own.
    """
    where = f"{source.shown_path}  header in row {source.header_row}"
    if not any(cell.strip() for cell in cells):
        raise EmberError(
            "The header row is blank.", where=where, fix="Give the row of the column names as `header_row:`."
        )
    names = [cell if cell.strip() else f"(column {place})" for place, cell in enumerate(cells, start=1)]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated:
        raise EmberError(
            f"Column names stand more than once: {', '.join(repeated)}.",
            where=where,
            fix="Rename them in the extract, or give the row of the column names as `header_row:`.",
        )
    taken = [name for name in names if name in RESERVED]
    if taken:
        raise EmberError(f"EMBER itself uses the column name {', '.join(taken)}.", where=where, fix="Rename it.")
    return names


def raw_table(
    source: Source,
    frame: pl.DataFrame,
    *,
    rejected: pl.DataFrame | None = None,
    sheet: str | None = None,
    columns: Mapping[str, ColumnInfo] | None = None,
) -> RawTable:
    """Return the table without its blank rows, which are rejected.

    Raises
    ------
    EmberError
        No data row is left.
    """
    refused = rejected if rejected is not None else pl.DataFrame(schema=REJECTED_SCHEMA)
    names = [name for name in frame.columns if name != "_row"]
    blank = _blank_rows(frame, names)
    if blank.any():
        blanks = frame.filter(blank).select(pl.col("_row").alias("row_number"), pl.lit("row.blank").alias("rule_id"))
        refused = pl.concat([refused, blanks]).sort("row_number")
        frame = frame.filter(~blank)
    if frame.is_empty():
        raise _no_rows(source, refused, len(names))
    given = columns or {}
    infos = {name: given.get(name, ColumnInfo()) for name in names}
    return RawTable(frame, sheet, infos, refused)


def _blank_rows(frame: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    blank = pl.repeat(True, frame.height, eager=True, dtype=pl.Boolean)
    for name in names:
        blank = blank & (frame[name].str.strip_chars() == "")
        if not blank.any():
            break
    return blank


def _no_rows(source: Source, rejected: pl.DataFrame, width: int) -> EmberError:
    wrong = int((rejected["rule_id"] == "row.wrong_width").sum())
    if wrong:
        return EmberError(
            f"All {wrong} rows have another number of cells than the header, which has {width}.",
            where=source.shown_path,
            fix="Check `delimiter:` and `header_row:` of the source in study.yaml.",
        )
    return no_rows(source)


def no_rows(source: Source) -> EmberError:
    """Return what to say of a file that ends after its header."""
    return EmberError(
        "The file has a header and no data row.", where=source.shown_path, fix="Export it again with its rows."
    )
