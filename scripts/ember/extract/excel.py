"""Spreadsheets (.xlsx, .xls, .ods): one sheet, each cell as the text that a person sees as its value."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl
import python_calamine

from ember.errors import EmberError, nearest_name
from ember.extract.header import column_names
from ember.extract.old_workbook import old_sheet_facts
from ember.extract.signature import ZIP, check_file
from ember.extract.table import RawTable, raw_table
from ember.extract.text import cell_text
from ember.extract.workbook import Place, SheetFacts, address, damaged, protected, sheet_facts
from ember.registry.model import Source

DURATION = re.compile(r"PT(\d+)H(\d+)M(\d+)(?:[.,]\d+)?S")


@dataclass(frozen=True)
class _Sheet:
    """Rows of text from the top of the sheet, all of one width, and its merged cells by rows and columns from 1."""

    rows: list[list[str]]
    merged: Sequence[tuple[Place, Place]]


def read_excel(source: Source) -> RawTable:
    """Read one sheet.

    Rows above `header_row` are titles and ignored; rows below the last cell with content do not exist.
    A column with neither name nor content is left out. An error (#N/A) is read as the text that it shows.

    Raises
    ------
    EmberError
        The workbook cannot be read, the sheet or its header is absent, a formula has no stored value, or there is
        no data row.
    """
    sheet = _sheet(source, None)
    first = source.header_row + (source.header_rows if source.header_row else 1)
    data = sheet.rows[first - 1 :]
    while data and not any(data[-1]):
        data.pop()
    titles = _titles(sheet, source)
    names = column_names(titles, source)
    columns = zip(*data, strict=True) if data else ([] for _ in names)
    frame = pl.DataFrame([pl.Series(name, cells, pl.String) for name, cells in zip(names, columns, strict=True)])
    unnamed = [name for name, title in zip(names, titles, strict=True) if not title.strip()]
    frame = frame.drop([name for name in unnamed if (frame[name].str.strip_chars() == "").all()])
    numbers = pl.int_range(first, first + frame.height, dtype=pl.Int64, eager=True)
    return raw_table(source, frame.with_columns(numbers.alias("_row")), sheet=source.sheet)


def read_excel_header(source: Source) -> list[str]:
    """Return the column names of the sheet."""
    rows = source.header_row + source.header_rows - 1 if source.header_row else None
    return column_names(_titles(_sheet(source, rows), source), source)


def _titles(sheet: _Sheet, source: Source) -> list[str]:
    """Return one title a column: rows of the header joined with a blank."""
    if not source.header_row:
        return _declared_names(sheet, source)
    header = sheet.rows[source.header_row - 1 :][: source.header_rows]
    if len(header) == 1:
        return header[0]
    carried = [_carried(cells, source.header_row + place, sheet) for place, cells in enumerate(header[:-1])]
    return [" ".join(part for part in parts if part.strip()) for parts in zip(*carried, header[-1], strict=True)]


def _carried(cells: Sequence[str], row: int, sheet: _Sheet) -> list[str]:
    """Carry merged cells to the right; in a row without any, each blank takes the text on its left."""
    spans = [(low[1], high[1]) for low, high in sheet.merged if low[0] == row and low[1] < high[1]]
    carried = list(cells)
    if not spans:
        for place in range(1, len(carried)):
            carried[place] = carried[place] if carried[place].strip() else carried[place - 1]
    for first, last in spans:
        carried[first - 1 : last] = [carried[first - 1]] * len(carried[first - 1 : last])
    return carried


def _declared_names(sheet: _Sheet, source: Source) -> list[str]:
    width = max((place for row in sheet.rows for place, cell in enumerate(row, start=1) if cell), default=0)
    if width > len(source.names):
        raise EmberError(
            f"The sheet has {width} columns, and `names:` gives {len(source.names)}.",
            where=f"{source.shown_path}  sheet {source.sheet}",
            fix="Give one name for each column, in order.",
        )
    blanks = [""] * (len(sheet.rows[0]) - len(source.names)) if sheet.rows else []
    if sheet.rows and len(source.names) > len(sheet.rows[0]):
        raise EmberError(
            f"The sheet has {len(sheet.rows[0])} columns, and `names:` gives {len(source.names)}.",
            where=f"{source.shown_path}  sheet {source.sheet}",
            fix="Give one name for each column, in order.",
        )
    return [*source.names, *blanks]


def _sheet(source: Source, n_rows: int | None) -> _Sheet:
    check_file(source)
    with source.path.open("rb") as content:
        modern = content.read(len(ZIP)) == ZIP
    facts = sheet_facts(source) if modern else old_sheet_facts(source)
    values, merged = _values(source, n_rows)
    text = _open_document_text if facts and facts.open_document else _quick_text
    rows = [[text(cell) for cell in row] for row in values]
    _restore(rows, facts or SheetFacts(), source)
    if len(rows) < source.header_row + source.header_rows - 1:
        raise EmberError(
            f"The header is declared in row {source.header_row}, but the sheet has {len(rows)} rows with content.",
            where=f"{source.shown_path}  sheet {source.sheet}",
            fix="Give the row of the column names as `header_row:`.",
        )
    return _Sheet(rows, merged or (facts.merged if facts else []))


def _values(source: Source, n_rows: int | None) -> tuple[list[list[object]], list[tuple[Place, Place]]]:
    try:
        # By content, not by the name of the file, which may lie.
        with source.path.open("rb") as content, python_calamine.CalamineWorkbook.from_filelike(content) as book:
            if source.sheet not in book.sheet_names:
                raise EmberError(
                    f"The workbook has no sheet '{source.sheet}'.",
                    where=source.shown_path,
                    allowed=book.sheet_names,
                    nearest=nearest_name(source.sheet or "", book.sheet_names),
                    fix="Name the sheet as `sheet:` of the source in study.yaml.",
                )
            sheet = book.get_sheet_by_name(source.sheet)
            corners = sheet.merged_cell_ranges or []
            merged = [((low[0] + 1, low[1] + 1), (high[0] + 1, high[1] + 1)) for low, high in corners]
            return sheet.to_python(skip_empty_area=False, nrows=n_rows), merged
    except python_calamine.PasswordError:
        raise protected(source) from None
    except (python_calamine.CalamineError, OSError):
        raise damaged(source) from None
    except BaseException as error:
        # A fault inside the library is no Exception in Python, and no reason to end without a word.
        if type(error).__name__ == "PanicException":
            raise damaged(source) from None
        raise


def _quick_text(cell: object) -> str:
    """Return the text of a cell; numbers, which are most cells, take the short way where it gives the same."""
    if isinstance(cell, float) and cell:
        text = repr(cell)
        if "e" not in text and "n" not in text:
            return text.removesuffix(".0")
    return cell_text(cell)


def _open_document_text(cell: object) -> str:
    if isinstance(cell, str) and (found := DURATION.fullmatch(cell)):
        return f"{int(found[1])}:{found[2]}:{found[3]}"
    return _quick_text(cell)


def _restore(rows: list[list[str]], facts: SheetFacts, source: Source) -> None:
    """Put the text of error cells where the library leaves a blank, and refuse formulas that were never computed."""
    for (row, column), shown in facts.errors.items():
        if row <= len(rows) and column <= len(rows[row - 1]):
            rows[row - 1][column - 1] = shown
    uncomputed = [place for place in facts.uncomputed if place[0] >= max(source.header_row, 1)]
    if uncomputed:
        raise EmberError(
            f"{len(uncomputed)} cells hold a formula without a stored value, the first in {address(uncomputed[0])}.",
            where=f"{source.shown_path}  sheet {source.sheet}",
            fix="Open the workbook in a spreadsheet program, let it compute, and save it.",
        )
