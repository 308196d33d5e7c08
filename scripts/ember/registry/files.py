"""The study's table of files: which hash, address and origin each file has."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ember.errors import EmberError
from ember.registry.csv_table import Row, read_rows

COLUMNS = ("file", "sha256", "url", "source")


@dataclass(frozen=True)
class FileRow:
    """One file; `recorded` is true where EMBER itself wrote down the hash that it found, rather than was told it."""

    file: str
    sha256: str | None
    url: str | None
    source: str
    recorded: bool = False


def read_files_table(path: Path, shown: str, findings: list[EmberError]) -> dict[str, FileRow]:
    """Return the rows by file; what is wrong is added to `findings`."""
    if not path.is_file():
        findings.append(EmberError("The table of files does not exist.", where=shown))
        return {}
    rows = read_rows(path, shown, "the table of files", COLUMNS, ("recorded",), key="file", findings=findings)
    findings.extend(finding for line, row in rows for finding in _row_findings(row, f"{shown}:{line}"))
    return {
        row["file"]: FileRow(
            row["file"], row["sha256"] or None, row["url"] or None, row["source"], row.get("recorded") == "true"
        )
        for _, row in rows
    }


def _row_findings(row: Row, where: str) -> Iterator[EmberError]:
    if row["sha256"] and not re.fullmatch("[0-9a-f]{64}", row["sha256"]):
        yield EmberError("A sha256 has 64 characters of 0-9 and a-f, or is blank until it is recorded.", where=where)
    if (row.get("recorded") or "false") not in {"true", "false"}:
        yield EmberError("The column recorded holds true or false.", where=where)


def with_hashes(text: str, hashes: Mapping[str, str]) -> str:
    """Return the table of files with blank hashes filled and marked as recorded; a hash that stands is left alone.

    Parameters
    ----------
    text : str
        The CSV as it is.
    hashes : mapping
        SHA-256 by file. A file without a row gets one.
    """
    reader = csv.DictReader(io.StringIO(text))
    names = [*(reader.fieldnames or COLUMNS)]
    if "recorded" not in names:
        names.insert(names.index("source"), "recorded")
    rows = [{"recorded": "false", **row} for row in reader]
    for row in rows:
        if not row["sha256"] and row["file"] in hashes:
            row.update(sha256=hashes[row["file"]], recorded="true")
    listed = {row["file"] for row in rows}
    for file in [file for file in hashes if file not in listed]:
        rows.append({"file": file, "sha256": hashes[file], "url": "", "recorded": "true", "source": ""})
    written = io.StringIO()
    writer = csv.DictWriter(written, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return written.getvalue()
