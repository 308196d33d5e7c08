"""Corrections of known errors of an extract: cells the provider vouches for, each guarded by what it replaces.

The file lies beside the extracts, because it holds participants' ids and values; only counts and ids of corrections
leave. Its columns are those of `COLUMNS`; `visit` is the text of the visit column and stays empty where the table has
none; `entry` may be left out: it tells several rows of one visit apart by the name of the test or the treatment.

Notes
-----
A step that reads a source in batches does, for each site and table that names a file of corrections,

    listed = read_corrections(corrections_path(study.data_folder, table.corrections, where), table.corrections)
    corrections = Corrections(listed, table.corrections, site.id, table, source.file, sheet)
    frame, corrected = corrections.apply(frame, owner == place)
    corrections.finish()

the first two before the batches, the third for each batch after its rows are claimed and before ids become pseudonyms,
the last after all batches and before anything is published. It joins `corrected` to the ledger, beside `row_ledger`:
a corrected cell is no row that left, so `row_accounts` must not see it. Rows are claimed by the cells as they came.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import polars as pl

from ember.errors import EmberError, nearest_name
from ember.registry.csv_table import is_day, is_id, read_rows
from ember.registry.model import TableMap
from ember.tables.store import empty_table
from ember.validate.ledger import entries

RULE = "value.corrected"
STAGE = "read_source"
REQUIRED = ("id", "participant", "visit", "column", "expect", "value", "reason", "provider", "date")
OPTIONAL = ("query", "entry")
COLUMNS = (*REQUIRED, *OPTIONAL)
NEVER_EMPTY = ("id", "participant", "column", "reason", "provider", "date")


@dataclass(frozen=True)
class Correction:
    """One line of a file of corrections; all texts without outer white space."""

    id: str
    participant: str
    visit: str
    column: str
    expect: str
    value: str
    reason: str
    provider: str
    date: str
    query: str = ""
    entry: str = ""
    line: int = 0


def corrections_path(folder: Path, name: str, where: str) -> Path:
    """Return the path of a file of corrections in the data folder.

    Raises
    ------
    EmberError
        The name leads out of the folder, also by a link, or there is no such file.
    """
    parts = PurePosixPath(name.replace("\\", "/"))
    path = folder / name
    if parts.is_absolute() or ".." in parts.parts or not path.resolve().is_relative_to(folder.resolve()):
        raise EmberError(
            "The file of corrections lies outside the data folder.",
            where=where,
            fix="It is participant data: keep it beside the extracts and give its name relative to their folder.",
        )
    if not path.is_file():
        raise EmberError(f"The file of corrections '{name}' does not exist.", where=where)
    return path


def read_corrections(path: Path, shown: str) -> list[Correction]:
    """Return the lines of a file of corrections.

    Parameters
    ----------
    shown : str
        The file's name for messages.

    Raises
    ------
    EmberError
        The file is not as it has to be: everything found, with line numbers and without a value.
    """
    findings: list[EmberError] = []
    rows = read_rows(path, shown, "a file of corrections", REQUIRED, OPTIONAL, key="id", findings=findings)
    read = [Correction(**row, line=line) for line, row in rows]
    findings.extend(finding for correction in read for finding in _line_findings(correction, shown))
    findings.extend(_repeats(read, shown))
    _raise_all(findings)
    return read


@dataclass
class Corrections:
    """The corrections of one table of one site, applied batch by batch.

    Parameters
    ----------
    listed : sequence of Correction
        As from `read_corrections`.
    shown : str
        The file's name for messages.
    file, sheet : str
        What the ledger says of where the cells stand.
    """

    listed: Sequence[Correction]
    shown: str
    site: str
    table: TableMap
    file: str
    sheet: str | None = None
    _rows: Counter[int] = field(default_factory=Counter)
    _changed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        _raise_all(list(self._misplaced()))

    def apply(self, frame: pl.DataFrame, own: pl.Series | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return a batch with its cells corrected, and the ledger of what was.

        Parameters
        ----------
        frame : DataFrame
            `_row` and the columns of the file as text.
        own : Series of bool, optional
            Rows of the site; null counts as false. None means all.

        Raises
        ------
        EmberError
            The source lacks the column of a correction. What else does not fit is told by `finish`.
        """
        self._refuse_absent(frame)
        edits: dict[str, dict[int, str]] = {}
        parts = [empty_table("ledger")]
        for at, row_number, correction, cell in self._met(frame, own):
            self._rows[correction.line] += 1
            if (cell or "").strip() != correction.expect:
                self._changed.add(correction.line)
                continue
            edits.setdefault(correction.column, {})[at] = correction.value
            parts.append(self._entry(correction, row_number))
        changed = [
            pl.int_range(pl.len())
            .replace_strict(list(cells), list(cells.values()), default=pl.col(column), return_dtype=pl.String)
            .alias(column)
            for column, cells in edits.items()
        ]
        return frame.with_columns(changed), pl.concat(parts)

    def finish(self) -> None:
        """Hold every correction against what was met.

        Raises
        ------
        EmberError
            A correction met no row, more than one, or a cell that is no longer as expected.
        """
        unfit = [self._unfit(correction, what) for correction in self.listed if (what := self._misfit(correction))]
        _raise_all(unfit)

    def _misfit(self, correction: Correction) -> str:
        rows = self._rows[correction.line]
        if rows == 0:
            return "no row of the site has its participant and visit"
        if rows > 1:
            return f"{rows} rows have its participant and visit; `entry` can tell tests and treatments apart"
        if correction.line in self._changed:
            return "the cell is no longer what it expects; if the source was fixed, take the correction out"
        return ""

    def _unfit(self, correction: Correction, what: str) -> EmberError:
        return EmberError(f"Correction {correction.id} does not fit: {what}.", where=f"{self.shown}:{correction.line}")

    def _misplaced(self) -> Iterator[EmberError]:
        """Yield the corrections that this table cannot have."""
        visit, entry = visit_column(self.table), entry_column(self.table)
        for correction in self.listed:
            if bool(correction.visit) != (visit is not None):
                told = "it needs the text of the visit column" if visit else "the table has no visit column"
                yield self._unfit(correction, told)
            if correction.entry and entry is None:
                yield self._unfit(correction, "the table has no column of tests or treatments for `entry`")
            if self.table.rows and correction.column == self.table.rows.column:
                yield self._unfit(correction, "its column tells whose the row is, which is not corrected")

    def _refuse_absent(self, frame: pl.DataFrame) -> None:
        names = [name for name in frame.columns if name != "_row"]
        absent = [correction for correction in self.listed if correction.column not in names]
        _raise_all(
            [
                EmberError(
                    f"Correction {correction.id} names a column that the source does not have.",
                    where=f"{self.shown}:{correction.line}",
                    nearest=nearest_name(correction.column, names),
                )
                for correction in absent
            ]
        )

    def _met(self, frame: pl.DataFrame, own: pl.Series | None) -> Iterator[tuple[int, int, Correction, str | None]]:
        """Yield position, row number, correction and cell of each row that a correction names."""
        by_participant: dict[str, list[Correction]] = {}
        for correction in self.listed:
            by_participant.setdefault(correction.participant, []).append(correction)
        ids = frame[self.table.participant].str.strip_chars()
        named = ids.is_in(list(by_participant)).fill_null(False)
        if own is not None:
            named = named & own.fill_null(False)
        for row in frame.with_row_index("_at").filter(named).iter_rows(named=True):
            for correction in by_participant[row[self.table.participant].strip()]:
                if self._names(correction, row):
                    yield row["_at"], row["_row"], correction, row[correction.column]

    def _names(self, correction: Correction, row: Mapping[str, str | None]) -> bool:
        visit, entry = visit_column(self.table), entry_column(self.table)
        if visit and (row[visit] or "").strip() != correction.visit:
            return False
        return not (correction.entry and entry) or (row[entry] or "").strip() == correction.entry

    def _entry(self, correction: Correction, row_number: int) -> pl.DataFrame:
        place = {"source_file": self.file, "sheet": self.sheet, "row_number": row_number, "column": correction.column}
        where = pl.DataFrame([place], schema={name: _LEDGER[name] for name in place})
        message = f"Correction {correction.id}."
        return entries(where, RULE, site=self.site, stage=STAGE, message=message, reason=correction.reason)


_LEDGER = {"source_file": pl.String, "sheet": pl.String, "row_number": pl.Int64, "column": pl.String}


def visit_column(table: TableMap) -> str | None:
    """Return the column whose text tells the visit of a row, None where a row is not of one visit."""
    told = table.visits.long or table.visits.by_date or table.visits.by_day
    return told.column if told else None


def entry_column(table: TableMap) -> str | None:
    """Return the column that tells several rows of one visit apart."""
    if table.laboratory:
        return table.laboratory.analyte.column
    return table.treatments.name if table.treatments and not table.visits.wide else None


def _raise_all(findings: Sequence[EmberError]) -> None:
    if findings:
        raise EmberError("\n".join(str(finding) for finding in findings))


def _line_findings(correction: Correction, shown: str) -> Iterator[EmberError]:
    where = f"{shown}:{correction.line}"
    blank = [name for name in NEVER_EMPTY if not getattr(correction, name)]
    if blank:
        yield EmberError(f"A correction needs its {' and '.join(blank)}.", where=where)
    if correction.id and not is_id(correction.id):
        yield EmberError("The id is not a letter and then letters, digits, _ . or -.", where=where)
    if correction.date and not is_day(correction.date):
        yield EmberError("The date is not of the form 2025-06-30.", where=where)
    if correction.expect == correction.value:
        yield EmberError("The correction changes nothing: `expect` and `value` are the same.", where=where)


def _repeats(read: Sequence[Correction], shown: str) -> Iterator[EmberError]:
    cells: dict[tuple[str, ...], int] = {}
    for correction in read:
        where = f"{shown}:{correction.line}"
        cell = (correction.participant, correction.visit, correction.entry, correction.column)
        if all((correction.participant, correction.column)) and cell in cells:
            yield EmberError(f"Line {cells[cell]} corrects the same cell.", where=where)
        cells.setdefault(cell, correction.line)
