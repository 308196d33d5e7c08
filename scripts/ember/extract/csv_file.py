"""Delimited text: every cell as text, rows of another width refused, row numbers that count physical lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence

import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
from pyarrow import csv as arrow_csv

from ember.errors import EmberError
from ember.extract.csv_rows import OddRow, RowNumbers, line_breaks, open_quote
from ember.extract.quotes import QuoteGrammar, first_fault
from ember.extract.table import ColumnInfo, RawStream, RawTable, no_rows, no_rows_left, whole, without_blank_rows
from ember.extract.text_file import (
    LONGEST_ROW,
    DecodedFile,
    Header,
    bounded_lines,
    open_text,
    read_text_header,
    row_too_long,
)
from ember.registry.model import Source

BLOCK = 1 << 22
# A batch ends with the block in which it reaches either.
BATCH_ROWS, BATCH_BYTES = 1 << 16, 1 << 25
BLANKS = ' \t"'


def read_csv(source: Source) -> RawTable:
    """Read delimited text as a whole.

    Raises
    ------
    EmberError
        As `stream_csv`.
    """
    return whole(stream_csv(source))


def stream_csv(source: Source) -> RawStream:
    """Read delimited text in batches.

    A column that has neither a name nor a cell with content is left out. A row whose surplus cells at the end are
    all empty is kept; a row of any other width is rejected.

    Raises
    ------
    EmberError
        The encoding, the quotes or the header are not as declared, or there is no data row; from the batches as
        far as only they can tell.

    Notes
    -----
    The row number is the physical line on which a record starts. Only cells with quotes can hold line breaks;
    each record of several lines is held against the strict grammar: a quote that is not closed would otherwise
    swallow rows without a word.
    """
    header = read_text_header(source)
    names = _with_content(source, header)
    infos = dict.fromkeys(names, ColumnInfo())
    return RawStream(names, infos, None, _batches(source, header, names))


def read_csv_header(source: Source) -> list[str]:
    """Return the column names of delimited text.

    Raises
    ------
    EmberError
        The header is not as declared, or nothing follows it.
    """
    header = read_text_header(source)
    with open_text(source) as lines:
        if not any(line.strip() for number, line in enumerate(bounded_lines(lines, source)) if number >= header.lines):
            raise no_rows(source)
    return header.names


def _with_content(source: Source, header: Header) -> list[str]:
    """Return the names of the columns that have a name or content; only a file with unnamed ones is read for it."""
    unnamed = [name for place, name in enumerate(header.names, start=1) if name == f"(column {place})"]
    blank = set(unnamed)
    odd: dict[int, OddRow] = {}
    for piece in _pieces(source, header, unnamed, odd) if unnamed else ():
        frame = pl.DataFrame(pl.from_arrow(piece))
        blank -= {name for name in unnamed if (frame[name].str.strip_chars() != "").any()}
        if not blank:
            break
    for row in odd.values():
        blank -= {name for name, cell in zip(unnamed, row.cells or (), strict=False) if cell.strip()}
    return [name for name in header.names if name not in blank]


def _batches(source: Source, header: Header, names: Sequence[str]) -> Iterator[RawTable]:
    infos = dict.fromkeys(names, ColumnInfo())
    odd: dict[int, OddRow] = {}
    numbers = RowNumbers(source, header.lines, odd)
    kept = wrong = 0
    for piece in _pieces(source, header, names, odd):
        frame, rejected = numbers.number(piece)
        table = without_blank_rows(RawTable(frame, None, infos, rejected))
        kept += table.frame.height
        wrong += rejected.height
        yield table
    frame, rejected = numbers.rest(names)
    numbers.check_end()
    table = without_blank_rows(RawTable(frame, None, infos, rejected))
    if kept + table.frame.height == 0:
        raise no_rows_left(source, wrong + rejected.height, len(header.names))
    if table.n_rows:
        yield table


def _pieces(source: Source, header: Header, names: Sequence[str], odd: dict[int, OddRow]) -> Iterator[pa.Table]:
    """Yield the rows of the header's width; what is known of the others goes to `odd`, by their place."""
    content = DecodedFile(source)
    try:
        rows: list[pa.RecordBatch] = []
        for batch in _arrow_batches(content, source, header, names, odd):
            rows.append(batch)
            if sum(part.num_rows for part in rows) >= BATCH_ROWS or sum(part.nbytes for part in rows) >= BATCH_BYTES:
                yield pa.Table.from_batches(rows).replace_schema_metadata(_told(content))
                rows = []
        if rows:
            yield pa.Table.from_batches(rows).replace_schema_metadata(_told(content))
    except pa.ArrowInvalid:
        raise content.failure or _fault(source, header) from None
    finally:
        content.close()


def _told(content: DecodedFile) -> dict[str, str]:
    return {"quoted": str(content.quotes.seen), "odd_quotes": str(content.quotes.odd)}


def _arrow_batches(
    content: DecodedFile, source: Source, header: Header, names: Sequence[str], odd: dict[int, OddRow]
) -> Iterator[pa.RecordBatch]:
    places = {name: place for place, name in enumerate(header.names)}
    wanted = [places[name] for name in names]

    def set_aside(row: arrow_csv.InvalidRow) -> str:
        # Arrow numbers records from 1 and counts each skipped line as one.
        cells = _without_surplus(row, source.delimiter)
        odd[row.number - 1 - header.lines] = OddRow(line_breaks(row.text), cells and [cells[place] for place in wanted])
        return "skip"

    yield from arrow_csv.open_csv(
        pa.PythonFile(content, "r"),
        # Row numbers are known only without threads, which cost more than they save here.
        read_options=arrow_csv.ReadOptions(
            column_names=header.names, skip_rows=header.lines, block_size=BLOCK, encoding="utf8", use_threads=False
        ),
        parse_options=arrow_csv.ParseOptions(
            delimiter=source.delimiter,
            newlines_in_values=True,
            ignore_empty_lines=False,
            invalid_row_handler=set_aside,
        ),
        convert_options=arrow_csv.ConvertOptions(
            # Polars takes long offsets over twice as fast.
            column_types=dict.fromkeys(header.names, pa.large_string()),
            include_columns=list(names),
            strings_can_be_null=False,
            check_utf8=False,
        ),
    )


def _without_surplus(row: arrow_csv.InvalidRow, delimiter: str) -> list[str] | None:
    """Return the cells of a row whose cells beyond the header's width are all empty, or None."""
    width = row.expected_columns
    if row.actual_columns <= width or not row.text.endswith((delimiter, *BLANKS)):
        return None
    try:
        cells = next(csv.reader([row.text], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return None if any(cell.strip() for cell in cells[width:]) else cells[:width]


def _fault(source: Source, header: Header) -> EmberError:
    """Return what stopped Arrow: the row of the first open quote or without an end."""
    with open_text(source) as content:
        lines = bounded_lines(content, source)
        for _ in zip(range(header.lines), lines, strict=False):
            pass
        found = first_fault(lines, QuoteGrammar(source.delimiter), LONGEST_ROW)
    if found and found[1] == "quote":
        return open_quote(source, header.lines + found[0])
    return row_too_long(source, header.lines + (found[0] if found else 1))
