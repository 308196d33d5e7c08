"""Text files: strict decoding, physical lines, the rows of the header."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

from ember.errors import EmberError
from ember.extract.header import MOST_COLUMNS, column_names, too_many_columns
from ember.extract.quotes import QuoteWatch
from ember.extract.signature import check_file
from ember.registry.model import Source

CHUNK = 1 << 22
# A row that is longer is no row: a file without line ends, or a quote that never closes.
LONGEST_ROW = 1 << 22
MOST_BYTES = 3  # of a character of one byte or of two, in UTF-8
BYTE_ORDER_MARK = codecs.BOM_UTF8
USUAL_DELIMITERS = ",;\t|"


@dataclass(frozen=True)
class Header:
    """The column names, and the number of physical lines up to the end of the header."""

    names: list[str]
    lines: int


class DecodedFile:
    """A text file as a stream of UTF-8 that Arrow can read, strictly decoded on the way.

    Attributes
    ----------
    failure : EmberError or None
        Why reading stopped; Arrow may hide what is raised inside `read`.
    quotes : QuoteWatch
        Whether quotes have come by: without one no cell holds a line break.
    """

    closed = False

    def __init__(self, source: Source) -> None:
        self.failure: EmberError | None = None
        self.quotes = QuoteWatch(source.delimiter)
        self._source = source
        self._plain = source.encoding == "utf-8"
        self._decoder = codecs.getincrementaldecoder(source.encoding)("strict")
        self._content = source.path.open("rb")
        if self._plain and self._content.read(len(BYTE_ORDER_MARK)) != BYTE_ORDER_MARK:
            self._content.seek(0)

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes of UTF-8, none at the end of the file."""
        wanted = CHUNK if size < 0 else size
        text = b""
        while wanted and not text:
            piece = self._content.read(wanted if self._plain else max(1, wanted // MOST_BYTES))
            text = self._checked(piece)
            if not piece:
                break
        self.quotes.see(text)
        return text

    def _checked(self, piece: bytes) -> bytes:
        try:
            if not self._plain:
                text = self._decoder.decode(piece, final=not piece).encode()
            else:
                # Bytes of ASCII need no decoding, unless a character is still open.
                if not piece or not piece.isascii() or self._decoder.getstate()[0]:
                    self._decoder.decode(piece, final=not piece)
                text = piece
        except UnicodeError:  # also a file of UTF-16 without the mark that tells the order of its bytes
            text = b"\0"
        if b"\0" in text:
            try:
                check_text(self._source)
            except EmberError as error:
                self.failure = error
                raise
        return text

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return False

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self.closed = True
        self._content.close()


def check_text(source: Source) -> int:
    """Decode the whole file strictly and return its number of physical lines.

    Raises
    ------
    EmberError
        A byte is not of the declared encoding, or is NUL; names the first such line.
    """
    decoder = codecs.getincrementaldecoder(_codec(source))("strict")
    breaks, last = 0, ""
    with source.path.open("rb") as content:
        while True:
            piece = content.read(CHUNK)
            try:
                text = decoder.decode(piece, final=not piece)
            except UnicodeDecodeError as error:
                before = codecs.decode(error.object[: error.start], _codec(source), "ignore")
                raise _undecodable(source, breaks + _line_breaks(before, last) + 1) from None
            except UnicodeError:
                raise EmberError(
                    "The file does not begin with the mark that tells the order of its bytes, as UTF-16 does.",
                    where=source.shown_path,
                    fix="Check `encoding:`, or export the file again, as UTF-8 if that can be chosen.",
                ) from None
            if "\0" in text:
                line = breaks + _line_breaks(text[: text.index("\0")], last) + 1
                raise EmberError(
                    "The line holds a NUL character, which no text file has.",
                    where=f"{source.shown_path}:{line}",
                    fix="Check `encoding:` (utf-16 is often meant), or export the file again.",
                )
            breaks += _line_breaks(text, last)
            last = text[-1:] or last
            if not piece:
                return breaks + (last not in {"\n", "\r"})


def read_text_header(source: Source) -> Header:
    """Return the column names of a text file: those of its header, or the declared ones of a file without.

    Raises
    ------
    EmberError
        The header is absent, blank, too long, repeats a name or looks like another delimiter; the declared names
        are not as many as the cells of the first row.
    """
    check_file(source)
    try:
        with open_text(source) as lines:
            bounded = bounded_lines(lines, source)
            skipped = sum(1 for _ in zip(range(source.header_row - 1), bounded, strict=False))
            reader = csv.reader(_narrow(bounded, source), delimiter=source.delimiter, strict=True)
            if source.header_row == 0:
                return Header(_declared_names(reader, source), 0)
            records = [next(reader, []) for _ in range(source.header_rows)]
    except UnicodeError:
        check_text(source)
        raise
    except csv.Error:
        raise EmberError(
            "The quotes of the header do not match.",
            where=source.shown_path,
            fix="Check `delimiter:` and `header_row:`.",
        ) from None
    names = column_names(_together(records), source)
    _check_delimiter(names, source)
    return Header(names, skipped + reader.line_num)


@contextmanager
def open_text(source: Source) -> Iterator[IO[str]]:
    """Open a text file in its declared encoding with its line ends as they are."""
    with source.path.open(encoding=_codec(source), newline="") as lines:
        yield lines


def bounded_lines(lines: IO[str], source: Source) -> Iterator[str]:
    """Yield lines with their ends.

    Raises
    ------
    EmberError
        A line is longer than any row can be: it is never held as a whole.
    """
    number = 0
    while line := lines.readline(LONGEST_ROW + 1):
        number += 1
        if len(line) > LONGEST_ROW:
            raise row_too_long(source, number)
        yield line


def row_too_long(source: Source, line: int) -> EmberError:
    """Return what to say of a row that does not end."""
    return EmberError(
        f"The row that starts here is longer than {LONGEST_ROW >> 20} million characters.",
        where=f"{source.shown_path}:{line}",
        fix="The file may have no line ends, or be of another format; export it again.",
    )


def _narrow(lines: Iterator[str], source: Source) -> Iterator[str]:
    """Refuse a line with more cells than a table can have before it is split."""
    for line in lines:
        width = line.count(source.delimiter) + 1
        if width > MOST_COLUMNS:
            raise too_many_columns(source, width)
        yield line


def _together(records: list[list[str]]) -> list[str]:
    """Return the cells of several header rows joined with a blank; an empty cell adds nothing."""
    if len(records) == 1:
        return records[0]
    width = max(len(record) for record in records)
    filled = [[*record, *[""] * (width - len(record))] for record in records]
    return [" ".join(cell.strip() for cell in cells if cell.strip()) for cells in zip(*filled, strict=True)]


def _declared_names(rows: Iterator[list[str]], source: Source) -> list[str]:
    names = column_names(source.names, source)
    for cells in rows:
        if not any(cell.strip() for cell in cells):
            continue
        surplus = cells[len(names) :]
        if len(cells) < len(names) or any(cell.strip() for cell in surplus):
            raise EmberError(
                f"`names:` gives {len(names)} column names, but the first row has {len(cells)} cells.",
                where=source.shown_path,
                fix="Give one name for each cell, in their order; check `delimiter:`.",
            )
        break
    return names


def _codec(source: Source) -> str:
    return "utf-8-sig" if source.encoding == "utf-8" else source.encoding


def _line_breaks(text: str, before: str) -> int:
    straddling = before == "\r" and text.startswith("\n")
    carriage_returns = text.count("\r")
    pairs = text.count("\r\n") if carriage_returns else 0
    return text.count("\n") + carriage_returns - pairs - straddling


def _undecodable(source: Source, line: int) -> EmberError:
    return EmberError(
        f"The line holds a byte that is not {source.encoding}.",
        where=f"{source.shown_path}:{line}",
        fix="Declare the `encoding:` of the source in study.yaml (utf-8, utf-16, latin-1, cp1252).",
    )


def _check_delimiter(names: list[str], source: Source) -> None:
    others = [mark for mark in USUAL_DELIMITERS if mark != source.delimiter and mark in names[0]]
    if len(names) == 1 and others:
        raise EmberError(
            f"Split at {source.delimiter!r} the header has one column, and it holds {others[0]!r}.",
            where=f"{source.shown_path}:{source.header_row}",
            fix=f"Write `delimiter: {others[0]!r}` for the source in study.yaml.",
        )
