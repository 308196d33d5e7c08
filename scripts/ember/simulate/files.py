"""Write simulated tables in the formats of the sites."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl
import pyreadstat
import xlsxwriter

from ember.simulate import cork, lund
from ember.simulate.draft import Extract
from ember.tables.store import replacing, write_frame

CREATED = datetime.datetime(2026, 11, 23)
TITLES: Mapping[str, tuple[str, ...]] = {
    "Participants": ("EMBER synthetic consortium, site Cork", "Participants. Synthetic data, no person.", ""),
    "Visits": ("EMBER synthetic consortium, site Cork", "Visits with MADRS items. Synthetic data, no person."),
}


def write_semicolon_csv(extract: Extract, path: Path) -> None:
    """Write Latin-1 text with semicolons."""
    text = extract.cells.write_csv(separator=";", line_terminator="\r\n", quote_style="necessary", null_value="")
    with replacing(path) as temporary:
        temporary.write_bytes(text.replace('""', "").encode("latin-1"))


def write_comma_csv(extract: Extract, path: Path) -> None:
    """Write UTF-8 text with commas."""
    text = extract.cells.write_csv(line_terminator="\n")
    with replacing(path) as temporary:
        temporary.write_bytes(text.replace('""', "").encode("utf-8"))


def write_spss(extract: Extract, path: Path) -> None:
    """Write an SPSS file with value labels and user-missing codes.

    Notes
    -----
    pyreadstat takes Python dates and None; pandas is what it wants around them.
    """
    import pandas as pd

    columns = {
        name: pd.Series(_typed(extract, name), dtype="float64" if name in extract.numeric else "object")
        for name in extract.cells.columns
    }
    labels = dict(lund.VALUE_LABELS)
    missing: dict[str, list[Any]] = {"bmi": [999]}
    for name in columns:
        if name.startswith("qids"):
            labels[name], missing[name] = lund.ITEM_LABELS, [{"lo": 97, "hi": 99}]
        elif "fl_" in name:
            labels[name] = lund.FLAG_LABELS
        elif name.split("_")[0] in lund.COLUMNS.values():
            missing[name] = [-9]
    with replacing(path) as temporary:
        pyreadstat.write_sav(
            pd.DataFrame(columns),
            str(temporary),
            file_label="EMBER synthetic consortium, site Lund. No person.",
            variable_value_labels=labels,
            missing_ranges=missing,
        )


def write_workbook(extracts: Sequence[Extract], path: Path) -> None:
    """Write an Excel workbook: title rows, the header, the data, one sheet an extract."""
    with replacing(path) as temporary:
        book = xlsxwriter.Workbook(str(temporary))
        book.set_properties({"created": CREATED, "title": "EMBER synthetic consortium, site Cork"})
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for extract in extracts:
            sheet = book.add_worksheet(extract.sheet)
            for row, title in enumerate(TITLES[extract.sheet]):
                sheet.write_string(row, 0, title)
            for place, name in enumerate(extract.cells.columns):
                sheet.write_string(extract.first_row - 2, place, name)
                sheet.write_column(
                    extract.first_row - 1, place, _typed(extract, name), day if name in extract.dates else None
                )
        book.close()


def write_extracts(extracts: Sequence[Extract], folder: Path) -> None:
    """Write all tables of all sites below a folder."""
    for path in dict.fromkeys(extract.path for extract in extracts):
        parts = [extract for extract in extracts if extract.path == path]
        if path == cork.WORKBOOK:
            write_workbook(parts, folder / path)
        elif path == cork.LABORATORY:
            write_frame(parts[0].cells, folder / path)
        elif path == lund.PATH:
            write_spss(parts[0], folder / path)
        elif parts[0].site == "porto":
            write_semicolon_csv(parts[0], folder / path)
        else:
            write_comma_csv(parts[0], folder / path)


def _typed(extract: Extract, name: str) -> list[Any]:
    """Return a column as the numbers, dates or texts that its format knows; None for an empty cell."""
    texts = extract.cells[name].to_list()
    if name in extract.numeric:
        return [_number(text) if text else None for text in texts]
    if name in extract.dates:
        return [datetime.date.fromisoformat(text) if text else None for text in texts]
    return [text or None for text in texts] if extract.sheet else texts


def _number(text: str) -> float | int:
    return int(text) if text.lstrip("-").isdigit() else float(text)


def ledger_frame(lines: Sequence[tuple[str | int, ...]], names: Sequence[str]) -> pl.DataFrame:
    """Return expected ledger lines as a table; what does not apply is null."""
    schema: dict[str, pl.DataType] = {name: pl.Int64() if name == "row_number" else pl.String() for name in names}
    frame = pl.DataFrame(list(lines), schema=schema, orient="row")
    return frame.with_columns(pl.col("sheet", "column").replace("", None))
