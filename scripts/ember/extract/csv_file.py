"""Delimited text: every cell as text, rows of another width refused, row numbers that count physical lines."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import csv as arrow_csv

from ember.errors import EmberError
from ember.extract.table import REJECTED_SCHEMA, RawTable, no_rows, raw_table
from ember.extract.text_file import check_text, open_text, read_header_record
from ember.registry.model import Source

BLOCK = 1 << 23
LINE_BREAK = r"\r\n|\r|\n"


@dataclass(frozen=True)
class Records:
    """The records below the header. `refused` maps the place of a record of another width to its line breaks."""

    frame: pl.DataFrame
    refused: dict[int, int]

    @property
    def count(self) -> int:
        return self.frame.height + len(self.refused)


def read_csv(source: Source) -> RawTable:
    """Read delimited text.

    Raises
    ------
    EmberError
        The encoding, the quotes or the header are not as declared, or there is no data row.

    Notes
    -----
    The row number is the physical line on which a record starts. Only where lines and records differ in
    number are the line breaks inside quotes counted, and then each record of several lines is held against
    the strict grammar: a quote that is not closed would otherwise swallow rows without a word.
    """
    names, header_lines = read_header_record(source)
    n_lines = check_text(source) - header_lines
    records = _parse(source, names, header_lines)
    refused = np.array(sorted(records.refused), dtype=np.int64)
    kept = np.delete(np.arange(records.count), refused)
    starts = header_lines + 1 + np.arange(records.count)
    if records.count != n_lines:
        breaks = np.zeros(records.count, dtype=np.int64)
        breaks[kept] = _breaks_inside(records.frame)
        breaks[refused] = [records.refused[place] for place in refused.tolist()]
        starts[1:] += np.cumsum(breaks)[:-1]
        _check_long_records(source, starts, breaks, header_lines + n_lines)
    rejected = pl.DataFrame(
        {"row_number": starts[refused], "rule_id": ["row.wrong_width"] * refused.size}, schema=REJECTED_SCHEMA
    )
    return raw_table(source, records.frame.with_columns(pl.Series("_row", starts[kept])), rejected=rejected)


def read_csv_header(source: Source) -> list[str]:
    """Return the column names of delimited text.

    Raises
    ------
    EmberError
        The header is not as declared, or nothing follows it.
    """
    names, header_lines = read_header_record(source)
    with open_text(source) as lines:
        if not any(line.strip() for number, line in enumerate(lines) if number >= header_lines):
            raise no_rows(source)
    return names


def _parse(source: Source, names: Sequence[str], header_lines: int) -> Records:
    refused: dict[int, int] = {}

    def refuse(row: arrow_csv.InvalidRow) -> str:
        # Arrow numbers records from 1 and counts each skipped line as one.
        refused[row.number - 1 - header_lines] = _count_breaks(row.text)
        return "skip"

    try:
        batches = arrow_csv.open_csv(
            source.path,
            # Row numbers are known only without threads, which cost more than they save here.
            read_options=arrow_csv.ReadOptions(
                column_names=list(names),
                skip_rows=header_lines,
                block_size=BLOCK,
                encoding=source.encoding.replace("utf-8", "utf8"),  # any other spelling takes the slow way
                use_threads=False,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=source.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=False,
                invalid_row_handler=refuse,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False, check_utf8=False
            ),
        )
        # One conversion of all batches: together they are several times faster than one by one.
        table = pa.Table.from_batches(batches, batches.schema)
        frame = pl.DataFrame(pl.from_arrow(table, rechunk=False))
    except pa.ArrowInvalid:
        _find_open_quote(source, header_lines)
        raise
    return Records(frame, refused)


def _count_breaks(text: str) -> int:
    return text.count("\n") + text.count("\r") - text.count("\r\n")


def _breaks_inside(frame: pl.DataFrame) -> np.ndarray:
    counts = np.zeros(frame.height, dtype=np.int64)
    for values in frame:
        if values.str.contains_any(["\n", "\r"]).any():
            counts += values.str.count_matches(LINE_BREAK).to_numpy()
    return counts


def _check_long_records(source: Source, starts: np.ndarray, breaks: np.ndarray, n_lines: int) -> None:
    """Hold each record of several lines against the strict grammar of quotes."""
    places = np.flatnonzero(breaks)
    spans = [(int(starts[place]), int(starts[place] + breaks[place])) for place in places]
    with open_text(source) as lines:
        number = 0
        for first, last in spans:
            text = []
            while number < last and (line := next(lines, "")):
                number += 1
                if number >= first:
                    text.append(line)
            if not _is_one_record(text, source) or last > n_lines:
                raise _open_quote(source, first)


def _is_one_record(lines: list[str], source: Source) -> bool:
    try:
        return len(list(csv.reader(lines, delimiter=source.delimiter, strict=True))) == 1
    except csv.Error:
        return False


def _find_open_quote(source: Source, header_lines: int) -> None:
    """Raise for the record that the strict grammar cannot read, if there is one."""
    with open_text(source) as lines:
        reader = csv.reader(lines, delimiter=source.delimiter, strict=True)
        first = 1
        try:
            for _ in reader:
                first = reader.line_num + 1
        except csv.Error:
            raise _open_quote(source, max(first, header_lines + 1)) from None


def _open_quote(source: Source, line: int) -> EmberError:
    return EmberError(
        "A quote that opens in the row of this line is not closed where its cell ends.",
        where=f"{source.shown_path}:{line}",
        fix='Write a quote inside a quoted cell twice (""), or export the file again.',
    )
