"""Write the rows of a dirty extract as a real file, and know on which line each of them starts."""

from __future__ import annotations

import gzip
import io
import re
import zipfile
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import polars as pl

from tests.prove.dirty_cells import EMPTY, Cell
from tests.prove.dirty_plan import SourcePlan, StudyPlan
from tests.prove.dirty_rows import Row

LINE_BREAK = re.compile(r"\r\n|\r|\n")
NUMERIC = ("measurement", "item", "result", "operand")
TITLES = ("Extract of the registry", "", 'Datum; 1,2 "x"', "\t")


@dataclass
class Style:
    """How a text file is written."""

    delimiter: str
    end: str
    quoting: str
    surplus: int


def write_source(
    rng: Random, plan: StudyPlan, source: SourcePlan, header: list[str], rows: list[Row], path: Path
) -> int:
    """Write a file and declare it in `source.entry`; return its longest record in bytes.

    Every row gets its `line`. Cells of typed columns become what the type can hold.
    """
    source.header = header
    if source.format == "csv":
        return _write_text(rng, source, header, rows, path)
    numeric = _typed(rng, plan, source, rows)
    if source.format == "excel":
        _write_excel(rng, source, header, rows, numeric, path)
        return 0
    for place, row in enumerate(rows, start=1):
        row.line = place
    values = {name: [_typed_value(row, name, numeric) for row in rows] for name in header}
    schema = {name: pl.Float64() if name in numeric else pl.String() for name in header}
    _write_frame(source, pl.DataFrame(values, schema=schema), numeric, path)
    return 0


def _write_text(rng: Random, source: SourcePlan, header: list[str], rows: list[Row], path: Path) -> int:
    style = Style(
        source.entry["delimiter"],
        rng.choice(["\n", "\r\n", "\n", "\r\n", "\r"]),
        rng.choice(["needed", "needed", "all", "some"]),
        rng.choice([0, 0, 0, 0, 2]),
    )
    titles = [title for title in TITLES[: rng.randint(1, 4)]] if rng.random() < 0.2 else []
    records = list(titles)
    source.entry["header_row"] = len(titles) + 1
    if rng.random() < 0.12 and not titles and rows[0].shape == "data" and not _is_blank(rows[0], header):
        source.entry |= {"header_row": 0, "names": header}
        style.surplus = 0
    else:
        records.append(style.delimiter.join([*(_quoted(rng, name, style) for name in header), *[""] * style.surplus]))
    line = 1 + sum(1 + len(LINE_BREAK.findall(record)) for record in records)
    for row in rows:
        row.line = line
        records.append(_record(rng, row, header, style))
        row.shape = row.shape if records[-1] else "empty"
        line += 1 + len(LINE_BREAK.findall(records[-1]))
    text = style.end.join(records) + (style.end if rng.random() < 0.8 or not records[-1] else "")
    encoding = source.entry["encoding"]
    if encoding == "utf-8" and rng.random() < 0.3:
        encoding = "utf-8-sig"
    _pack(rng, source, text.encode(encoding), path)
    return max(len(record.encode()) for record in records)


def _is_blank(row: Row, header: list[str]) -> bool:
    return all(not row.stripped(name) for name in header)


def _record(rng: Random, row: Row, header: list[str], style: Style) -> str:
    if row.shape == "empty":
        return ""
    cells = [row.text(name) for name in header]
    if row.shape == "short":
        cells = cells[: rng.randint(1, len(cells) - 1)]
    extra = [""] * style.surplus
    if row.shape == "long":
        extra = [*extra, *rng.choice([["surplus"], ["", "1"]])]
    elif rng.random() < 0.03 and row.shape == "data":
        extra = [*extra, *rng.choice([[""], ["", " "]])]
    return style.delimiter.join(_quoted(rng, cell, style) for cell in [*cells, *extra])


def _quoted(rng: Random, cell: str, style: Style) -> str:
    needed = style.delimiter in cell or cell.startswith('"') or LINE_BREAK.search(cell) is not None
    needed = needed or ('"' in cell and style.quoting != "needed")
    if needed or style.quoting == "all" or (style.quoting == "some" and rng.random() < 0.5):
        return '"' + cell.replace('"', '""') + '"'
    return cell


def _pack(rng: Random, source: SourcePlan, content: bytes, path: Path) -> None:
    draw = rng.random()
    if draw < 0.06:
        source.entry["compression"] = "gzip"
        content = gzip.compress(content, mtime=0)
    elif draw < 0.1:
        source.entry["compression"] = "zip"
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("data/extract.csv", content)
        content = packed.getvalue()
    path.write_bytes(content)


def _typed(rng: Random, plan: StudyPlan, source: SourcePlan, rows: list[Row]) -> set[str]:
    """Choose columns that the file stores as numbers; their cells lose what is no number."""
    columns = [column for table in plan.tables if table.source == source.id for column in table.of(*NUMERIC)]
    numeric = {name for name in dict.fromkeys(column.name for column in columns) if rng.random() < 0.5}
    codes = {code for code in (*source.dialect.missing, *source.dialect.user_missing) if code.lstrip("-").isdigit()}
    source.numeric = numeric
    source.ranges = {name for name in sorted(numeric) if source.format == "spss" and rng.random() < 0.5}
    for row in rows:
        for name in numeric & set(row.cells):
            cell = _as_number(row.cells[name], codes, name in source.ranges)
            if source.format == "excel" and cell.number is not None:
                cell = replace(cell, number=float(f"{cell.number:.16G}"))  # as many digits as the library writes
            row.cells[name] = cell
        if row.table is not None and "twice" in row.cells and "half" in numeric:
            half = row.cells["half"]
            row.cells["twice"] = (
                Cell("!", "read", 2 * half.number) if half.status == "read" and half.number is not None else EMPTY
            )
    return numeric


def _as_number(cell: Cell, codes: set[str], in_range: bool) -> Cell:
    if cell.status in {"missing_code", "user_missing"}:
        plain = cell.stripped.removesuffix(".0")
        return replace(cell, text=plain, number=float(plain)) if plain in codes else EMPTY
    if cell.number is None or cell.operator:
        return EMPTY
    if in_range and 2.5 <= cell.number <= 3.0:
        return replace(cell, status="user_missing")
    return cell


def _typed_value(row: Row, name: str, numeric: set[str]) -> float | str | None:
    return row.cells.get(name, EMPTY).number if name in numeric else row.text(name)


def _write_frame(source: SourcePlan, frame: pl.DataFrame, numeric: set[str], path: Path) -> None:
    if source.format == "parquet":
        frame.write_parquet(path)
    elif source.format == "feather":
        frame.write_ipc(path)
    else:
        import pyreadstat

        if source.format == "stata":
            pyreadstat.write_dta(frame.to_pandas(), str(path))
        else:
            ranges = {name: [{"lo": 2.5, "hi": 3.0}] for name in sorted(source.ranges)}
            pyreadstat.write_sav(frame.to_pandas(), str(path), missing_ranges=ranges or None)


def _write_excel(
    rng: Random, source: SourcePlan, header: list[str], rows: list[Row], numeric: set[str], path: Path
) -> None:
    import xlsxwriter

    first = rng.choice([1, 1, 3])
    while rows and _is_blank(rows[-1], header):
        rows.pop()
    source.entry |= {"sheet": "Data", "header_row": first}
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_numbers": False}) as book:
        book.add_worksheet("Notes").write_string(0, 0, "see Data")
        sheet = book.add_worksheet("Data")
        if first > 1:
            sheet.write_string(0, 0, "Extract")
        for place, name in enumerate(header):
            sheet.write_string(first - 1, place, name)
        for number, row in enumerate(rows):
            row.line = first + 1 + number
            for place, name in enumerate(header):
                value = _typed_value(row, name, numeric)
                if isinstance(value, float):
                    sheet.write_number(first + number, place, value)
                elif value:
                    sheet.write_string(first + number, place, value)
