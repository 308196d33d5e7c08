"""What is held against a workbook before a library opens it: its size, its XML, and cells that would be lost."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from posixpath import join, normpath
from xml.parsers import expat

from ember.errors import EmberError
from ember.registry.model import Source

PIECE = 1 << 18
# Excel's own limits, the most cells that are held in memory, and what a workbook may unpack to.
MOST_ROWS, MOST_WIDTH = 1_048_576, 16_384
MOST_CELLS = 30_000_000
MOST_BYTES, RATIO, RATIO_FROM = 4 * 10**9, 200, 100 * 10**6
MOST_PARTS = 10_000

# A cell as Excel writes it; any cell; and what only the parser reads: errors, formulas, prefixes, comments, UTF-16.
PLAIN_CELL = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"')
ANY_CELL = re.compile(rb"<c[\s>/]")
UNUSUAL = re.compile(rb"""<f[\s>/]|\st\s*=\s*["']\s*(?:e|&)|<\w+:(?:c|row|v|f|is)[\s>/]|<!|\x00""")

Place = tuple[int, int]


@dataclass
class SheetFacts:
    """Cells of one sheet that the library does not hand over, by row and column counted from 1.

    `errors` maps a cell to what it shows (#N/A), `uncomputed` holds formulas without a stored value, and `merged`
    the corners of merged cells where the file states them here. In an OpenDocument file times are ISO durations.
    """

    rows: int = 0
    columns: int = 0
    errors: dict[Place, str] = field(default_factory=dict)
    uncomputed: list[Place] = field(default_factory=list)
    merged: list[tuple[Place, Place]] = field(default_factory=list)
    open_document: bool = False


def address(place: Place) -> str:
    """Return a cell's address as Excel writes it: (3, 28) is AB3."""
    row, column = place
    letters = ""
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return f"{letters}{row}"


def sheet_facts(source: Source) -> SheetFacts | None:
    """Return the facts of the declared sheet of an .xlsx or .ods file, or None where there is no such sheet.

    Raises
    ------
    EmberError
        The archive is damaged, explodes, declares entities, or a sheet reaches further than a table can.
    """
    with _archive(source) as archive:
        names = {name.lower(): name for name in archive.namelist()}
        for entry in archive.infolist():
            if entry.filename.lower().endswith((".xml", ".rels")):
                _check_part(archive, entry, source)
        if "xl/workbook.xml" in names:
            part = _part_of_sheet(archive, names, source)
            if part is None:
                return None
            return _plain_facts(archive.read(part)) or _scan(archive, part, _OfficeSheet(source), source)
        scanner = _OpenSheets(source)
        _scan(archive, "content.xml", scanner, source)
        return scanner.sheets.get(source.sheet or "")


def _plain_facts(content: bytes) -> SheetFacts | None:
    """Return how far a sheet reaches, at the speed of a search, if it is written as Excel writes and needs no more.

    Anything unusual (errors, formulas, other spellings of XML, a far cell that may be empty) is left to the parser.
    """
    addresses = PLAIN_CELL.findall(content)
    if UNUSUAL.search(content) or len(addresses) != len(ANY_CELL.findall(content)):
        return None
    letters = {letters for letters, _ in addresses}
    columns = max((_column_number(found.decode()) for found in letters), default=0)
    rows = max((int(row) for _, row in addresses), default=0)
    if rows > MOST_ROWS or columns > MOST_WIDTH or rows * columns > MOST_CELLS:
        return None
    return SheetFacts(rows, columns)


def _column_number(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number


@contextmanager
def _archive(source: Source) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(source.path) as archive:
            entries = archive.infolist()
            size, packed = (sum(getattr(entry, kind) for entry in entries) for kind in ("file_size", "compress_size"))
            if len(entries) > MOST_PARTS or size > MOST_BYTES or (size > RATIO_FROM and size > RATIO * packed):
                raise EmberError(
                    f"The workbook unpacks from {packed:,} to {size:,} bytes in {len(entries):,} parts, which no table "
                    "does.",
                    where=source.shown_path,
                    fix="Save the one sheet as text (.csv).",
                )
            yield archive
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, KeyError, ValueError):
        raise damaged(source) from None


def _check_part(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, source: Source) -> None:
    """Read a part to its end, which holds it against its announced size and checksum, and refuse a DOCTYPE."""
    parser, open_, size = expat.ParserCreate(), [True], 0

    def refuse(*_: object) -> None:
        raise EmberError(
            "The workbook declares a document type, by which XML can be made to grow without end.",
            where=source.shown_path,
            fix="Open it in a spreadsheet program and save it again.",
        )

    def stop(*_: object) -> None:
        open_[0] = False

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = stop
    with archive.open(entry) as content:
        while piece := content.read(PIECE):
            size += len(piece)
            if open_[0]:
                try:
                    parser.Parse(piece)
                except expat.ExpatError:
                    raise damaged(source) from None
    if size != entry.file_size:
        raise damaged(source)


class _OfficeSheet:
    """Reads the cells of one sheet of an .xlsx file."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.facts = SheetFacts()
        self.row = self.column = 0
        self.kind, self.formula, self.held, self.inside = "", False, False, False
        self.text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "row":
                self.row = int(attributes.get("r", self.row + 1))
                self.column = 0
            case "c":
                self._move(attributes.get("r"))
                self.kind, self.formula, self.held = attributes.get("t", "n"), False, False
                self.text.clear()
            case "f":
                self.formula = True
            case "v":
                self.held = self.inside = True
            case "is":
                self.held = True
                self.text.append("text")

    def _move(self, reference: str | None) -> None:
        if reference is None:
            self.column += 1
            return
        found = re.fullmatch(r"([A-Z]{1,3})([0-9]{1,7})", reference.upper())
        if found is None:
            raise damaged(self.source)
        self.column = _column_number(found[1])
        self.row = int(found[2])

    def data(self, text: str) -> None:
        if self.inside:
            self.text.append(text)

    def end(self, name: str) -> None:
        local = name.rpartition(":")[2]
        if local == "v":
            self.inside = False
        elif local == "c":
            self._finish()

    def _finish(self) -> None:
        text = "".join(self.text)
        place = (self.row, self.column)
        if self.formula and not text and not (self.held and self.kind == "str"):
            self.facts.uncomputed.append(place)
        if text:
            reach(self.facts, place, self.source)
        if self.kind == "e":
            self.facts.errors[place] = text


class _OpenSheets:
    """Reads the cells of all sheets of an .ods file, which the library holds all at once."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.sheets: dict[str, SheetFacts] = {}
        self.facts = SheetFacts()
        self.row = self.column = 0
        self.rows = self.cells = 1
        self.kind, self.formula, self.error = "", False, False
        self.note = 0
        self.text: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        match name.rpartition(":")[2]:
            case "table":
                self.facts = self.sheets.setdefault(attributes.get("table:name", ""), SheetFacts(open_document=True))
                self.row, self.rows = 0, 1
            case "table-row":
                self.row += 1
                self.column = 0
                self.rows = self._repeats(attributes.get("table:number-rows-repeated", "1"), MOST_ROWS)
            case "table-cell" | "covered-table-cell":
                self.column += 1
                self.cells = self._repeats(attributes.get("table:number-columns-repeated", "1"), MOST_WIDTH)
                self.kind = attributes.get("office:value-type", "")
                self.formula = "table:formula" in attributes
                self.error = attributes.get("calcext:value-type") == "error"
                self.text.clear()
                wide = self._repeats(attributes.get("table:number-columns-spanned", "1"), MOST_WIDTH)
                high = self._repeats(attributes.get("table:number-rows-spanned", "1"), MOST_ROWS)
                if wide > 1 or high > 1:
                    corner = (self.row + high - 1, self.column + wide - 1)
                    self.facts.merged.append(((self.row, self.column), corner))
            case "annotation":
                self.note += 1

    def _repeats(self, text: str, most: int) -> int:
        count = int(text) if re.fullmatch(r"[0-9]{1,9}", text) else most + 1
        if count > most:
            raise too_large(self.source)
        return max(count, 1)

    def data(self, text: str) -> None:
        if self.error and not self.note:
            self.text.append(text)

    def end(self, name: str) -> None:
        match name.rpartition(":")[2]:
            case "annotation":
                self.note -= 1
            case "table-cell" | "covered-table-cell":
                self._finish()
                self.column += self.cells - 1
            case "table-row":
                self.row += self.rows - 1

    def _finish(self) -> None:
        last = (self.row + self.rows - 1, self.column + self.cells - 1)
        if self.kind:
            reach(self.facts, last, self.source)
        elif self.formula:
            self.facts.uncomputed.append((self.row, self.column))
        if self.error:
            shown = "".join(self.text).strip() or "#ERROR!"
            for row in range(self.row, last[0] + 1):
                for column in range(self.column, last[1] + 1):
                    self.facts.errors[row, column] = shown


def reach(facts: SheetFacts, place: Place, source: Source) -> None:
    """Let a sheet reach as far as a cell with content.

    Raises
    ------
    EmberError
        The rectangle is larger than a sheet can be, or than memory should hold.
    """
    facts.rows, facts.columns = max(facts.rows, place[0]), max(facts.columns, place[1])
    if facts.rows > MOST_ROWS or facts.columns > MOST_WIDTH or facts.rows * facts.columns > MOST_CELLS:
        raise too_large(source)


def _scan(archive: zipfile.ZipFile, part: str, scanner: _OfficeSheet | _OpenSheets, source: Source) -> SheetFacts:
    _parse(archive, part, scanner.start, source, scanner.data, scanner.end)
    return scanner.facts


def _parse(
    archive: zipfile.ZipFile,
    part: str,
    start: Callable[[str, dict[str, str]], None],
    source: Source,
    data: Callable[[str], None] | None = None,
    end: Callable[[str], None] | None = None,
) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.CharacterDataHandler, parser.EndElementHandler = start, data, end
    try:
        with archive.open(part) as content:
            while piece := content.read(PIECE):
                parser.Parse(piece)
        parser.Parse(b"", True)
    except expat.ExpatError:
        raise damaged(source) from None


def _part_of_sheet(archive: zipfile.ZipFile, names: dict[str, str], source: Source) -> str | None:
    """Return the archive's part that holds the declared sheet."""
    ids: list[str] = []
    targets: dict[str, str] = {}

    def sheet(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "sheet" and attributes.get("name") == source.sheet:
            ids.extend(value for key, value in attributes.items() if key.rpartition(":")[2] == "id")

    def relation(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "Relationship":
            targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _parse(archive, names["xl/workbook.xml"], sheet, source)
    if not ids:
        return None
    _parse(archive, names["xl/_rels/workbook.xml.rels"], relation, source)
    target = targets.get(ids[0], "")
    part = target.lstrip("/") if target.startswith("/") else normpath(join("xl", target))
    if len(ids) > 1 or part.lower() not in names:
        raise damaged(source)
    return names[part.lower()]


def damaged(source: Source) -> EmberError:
    """Return what to say of a workbook that cannot be opened."""
    return EmberError(
        "The workbook cannot be read: it is damaged or not an Excel file.",
        where=source.shown_path,
        fix="Open it in Excel and save it again as .xlsx.",
    )


def protected(source: Source) -> EmberError:
    """Return what to say of a workbook that needs a password."""
    return EmberError(
        "The workbook is protected by a password.", where=source.shown_path, fix="Ask for one without a password."
    )


def too_large(source: Source) -> EmberError:
    """Return what to say of a sheet with cells where no table has them."""
    return EmberError(
        f"A sheet has content so far down or right that it would hold more than {MOST_CELLS:,} cells.",
        where=source.shown_path,
        fix="Delete what stands outside of the table, or save the sheet as text (.csv).",
    )
