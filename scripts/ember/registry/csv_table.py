"""Small CSV tables that people keep, read strictly: a closed header, a cell for every column, the line of each row."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path

from ember.errors import EmberError, nearest_name

Row = dict[str, str]
ID = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_rows(
    path: Path,
    shown: str,
    what: str,
    required: Sequence[str],
    optional: Sequence[str] = (),
    *,
    key: str,
    findings: list[EmberError],
) -> list[tuple[int, Row]]:
    """Return the rows of a table with the line on which each begins; cells are without outer white space.

    Parameters
    ----------
    shown : str
        The file's name for messages.
    what : str
        What it is: "the decisions log".
    key : str
        The column that tells its rows apart; a blank one is not compared.
    findings : list
        What is wrong is added. No cell is shown, neither of the header: it may be a row of participant data.
    """
    try:
        lines = list(_lines(path.read_text(encoding="utf-8-sig")))
    except UnicodeDecodeError:
        findings.append(EmberError("The file is not UTF-8 text.", where=shown))
        return []
    except csv.Error:
        findings.append(EmberError("The file cannot be read as comma-separated values.", where=shown))
        return []
    header = [cell.strip() for cell in lines[0][1]] if lines else []
    wrong = list(_header_findings(header, f"{shown}:1", what, required, optional))
    findings.extend(wrong)
    rows: list[tuple[int, Row]] = []
    seen: dict[str, int] = {}
    for line, cells in [] if wrong else lines[1:]:
        where = f"{shown}:{line}"
        if len(cells) != len(header):
            told = f"The line has {len(cells)} cells and the header {len(header)}."
            findings.append(EmberError(told, where=where, fix="Put quotes around text that holds a comma."))
            continue
        row = dict(zip(header, (cell.strip() for cell in cells), strict=True))
        if row[key] in seen:
            told = f"The {key} stands twice; the other one is on line {seen[row[key]]}."
            findings.append(EmberError(told, where=f"{where}  {key}"))
        if row[key]:
            seen.setdefault(row[key], line)
        rows.append((line, row))
    return rows


def is_id(text: str) -> bool:
    """Return whether a text can be an id: a letter, then letters, digits, _ . or -."""
    return ID.fullmatch(text) is not None


def is_day(text: str) -> bool:
    """Return whether a text is a day of the calendar in the form 2025-06-30."""
    try:
        return bool(ISO_DAY.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield (line on which a record begins, cells); a quoted cell may run over several lines."""
    reader = csv.reader(io.StringIO(text, newline=""))
    begins = 1
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield begins, cells
        begins = reader.line_num + 1


def _header_findings(
    header: Sequence[str], where: str, what: str, required: Sequence[str], optional: Sequence[str]
) -> Iterator[EmberError]:
    columns = [*required, *optional]
    for place, name in enumerate(header, start=1):
        if name not in columns:
            told = f"Column {place} of the header is none of {what}."
            yield EmberError(told, where=where, allowed=columns, nearest=nearest_name(name, columns))
    absent = [name for name in required if name not in header]
    if absent:
        told = f"{what[0].upper()}{what[1:]} lacks the column {', '.join(absent)}."
        yield EmberError(told, where=where, allowed=columns)
    for name, count in Counter(header).items():
        if count > 1 and name in columns:
            yield EmberError(f"The column '{name}' stands {count} times.", where=where)
