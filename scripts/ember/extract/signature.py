"""Is the file there, and is it what study.yaml says it is?"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from ember.errors import EmberError
from ember.registry.model import Source

ZIP, OLD_OFFICE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
SAS_MAGIC = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")

# The first bytes of a file tell its format whatever its name says: (bytes, `format:`, `compression:`, words).
SIGNATURES: tuple[tuple[bytes, str, str, str], ...] = (
    (OLD_OFFICE, "excel", "", "an old or an encrypted Excel workbook"),
    (b"\x09\x08\x10\x00", "excel", "", "an old Excel workbook"),
    (b"\x09\x08\x08\x00", "excel", "", "an old Excel workbook"),
    (b"PAR1", "parquet", "", "a Parquet file"),
    (b"ARROW1", "feather", "", "a Feather (Arrow) file"),
    (b"FEA1", "feather", "", "a Feather file of the first version"),
    (b"$FL2", "spss", "", "an SPSS file"),
    (b"$FL3", "spss", "", "a compressed SPSS file"),
    (b"<stata_dta>", "stata", "", "a Stata file"),
    (b"HEADER RECORD*******", "sas_transport", "", "a SAS transport file"),
    (SAS_MAGIC, "sas", "", "a SAS data set"),
    (b"\x1f\x8b", "", "gzip", "a gzip file"),
    (b"PK\x05\x06", "", "", "an empty zip file"),
    (b"BZh", "", "", "a bzip2 file, which EMBER does not unpack"),
    (b"\xfd7zXZ\x00", "", "", "an xz file, which EMBER does not unpack"),
    (b"7z\xbc\xaf\x27\x1c", "", "", "a 7z archive, which EMBER does not unpack"),
    (b"Rar!\x1a\x07", "", "", "a rar archive, which EMBER does not unpack"),
    (b"\x28\xb5\x2f\xfd", "", "", "a zstd file, which EMBER does not unpack"),
    (b"SQLite format 3\x00", "", "", "an SQLite database, which is read with `format: sql`"),
    (b"<!DOCTYPE", "", "", "a web page"),
    (b"<!doctype", "", "", "a web page"),
    (b"<html", "", "", "a web page"),
    (b"%PDF", "", "", "a PDF file"),
    (b"\x7fELF", "", "", "a program"),
)
# Release (113 to 115), byte order, file type 1, a zero: Stata 8 to 12.
OLD_STATA = re.compile(rb"[\x69\x6c\x6e\x6f\x71\x72\x73][\x01\x02]\x01\x00", re.DOTALL)
PORTABLE = b"SPSSPORT"
# Five lines of 40 characters, the table of characters and then the mark; line ends add at most two a line.
PORTABLE_START = 512

Kind = tuple[str, str, str]


def check_file(source: Source) -> None:
    """Refuse a file that is absent, empty, or not of the declared format and compression.

    Raises
    ------
    EmberError
        Names the file, what it looks like and what was declared.
    """
    if not source.path.is_file():
        raise EmberError(
            "The file does not exist.",
            where=source.shown_path,
            fix="Check `path:` of the source and the data folder in study.yaml.",
        )
    if not source.path.stat().st_size:
        raise EmberError("The file is empty: it has 0 bytes.", where=source.shown_path, fix="Export it again.")
    kind = kind_of(source.path)
    if source.compression:
        _check_packed(source, kind)
    elif kind is None and source.format != "csv":
        raise EmberError(
            f"study.yaml says `format: {source.format}`, but the file does not start like one.",
            where=source.shown_path,
            fix="Correct `format:`, or export the file again.",
        )
    elif kind is not None and kind[0] != source.format:
        form, packing, words = kind
        fix = "Export it again in the declared format."
        if form or packing:
            fix = f"Write `format: {form}`." if form else f"Write `compression: {packing}`."
        raise EmberError(
            f"study.yaml says `format: {source.format}`, but the file is {words}.", where=source.shown_path, fix=fix
        )


def kind_of(path: Path) -> Kind | None:
    """Return format, compression and a description of a file by its content, or None where nothing is known."""
    with path.open("rb") as content:
        start = content.read(PORTABLE_START)
    if start.startswith(ZIP):
        return _kind_of_zip(path)
    found = next((rest for sign, *rest in SIGNATURES if start.startswith(sign)), None)
    if found is not None:
        return found[0], found[1], found[2]
    if OLD_STATA.match(start):
        return "stata", "", "a Stata file of an old version"
    if PORTABLE in start.replace(b"\r", b"").replace(b"\n", b""):
        return "spss_portable", "", "an SPSS portable file"
    return None


def _kind_of_zip(path: Path) -> Kind:
    """Workbooks are zip files too: what they hold tells them apart."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, UnicodeDecodeError):
        return "excel", "zip", "an Excel workbook or another zip file, damaged or cut off"
    if any(name.lower() == "xl/workbook.xml" for name in names):
        return "excel", "", "an Excel workbook"
    if any(name.lower() == "xl/workbook.bin" for name in names):
        return "", "", "an Excel workbook of the binary kind (.xlsb): save it as .xlsx"
    if "content.xml" in names and "mimetype" in names:
        return _open_document(path)
    if "word/document.xml" in names:
        return "", "", "a Word document"
    return "", "zip", "a zip file"


def _open_document(path: Path) -> Kind:
    try:
        with zipfile.ZipFile(path) as archive, archive.open("mimetype") as content:
            kind = content.read(100)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError):
        kind = b""
    if kind.strip() == b"application/vnd.oasis.opendocument.spreadsheet":
        return "excel", "", "an OpenDocument spreadsheet"
    return "", "", "an OpenDocument file that is no spreadsheet"


def _check_packed(source: Source, kind: Kind | None) -> None:
    if source.compression == "zip" and (kind is None or kind[1] != "zip"):
        words = kind[2] if kind else "something else"
        wanted = "compression: zip"
    elif source.compression == "gzip" and (kind is None or kind[1] != "gzip"):
        words = kind[2] if kind else "something else"
        wanted = "compression: gzip"
    else:
        return
    fix = "Correct `compression:`, or take it out if the file is not packed."
    if kind is not None and kind[1]:
        fix = f"Write `compression: {kind[1]}`."
    raise EmberError(f"study.yaml says `{wanted}`, but the file is {words}.", where=source.shown_path, fix=fix)
