"""Error cells of old Excel workbooks (.xls), which the library hands over as empty cells.

The layout is that of [MS-CFB] (a small file system in a file) and [MS-XLS] (records of type, length and content).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from ember.extract.workbook import SheetFacts, damaged, protected, reach
from ember.registry.model import Source

LAST_SECTOR = 0xFFFFFFFA  # larger numbers mark the end of a chain
SMALL_STREAM = 4096
STREAMS = ("Workbook", "Book")
ENCRYPTED_PACKAGE = "EncryptedPackage"
FIRST, LAST, ENCRYPTED, SHEET, FORMULA, BOOLEAN_OR_ERROR = 0x0809, 0x000A, 0x002F, 0x0085, 0x0006, 0x0205
ERRORS = {0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A"}


def old_sheet_facts(source: Source) -> SheetFacts | None:
    """Return the facts of the declared sheet of an .xls file, or None where there is no such sheet.

    Raises
    ------
    EmberError
        The file is damaged, holds no workbook, or is encrypted (a modern workbook too is then of this kind).
    """
    content = source.path.read_bytes()
    try:
        stream = _workbook_stream(content)
        if stream is None:
            raise protected(source) if ENCRYPTED_PACKAGE.encode("utf-16-le") in content else damaged(source)
        if any(kind == ENCRYPTED for kind, _ in _globals(stream)):
            raise protected(source)
        start = _start_of_sheet(stream, source.sheet or "")
        return None if start is None else _facts(stream, start, source)
    except (struct.error, IndexError, KeyError, UnicodeDecodeError):
        raise damaged(source) from None


def _workbook_stream(content: bytes) -> bytes | None:
    shift, small_shift = struct.unpack_from("<HH", content, 30)
    n_fat, first_directory = struct.unpack_from("<I", content, 44)[0], struct.unpack_from("<I", content, 48)[0]
    first_small = struct.unpack_from("<I", content, 60)[0]
    size = 1 << (shift & 0xF)

    def sector(number: int) -> bytes:
        return content[512 + number * size if size == 512 else (number + 1) * size :][:size]

    fat: list[int] = []
    for number in _fat_sectors(content, n_fat, size):
        fat.extend(struct.unpack(f"<{size // 4}I", sector(number)))

    def chain(first: int) -> bytes:
        pieces: list[bytes] = []
        number = first
        while number < LAST_SECTOR and len(pieces) <= len(fat):
            pieces.append(sector(number))
            number = fat[number]
        return b"".join(pieces)

    entries = _directory(chain(first_directory))
    name = next((name for name in STREAMS if name in entries), None)
    if name is None:
        return None
    first, length = entries[name]
    if length >= SMALL_STREAM:
        return chain(first)[:length]
    small_fat = chain(first_small)
    small = chain(entries["Root Entry"][0])
    pieces: list[bytes] = []
    unit = 1 << (small_shift & 0xF)
    while first < LAST_SECTOR and len(pieces) <= len(small_fat):
        pieces.append(small[first * unit :][:unit])
        first = struct.unpack_from("<I", small_fat, first * 4)[0]
    return b"".join(pieces)[:length]


def _fat_sectors(content: bytes, count: int, size: int) -> list[int]:
    sectors = list(struct.unpack_from("<109I", content, 76))
    following, left = struct.unpack_from("<II", content, 68)
    while following < LAST_SECTOR and left:
        start = 512 + following * size if size == 512 else (following + 1) * size
        *more, following = struct.unpack_from(f"<{size // 4}I", content, start)
        sectors.extend(more)
        left -= 1
    return [number for number in sectors[:count] if number < LAST_SECTOR]


def _directory(content: bytes) -> dict[str, tuple[int, int]]:
    entries = {}
    for start in range(0, len(content) - 127, 128):
        length = struct.unpack_from("<H", content, start + 64)[0]
        name = content[start : start + max(length - 2, 0)].decode("utf-16-le")
        entries[name] = struct.unpack_from("<II", content, start + 116)
    return entries


def _records(stream: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    while start + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, start)
        yield kind, stream[start + 4 : start + 4 + length]
        start += 4 + length


def _globals(stream: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the records that stand before the sheets."""
    for kind, content in _records(stream, 0):
        if kind == LAST:
            return
        yield kind, content


def _start_of_sheet(stream: bytes, sheet: str) -> int | None:
    modern = True
    for kind, content in _globals(stream):
        if kind == FIRST:
            modern = struct.unpack_from("<H", content)[0] >= 0x0600
        elif kind == SHEET and _sheet_name(content, modern=modern) == sheet:
            return int(struct.unpack_from("<I", content)[0])
    return None


def _sheet_name(content: bytes, *, modern: bool) -> str:
    length = content[6]
    if not modern:
        return content[7 : 7 + length].decode("cp1252")
    wide = content[7] & 1
    return content[8 : 8 + length * (1 + wide)].decode("utf-16-le" if wide else "latin-1")


def _facts(stream: bytes, start: int, source: Source) -> SheetFacts:
    facts, depth = SheetFacts(), 0
    for kind, content in _records(stream, start):
        depth += (kind == FIRST) - (kind == LAST)
        if depth == 0:
            break
        if depth > 1 or kind not in (FORMULA, BOOLEAN_OR_ERROR):
            continue
        row, column = struct.unpack_from("<HH", content)
        place = (row + 1, column + 1)
        reach(facts, place, source)
        if kind == BOOLEAN_OR_ERROR and content[7]:
            facts.errors[place] = ERRORS.get(content[6], "#ERROR!")
        elif kind == FORMULA and content[12:14] == b"\xff\xff" and content[6] == 2:
            facts.errors[place] = ERRORS.get(content[8], "#ERROR!")
    return facts
