"""Text files: strict decoding, physical lines, the header record."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from ember.errors import EmberError
from ember.extract.signature import check_file
from ember.extract.table import column_names
from ember.registry.model import Source

CHUNK = 1 << 22
USUAL_DELIMITERS = ",;\t|"


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


def read_header_record(source: Source) -> tuple[list[str], int]:
    """Return the column names of a text file and the number of physical lines up to the end of the header.

    Raises
    ------
    EmberError
        The header row is absent, blank, repeats a name or looks like another delimiter.
    """
    check_file(source)
    try:
        with open_text(source) as lines:
            skipped = sum(1 for _ in zip(range(source.header_row - 1), lines, strict=False))
            reader = csv.reader(lines, delimiter=source.delimiter, strict=True)
            record = next(reader, [])
    except UnicodeDecodeError:
        check_text(source)
        raise
    except csv.Error:
        raise EmberError("The quotes of the header do not match.", where=source.shown_path) from None
    names = column_names(record, source)
    _check_delimiter(names, source)
    return names, skipped + reader.line_num


@contextmanager
def open_text(source: Source) -> Iterator[IO[str]]:
    """Open a text file in its declared encoding with its line ends as they are."""
    with source.path.open(encoding=_codec(source), newline="") as lines:
        yield lines


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
