"""What every reader returns: cells as text, row numbers as a person counts, and the rows it refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import polars as pl

from ember.errors import EmberError
from ember.registry.model import Source

REJECTED_SCHEMA = {"row_number": pl.Int64(), "rule_id": pl.String()}


@dataclass(frozen=True)
class ColumnInfo:
    """What the file itself says about a column.

    `missing_ranges` includes both ends; an open end is the largest finite number. `type` is the file's own
    name of the type or print format, `branch` the condition under which a form shows the field.
    """

    label: str = ""
    value_labels: Mapping[str, str] = field(default_factory=dict)
    missing_values: tuple[str, ...] = ()
    missing_ranges: tuple[tuple[float, float], ...] = ()
    type: str = ""
    branch: str = ""

    def content(self) -> dict[str, Any]:
        """Return plain lists and dicts for JSON; without a branch where there is none."""
        return {
            **{name: value for name, value in asdict(self).items() if name != "branch" or value},
            "missing_values": list(self.missing_values),
            "missing_ranges": [list(ends) for ends in self.missing_ranges],
        }


@dataclass(frozen=True)
class RawTable:
    """One source, or one batch of its rows, as text.

    Attributes
    ----------
    frame : DataFrame
        `_row` (int64) and one String column for each column of the file; an empty cell is "".
    sheet : str or None
        The sheet of a workbook.
    columns : mapping
        What the file says about each column.
    rejected : DataFrame
        `row_number` and `rule_id` (row.wrong_width, row.blank, row.no_partner) of data rows that are not in `frame`.
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


@dataclass(frozen=True)
class RawStream:
    """One source as batches of text, in the order of its rows.

    Attributes
    ----------
    names : list of str
        Columns of every batch, in order.
    columns : mapping
        What the file says about each column.
    batches : iterator of RawTable
        Each a part of the rows; it can be passed once.
    """

    names: list[str]
    columns: Mapping[str, ColumnInfo]
    sheet: str | None
    batches: Iterator[RawTable]


def stream_of(table: RawTable) -> RawStream:
    """Return a table that was read as a whole as a stream of one batch."""
    return RawStream(table.names, table.columns, table.sheet, iter([table]))


def whole(stream: RawStream) -> RawTable:
    """Return all batches of a stream as one table."""
    batches = list(stream.batches)
    frame = pl.concat([batch.frame for batch in batches])
    return RawTable(frame, stream.sheet, stream.columns, pl.concat([batch.rejected for batch in batches]))


def with_missing_codes(columns: Mapping[str, ColumnInfo], codes: Mapping[str, str]) -> Mapping[str, ColumnInfo]:
    """Return the columns with the missing-data codes that study.yaml declares for all of them.

    Parameters
    ----------
    codes : mapping
        Label by code. What the file itself says of a code stands.
    """
    if not codes:
        return columns
    return {
        name: replace(
            info,
            missing_values=tuple(dict.fromkeys([*info.missing_values, *codes])),
            value_labels={**codes, **info.value_labels},
        )
        for name, info in columns.items()
    }


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
    given = columns or {}
    infos = {name: given.get(name, ColumnInfo()) for name in frame.columns if name != "_row"}
    table = without_blank_rows(RawTable(frame, sheet, infos, empty_rejected() if rejected is None else rejected))
    if table.frame.is_empty():
        raise no_rows_left(source, int((table.rejected["rule_id"] == "row.wrong_width").sum()), len(table.names))
    return table


def empty_rejected() -> pl.DataFrame:
    """Return the table of rejected rows without a row."""
    return pl.DataFrame(schema=REJECTED_SCHEMA)


def without_blank_rows(table: RawTable) -> RawTable:
    """Return the table without its blank rows, which are rejected; it may be left empty."""
    blank = _blank_rows(table.frame, table.names)
    if not blank.any():
        return table
    rows = table.frame.filter(blank).select(pl.col("_row").alias("row_number"), pl.lit("row.blank").alias("rule_id"))
    refused = pl.concat([table.rejected, rows]).sort("row_number")
    return RawTable(table.frame.filter(~blank), table.sheet, table.columns, refused)


def _blank_rows(frame: pl.DataFrame, names: Sequence[str]) -> pl.Series:
    blank = pl.repeat(True, frame.height, eager=True, dtype=pl.Boolean)
    for name in names:
        blank = blank & (frame[name].str.strip_chars() == "")
        if not blank.any():
            break
    return blank


def no_rows_left(source: Source, wrong_width: int, width: int) -> EmberError:
    """Return what to say of a file of which no row can be read."""
    if wrong_width:
        return EmberError(
            f"All {wrong_width} rows have another number of cells than the header, which has {width}.",
            where=source.shown_path,
            fix="Check `delimiter:` and `header_row:` of the source in study.yaml.",
        )
    return no_rows(source)


def no_rows(source: Source) -> EmberError:
    """Return what to say of a file that ends after its header."""
    return EmberError(
        "The file has a header and no data row.", where=source.shown_path, fix="Export it again with its rows."
    )
