"""Files of binary formats made in memory, for the formats that no library here writes."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import zipfile
from collections.abc import Mapping, Sequence

import xlsxwriter

FREE, END, FAT_SECTOR = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
SECTOR = 512
XLS_ERRORS = {"#DIV/0!": 0x07, "#N/A": 0x2A, "#REF!": 0x17}
NAMESPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
)


def zipped(members: Mapping[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip file."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def rezipped(content: bytes, changes: Mapping[str, bytes]) -> bytes:
    """Return a zip file with some members replaced."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return zipped({**members, **changes})


def xlsx(
    rows: Sequence[Sequence[object]], *, date_1904: bool = False, formats: Mapping[str, str] | None = None
) -> bytes:
    """Return an .xlsx workbook with the sheet Data; `formats` gives a number format by address."""
    stream = io.BytesIO()
    book = xlsxwriter.Workbook(stream, {"in_memory": True, "date_1904": date_1904})
    page = book.add_worksheet("Data")
    for row, cells in enumerate(rows):
        for column, value in enumerate(cells):
            pattern = (formats or {}).get(f"{chr(65 + column)}{row + 1}")
            page.write(row, column, value, book.add_format({"num_format": pattern}) if pattern else None)
    book.close()
    return stream.getvalue()


def sheet_xml(rows: str) -> bytes:
    """Return the XML of a sheet of an .xlsx workbook."""
    name = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<?xml version="1.0"?><worksheet xmlns="{name}"><sheetData>{rows}</sheetData></worksheet>'.encode()


def ods(rows: str, before: str = "") -> bytes:
    """Return an .ods spreadsheet whose sheet Data has these table:table-row elements."""
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?>{before}<office:document-content {NAMESPACES}><office:body>'
        f'<office:spreadsheet><table:table table:name="Data">{rows}</table:table></office:spreadsheet></office:body>'
        "</office:document-content>"
    )
    manifest = '<m:manifest xmlns:m="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return zipped({"mimetype": kind, "META-INF/manifest.xml": manifest, "content.xml": content})


def ods_cell(kind: str = "", value: str = "", shown: str = "", more: str = "") -> str:
    """Return one cell of an .ods row; kind is string, float, date, time or "" for an empty one."""
    if not kind:
        return f"<table:table-cell {more}/>"
    names = {"float": "value", "percentage": "value", "date": "date-value", "time": "time-value"}
    told = f' office:{names[kind]}="{value}"' if kind in names else ""
    text = f"<text:p>{shown or value}</text:p>"
    return f'<table:table-cell office:value-type="{kind}"{told} {more}>{text}</table:table-cell>'


def ods_row(*cells: str, more: str = "") -> str:
    """Return one row of an .ods sheet."""
    return f"<table:table-row {more}>{''.join(cells)}</table:table-row>"


def xls(
    rows: Sequence[Sequence[object]], *, date_1904: bool = False, sheet: str = "Data", small: bool = False
) -> bytes:
    """Return an Excel 97 workbook with one sheet.

    Texts are labels, floats numbers, `#N/A` and the like errors, and (shown,) a formula with that result. A number
    in a list of one is formatted as a date.
    """
    start = [
        _bof(0x0005),
        _record(0x0042, struct.pack("<H", 1200)),
        _record(0x0022, struct.pack("<H", date_1904)),
        *(_record(0x00E0, struct.pack("<HHH14x", 0, number_format, 0)) for number_format in (0, 14)),
    ]
    name = _record(0x0085, struct.pack("<IHBB", 0, 0, len(sheet), 0) + sheet.encode("latin-1"))
    offset = sum(map(len, start)) + len(name) + len(_record(0x000A, b""))
    name = name[:4] + struct.pack("<I", offset) + name[8:]
    cells = [_cell(row, column, value) for row, line in enumerate(rows) for column, value in enumerate(line)]
    width = max(len(line) for line in rows)
    size = _record(0x0200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0))
    stream = b"".join([*start, name, _record(0x000A, b""), _bof(0x0010), size, *cells, _record(0x000A, b"")])
    return small_compound_file("Workbook", stream) if small else compound_file("Workbook", stream)


def _record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def _bof(kind: int) -> bytes:
    return _record(0x0809, struct.pack("<HHHHII", 0x0600, kind, 0x0DBB, 0x07CC, 0, 6))


def _cell(row: int, column: int, value: object) -> bytes:
    place = struct.pack("<HHH", row, column, isinstance(value, list))
    if isinstance(value, list):
        return _record(0x0203, place + struct.pack("<d", value[0]))
    if isinstance(value, tuple):
        result = struct.pack("<BxBxxxH", 2, XLS_ERRORS[value[0]], 0xFFFF)
        return _record(0x0006, place + result + struct.pack("<HIH", 0, 0, 0))
    if isinstance(value, float):
        return _record(0x0203, place + struct.pack("<d", value))
    if isinstance(value, bool):
        return _record(0x0205, place + bytes([value, 0]))
    text = str(value)
    if text in XLS_ERRORS:
        return _record(0x0205, place + bytes([XLS_ERRORS[text], 1]))
    if not text:
        return b""
    return _record(0x0204, place + struct.pack("<HB", len(text), 1) + text.encode("utf-16-le"))


def compound_file(name: str, stream: bytes) -> bytes:
    """Return a file of the kind that old Office programs wrote, with one stream: header, FAT, directory, stream."""
    stream = stream.ljust(max(4096, -len(stream) // SECTOR * -SECTOR), b"\0")
    count = len(stream) // SECTOR
    assert count + 2 <= SECTOR // 4, "one FAT sector is enough for a test"
    chain = [FAT_SECTOR, END, *range(3, count + 2), END]
    fat = struct.pack(f"<{SECTOR // 4}I", *chain, *[FREE] * (SECTOR // 4 - len(chain)))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, END, 0, END, 0, 0)
    header += struct.pack("<108I", *[FREE] * 108)
    entries = [_entry("Root Entry", 5, END, 0, 1), _entry(name, 2, 2, len(stream), FREE)]
    directory = b"".join(entries).ljust(SECTOR, b"\0")
    return header + fat + directory + stream


def small_compound_file(name: str, stream: bytes) -> bytes:
    """Return such a file with a stream below 4096 bytes, which lies in units of 64 bytes inside another stream."""
    length = len(stream)
    units = -(-length // 64)
    container = stream.ljust(-(-length // SECTOR) * SECTOR, b"\0")
    count = len(container) // SECTOR
    chain = [FAT_SECTOR, END, END, *range(4, count + 3), END]
    fat = struct.pack(f"<{SECTOR // 4}I", *chain, *[FREE] * (SECTOR // 4 - len(chain)))
    small = [*range(1, units), END]
    small_fat = struct.pack(f"<{SECTOR // 4}I", *small, *[FREE] * (SECTOR // 4 - len(small)))
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<IIIIIIIIII", 0, 1, 1, 0, 4096, 2, 1, END, 0, 0)
    header += struct.pack("<108I", *[FREE] * 108)
    entries = [_entry("Root Entry", 5, 3, len(container), 1), _entry(name, 2, 0, length, FREE)]
    return header + fat + b"".join(entries).ljust(SECTOR, b"\0") + small_fat + container


def _entry(name: str, kind: int, first: int, length: int, child: int) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(text), kind, 1, FREE, FREE, child)
        + bytes(36)
        + struct.pack("<IQ", first, length)
    )


# Written once with the C functions of ReadStat, whose writers of these formats pyreadstat does not hand on:
# gzip and base 85 of the file.
# LABS: ID text, CRP (mg/L) with .A and ._, DAY as DATE9; five rows, UTF-8.
_SAS = (
    "ABzY8000000t4-"
    "tJ&4pm6vt<>AD3NM$U=%M77XVVd!R96_LdbaHhL=@#3Q&{C<tnGUZEBuTqhQGR$`%GVQFtC_<<IdVj);;VQnP{=l8`VGjo}F+}^Gn3x2%c5+?7"
    "zZ{AFj8S*AWNY0B7H_kt@>#v{OHc90byEVJds{3=q_o=}scd-d6P)+ygexKMjaSBw%=?8u1#B$gRgJXSX2gn$ff<d78IUDU^pp-"
    "fmKPZroxL(U+Cl|xD%h%Qw-FKPidIuS6doE)xgW=XY?Q`vxCOP5Cm7YAH|J}#KP0&vSK@bE%5ClOG1o>mQm#<qjK9$9ZVUaya@vg?rW<mFRF7#"
    "PY|6-Mwrwv`Vg+7piSg^mZ@UjK;J3<eEepcumpf`lx1^pSC+w1qo=pek#>f3JQvHV-cn=jX88F`0u{i)CsUf#TVVM~9&^==lYrF;`v5Z(FsEb<"
    "m7`c{G<2!bI03Y*{K45(K|_#Y+3iR$mn0aD#neWiU~J)ReKLzIQ&M~O_N;@BX1QuRaBlevv0$}A-"
    "*<_Q(IDKUYqB0|M^0x?f`gr;b<16n8Kr>LXkL^j;JN%v;@gI=_}M9A?|QF=JdORI;%g>>KMOuBc|+wP)dO!=f{rZjeHGy1)hccl#SxiYwB3i=1"
    "_82FWdUkN;W3a%5{Vu+0$W8Wt9`x@_V%>Hd`B=9+<^En~QpoP5`{9pIxv~^2qM0^;xq0TjRatc<!IEnwW=P|AI=<g!unE~u7uxr4!fNf6gN=@Z"
    "$Wh?E}vh&7-Ef<rXrtgxfras&{D~-N28NUE;42S;!AOHX"
)
# ID text, BDI with the missing range 90 to 99, the missing value -9 and a label of 99; five rows.
_PORTABLE = (
    "ABzY8000000t3BK+fss16n$rge>mOCf_)B01ni0^MQM`9vMehUyi}$sbTRAO1DSgAp=q4f!(MClZOxvI@$aBB!?F;w8AEolR7R$i&!H*cIXq+h"
    ">qa8cq?}SzP0twFoVkBs9UkQi$3^?3#LA~<mGg_LQ*XFlv(@h0-"
    "9L06d;O=u(C4|}`Q`O(gv71Y_3`p$ZEi8Kws|eUcw^~iXZJR}u(z^3A6tA*HGcoNn$gwKkD?dpDo9ugPr@Vx-"
    "y4YvCC_o0@A#A`(DwcQFb&Y^`0b!BHhNvCbVkm=EjW#z#-"
    "s$Y0SW~PtSkWv7~;rt3JygkYsnCrK^!wQOlqJC8W=jTpo@A<6!uI;LncvGfq~ZyhMsFuurV<pB1zymZK5cRIhhb6lCh|mQ2h&d?h88jo|obR00"
    "0"
)


def sas_data_set() -> bytes:
    """Return a small SAS data set (.sas7bdat)."""
    return gzip.decompress(base64.b85decode(_SAS))


def spss_portable() -> bytes:
    """Return a small SPSS portable file (.por)."""
    return gzip.decompress(base64.b85decode(_PORTABLE))
