"""Excel workbooks: one sheet, each cell as the text that a person sees as its value."""

from __future__ import annotations

import polars as pl
import python_calamine

from ember.errors import EmberError, nearest_name
from ember.extract.signature import check_file
from ember.extract.table import RawTable, column_names, raw_table
from ember.extract.text import cell_text
from ember.registry.model import Source


def read_excel(source: Source) -> RawTable:
    """Read one sheet.

    Rows above `header_row` are titles and ignored; rows below the last cell with content do not exist.
    A column with neither name nor content is left out.

    Raises
    ------
    EmberError
        The workbook cannot be read, the sheet or its header is absent, or there is no data row.
    """
    rows = _cells(source, None)
    names = column_names(rows[source.header_row - 1], source)
    data = rows[source.header_row :]
    while data and not any(data[-1]):
        data.pop()
    frame = pl.DataFrame(data, schema=dict.fromkeys(names, pl.String()), orient="row")
    unnamed = [name for place, name in enumerate(names) if not rows[source.header_row - 1][place].strip()]
    frame = frame.drop([name for name in unnamed if (frame[name] == "").all()])
    first = source.header_row + 1
    numbers = pl.int_range(first, first + frame.height, dtype=pl.Int64, eager=True)
    return raw_table(source, frame.with_columns(numbers.alias("_row")), sheet=source.sheet)


def read_excel_header(source: Source) -> list[str]:
    """Return the column names of the sheet."""
    return column_names(_cells(source, source.header_row)[source.header_row - 1], source)


def _cells(source: Source, n_rows: int | None) -> list[list[str]]:
    check_file(source)
    try:
        with python_calamine.CalamineWorkbook.from_path(str(source.path)) as book:
            if source.sheet not in book.sheet_names:
                raise EmberError(
                    f"The workbook has no sheet '{source.sheet}'.",
                    where=source.shown_path,
                    allowed=book.sheet_names,
                    nearest=nearest_name(source.sheet or "", book.sheet_names),
                    fix="Name the sheet as `sheet:` of the source in study.yaml.",
                )
            rows = book.get_sheet_by_name(source.sheet).to_python(skip_empty_area=False, nrows=n_rows)
    except python_calamine.PasswordError:
        raise EmberError("The workbook is protected by a password.", where=source.shown_path) from None
    except (python_calamine.CalamineError, OSError):
        raise EmberError(
            "The workbook cannot be read: it is damaged or not an Excel file.",
            where=source.shown_path,
            fix="Open it in Excel and save it again as .xlsx.",
        ) from None
    if len(rows) < source.header_row:
        raise EmberError(
            f"The header is declared in row {source.header_row}, but the sheet has {len(rows)} rows with content.",
            where=f"{source.shown_path}  sheet {source.sheet}",
            fix="Give the row of the column names as `header_row:`.",
        )
    return [[cell_text(cell) for cell in row] for row in rows]
