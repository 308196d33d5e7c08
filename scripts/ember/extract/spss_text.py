"""NUL characters inside the text of SPSS files: the library leaves them out and joins what stands around them.

The layout of the file is that of PSPP's description of system files: a header, records of the dictionary, then cases
of 8-byte elements, plain, in codes of one byte each, or in codes inside zlib blocks.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ember.errors import EmberError
from ember.registry.model import Source

HEADER = 176
VARIABLE, LABELS, LABELLED, DOCUMENT, EXTENSION, LAST = 2, 3, 4, 6, 7, 999
PADDING, ENDING, LITERAL = 0, 252, 253
PLAIN, CODED = 0, 1
NUL, BLANK = 0, 32


def refuse_nul_in_text(source: Source) -> None:
    """Refuse a file in which a NUL stands between other characters of a text; one at the end is padding.

    Raises
    ------
    EmberError
        Tells how many elements are affected, never which text.

    Notes
    -----
    What cannot be followed is left to the library, which then refuses the file as damaged.
    """
    try:
        count = _elements_with_nul(source.path.read_bytes())
    except (struct.error, ValueError, IndexError, zlib.error):
        return
    if count:
        raise EmberError(
            f"Text columns hold {count} NUL characters in the middle of a text, which would be left out silently.",
            where=source.shown_path,
            fix="Export the file again, or as text (.csv).",
        )


def _elements_with_nul(content: bytes) -> int:
    order = "<" if struct.unpack_from("<i", content, 64)[0] in (2, 3) else ">"
    compression = struct.unpack_from(f"{order}i", content, 72)[0]
    text, start = _dictionary(content, order)
    if not text.any():
        return 0
    if compression == PLAIN:
        return _count_plain(content[start:], text)
    coded = content[start:] if compression == CODED else b"".join(_blocks(content, start, order))
    return _count_coded(coded, text)


def _dictionary(content: bytes, order: str) -> tuple[NDArray[np.bool_], int]:
    """Return which elements of a case are text, and where the cases begin."""
    text: list[bool] = []
    place = HEADER

    def number(offset: int) -> int:
        return int(struct.unpack_from(f"{order}i", content, offset)[0])

    while (kind := number(place)) != LAST:
        place += 4
        if kind == VARIABLE:
            text.append(number(place) != 0)
            labelled, missing = number(place + 4), number(place + 8)
            place += 28
            if labelled:
                place += 4 + -(-number(place) // 4) * 4
            place += 8 * abs(missing)
        elif kind == LABELS:
            count = number(place)
            place += 4
            for _ in range(count):
                place += 8 + (content[place + 8] + 8) // 8 * 8
        elif kind == LABELLED:
            place += 4 + 4 * number(place)
        elif kind == DOCUMENT:
            place += 4 + 80 * number(place)
        elif kind == EXTENSION:
            place += 12 + number(place + 4) * number(place + 8)
        else:
            raise ValueError("not a record of a dictionary")
    return np.array(text, dtype=np.bool_), place + 8


def _blocks(content: bytes, start: int, order: str) -> Iterator[bytes]:
    trailer = struct.unpack_from(f"{order}q", content, start + 8)[0]
    count = struct.unpack_from(f"{order}i", content, trailer + 20)[0]
    for block in range(count):
        _, first, size, packed = struct.unpack_from(f"{order}qqii", content, trailer + 24 + 24 * block)
        unpacker = zlib.decompressobj()
        yield unpacker.decompress(content[first : first + packed], size)


def _count_plain(cases: bytes, text: NDArray[np.bool_]) -> int:
    whole = len(cases) // (8 * text.size) * 8 * text.size
    elements = np.frombuffer(cases[:whole], np.uint8).reshape(-1, text.size, 8)
    return _count_nul(elements[:, text].reshape(-1, 8))


def _count_coded(cases: bytes, text: NDArray[np.bool_]) -> int:
    """Follow the codes: eight of them, then the literal elements that they announce."""
    places: list[int] = []
    place = 0
    while place + 8 <= len(cases):
        places.append(place)
        place += 8 + 8 * cases.count(LITERAL, place, place + 8)
    content = np.frombuffer(cases, np.uint8)
    starts = np.array(places, dtype=np.int64)
    codes = content[starts[:, None] + np.arange(8)]
    literal = codes == LITERAL
    offsets = starts[:, None] + 8 * np.cumsum(literal, axis=1)
    flat, offsets = codes.ravel(), offsets.ravel()
    ends = np.flatnonzero(flat == ENDING)
    flat = flat[: ends[0]] if ends.size else flat
    held = np.flatnonzero(flat != PADDING)
    is_text = text[np.arange(held.size) % text.size]
    wanted = offsets[held[is_text & (flat[held] == LITERAL)]]
    wanted = wanted[wanted + 8 <= content.size]
    return _count_nul(content[wanted[:, None] + np.arange(8)])


def _count_nul(elements: NDArray[np.uint8]) -> int:
    """Count elements in which something other than padding follows a NUL."""
    nul = np.logical_or.accumulate(elements == NUL, axis=1)
    return int(np.any(nul & (elements != NUL) & (elements != BLANK), axis=1).sum())
