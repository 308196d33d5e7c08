"""Hints on a text file: encoding, delimiter, decimal mark, header. Hints are written down, never silently used."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ember.draft.hint import Hint
from ember.draft.words import words_of

SAMPLE_BYTES = 1 << 20
SAMPLE_RECORDS = 400
DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
POINT = re.compile(r"^[<>]?\s*[-+]?\d+\.\d+$")
COMMA = re.compile(r"^[<>]?\s*[-+]?\d+,\d+$")
NUMBER = re.compile(r"^[<>]?\s*[-+]?\d+([.,]\d+)?([eE][-+]?\d+)?$")
DATE = re.compile(r"^\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}")


def encoding_hint(path: Path) -> Hint:
    """Return how a text file is encoded, told by its bytes."""
    start = path.open("rb").read(4)
    if start.startswith(codecs.BOM_UTF8):
        return Hint("encoding", "utf-8", "the file begins with the mark of UTF-8", 0.99)
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return Hint("encoding", "utf-16", "the file begins with the mark of UTF-16", 0.99)
    ascii_only, utf8, control = _decodes(path)
    if ascii_only:
        return Hint("encoding", "utf-8", "every byte is plain ASCII", 0.99)
    if utf8:
        return Hint("encoding", "utf-8", "every byte decodes as UTF-8, and some are beyond ASCII", 0.98)
    if control:
        what = "the file is not UTF-8 and has bytes from 0x80 to 0x9F, which are letters and quotes in cp1252"
        return Hint("encoding", "cp1252", what, 0.6, ("cp1252", "another code page"))
    what = "the file is not UTF-8; latin-1 and cp1252 read it alike, and another code page cannot be ruled out"
    return Hint("encoding", "latin-1", what, 0.6, ("latin-1", "cp1252"))


def _decodes(path: Path) -> tuple[bool, bool, bool]:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    ascii_only, utf8, control = True, True, False
    with path.open("rb") as content:
        while piece := content.read(SAMPLE_BYTES):
            high = bytes(byte for byte in piece if byte >= 0x80) if not piece.isascii() else b""
            ascii_only &= not high
            control |= any(byte < 0xA0 for byte in high)
            if utf8:
                try:
                    decoder.decode(piece)
                except UnicodeDecodeError:
                    utf8 = False
    return ascii_only, utf8, control


def sample_lines(path: Path, encoding: str) -> list[str]:
    """Return the first whole lines of a text file."""
    with path.open("rb") as content:
        piece = content.read(SAMPLE_BYTES)
        whole = len(piece) < SAMPLE_BYTES
    text = piece.decode("utf-8-sig" if encoding == "utf-8" else encoding, "replace")
    lines = text.splitlines(keepends=True)
    return lines if whole else lines[:-1]


def delimiter_hint(lines: Sequence[str]) -> Hint:
    """Return the mark that splits most records into equally many cells."""
    scores = {}
    for mark in DELIMITERS:
        widths = Counter(len(record) for record in records(lines, mark))
        width, n = max(widths.items(), key=lambda item: item[1], default=(0, 0))
        if width > 1:
            scores[mark] = (n / sum(widths.values()), width, n)
    if not scores:
        return Hint("delimiter", ",", "no mark splits the lines: one column", 0.6)
    best = max(scores, key=lambda mark: (round(scores[mark][0], 1), scores[mark][1]))
    share, width, n = scores[best]
    rivals = [mark for mark in scores if mark != best and scores[mark][0] >= share and scores[mark][1] >= width]
    what = f"{DELIMITERS[best]} splits {n} of the first records ({share:.0%}) into {width} cells"
    if rivals:
        return Hint("delimiter", best, f"{what}; {DELIMITERS[rivals[0]]} does too", 0.5, (best, *rivals))
    return Hint("delimiter", best, what, 0.97 if share >= 0.9 else 0.7)


def records(lines: Sequence[str], delimiter: str) -> list[list[str]]:
    """Return the first records of a text file."""
    reader = csv.reader(lines, delimiter=delimiter)
    found = []
    try:
        for record in reader:
            found.append(record)
            if len(found) >= SAMPLE_RECORDS:
                break
    except csv.Error:
        pass
    return [record for record in found if record]


def decimal_hint(rows: Sequence[Sequence[str]], delimiter: str) -> Hint:
    """Return the decimal mark, told by the shape of the cells."""
    cells = [cell.strip() for row in rows for cell in row]
    points = sum(1 for cell in cells if POINT.match(cell))
    commas = sum(1 for cell in cells if COMMA.match(cell))
    counts = f"{commas} cells look like 1,2 and {points} like 1.2"
    if commas and not points:
        return Hint("decimal", ",", counts, 0.97)
    if commas and points and commas > 0.02 * points:
        likely = "," if commas > points else "."
        return Hint("decimal", likely, counts, 0.4, (likely, "." if likely == "," else ","))
    return Hint("decimal", ".", counts if points else "no cell shows a decimal mark", 0.97 if points else 0.8)


def header_hint(rows: Sequence[Sequence[str]]) -> Hint:
    """Return the row of the column names, as a person counts from 1; 0 where there seems to be none.

    Parameters
    ----------
    rows : sequence of sequences of str
        The first rows of the file or sheet, blank ones included.

    Notes
    -----
    A row of participants that is taken for a header would put its cells into every message: a row with numbers
    or dates in it, or one whose cells come again below, is no header.
    """
    usual = Counter(_width(row) for row in rows if _width(row)).most_common(1)
    widest = max((_width(row) for row in rows), default=0)
    wanted = max(2, round(0.7 * max(usual[0][0] if usual else 0, 0.7 * widest)))
    for place, row in enumerate(rows):
        if _width(row) >= wanted:
            return _judged(rows, place)
    return Hint("header_row", 1, "no row has as many cells as the rows below it", 0.4, ("1", "0"))


def _judged(rows: Sequence[Sequence[str]], place: int) -> Hint:
    cells = [cell.strip() for cell in rows[place]]
    below = [row for row in rows[place + 1 :] if _width(row)]
    numbers = sum(1 for cell in cells if cell and (NUMBER.match(cell) or DATE.match(cell)))
    if numbers:
        what = f"{numbers} of the {_width(cells)} cells of the first full row are numbers or dates"
        return Hint("header_row", 0, what, 0.9 if numbers > 0.3 * _width(cells) else 0.4, ("0", str(place + 1)))
    if _comes_again(cells, below):
        what = "cells of the first full row have the form of those below them"
        return Hint("header_row", 0, what, 0.6, ("0", str(place + 1)))
    if len(set(filter(None, cells))) < len([cell for cell in cells if cell]):
        what = f"row {place + 1} is the first full row, and names stand in it more than once"
        return Hint("header_row", place + 1, what, 0.4, (str(place + 1), "header_rows: 2"))
    skipped = f"{place} rows of titles stand above it" if place else "it is the first row"
    return Hint("header_row", place + 1, f"row {place + 1} holds {_width(cells)} names; {skipped}", 0.95)


def _comes_again(cells: Sequence[str], below: Sequence[Sequence[str]]) -> bool:
    again = 0
    for place, cell in enumerate(cells):
        column = [row[place].strip() for row in below if place < len(row) and row[place].strip()]
        if not cell or not column:
            continue
        if column.count(cell) >= 2 and words_of(cell):
            again += 1
        elif any(mark.isdigit() for mark in cell) and len(column) >= 5:
            again += sum(1 for text in column if _form(text) == _form(cell)) >= 0.9 * len(column)
    return again > 0.2 * len(cells)


def _form(text: str) -> str:
    return re.sub(r"[A-Za-z]", "A", re.sub(r"\d", "9", text))


def _width(row: Sequence[str]) -> int:
    return sum(1 for cell in row if cell.strip())
