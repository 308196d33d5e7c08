"""A file in the making: cells as text, and beside them the ledger lines that its faults must give."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from ember.validate.ledger import rules

READ, STANDARDISE, HARMONISE = "read_source", "standardise_site", "harmonise_site"

LEDGER_COLUMNS = ("site", "stage", "source_file", "sheet", "row_number", "column", "rule_id", "action")


@dataclass(frozen=True)
class Line:
    """One line that the ledger must hold."""

    site: str
    stage: str
    source_file: str
    sheet: str
    row_number: int
    column: str
    rule_id: str

    def cells(self) -> tuple[str | int, ...]:
        """Return the line in the order of `LEDGER_COLUMNS`."""
        action = rules()[self.rule_id].action
        return (
            self.site,
            self.stage,
            self.source_file,
            self.sheet,
            self.row_number,
            self.column,
            self.rule_id,
            action,
        )


@dataclass(frozen=True)
class Extract:
    """One table of one file as it will be written; every cell is text, an empty cell is "".

    Parameters
    ----------
    first_row : int
        Number of the first data row as a person counts.
    numeric : frozenset of str
        Columns written as numbers where the format knows them.
    dates : frozenset of str
        Columns written as dates where the format knows them.
    """

    site: str
    path: str
    sheet: str
    first_row: int
    cells: pl.DataFrame
    numeric: frozenset[str] = frozenset()
    dates: frozenset[str] = frozenset()


@dataclass
class Draft:
    """Mutable cells of one table; `spoilt` remembers cells that already have their line in the ledger.

    `visit_columns` names, by visit, the columns whose cells a refused visit takes along.
    """

    site: str
    path: str
    sheet: str
    first_row: int
    columns: dict[str, list[str]]
    visit_columns: Mapping[str, Sequence[str]]
    lines: list[Line] = field(default_factory=list)
    spoilt: set[tuple[int, str]] = field(default_factory=set)

    @property
    def height(self) -> int:
        return len(next(iter(self.columns.values())))

    def cell(self, row: int, column: str) -> str:
        return self.columns[column][row]

    def expect(self, row: int, column: str, stage: str, rule_id: str) -> None:
        """Note that the ledger must name a cell (or, with column "", the row)."""
        self.lines.append(Line(self.site, stage, self.path, self.sheet, row + self.first_row, column, rule_id))
        self.spoilt.add((row, column))

    def spoil(self, row: int, column: str, text: str, stage: str, rule_id: str) -> None:
        """Put a faulty text into a cell."""
        self.columns[column][row] = text
        self.expect(row, column, stage, rule_id)

    def spoil_answer(self, row: int, column: str, text: str, stage: str, rule_id: str) -> None:
        """Put a faulty answer into an item; its questionnaire cannot be scored, which has a line of its own."""
        self.spoil(row, column, text, stage, rule_id)
        self.expect(row, "", HARMONISE, "score.incomplete")

    def repeat_row(self, row: int) -> None:
        """Append an exact copy of a row at the end of the file."""
        for cells in self.columns.values():
            cells.append(cells[row])
        last = self.height - 1
        self.expect(last, "", STANDARDISE, "row.duplicate_exact")
        self.spoilt.update((last, column) for column in self.columns)

    def refuse_visit(self, row: int, visit: str, date_column: str, text: str, rule_id: str) -> None:
        """Give a visit a date that cannot stand: all its cells that hold something leave under the same rule."""
        self.columns[date_column][row] = text
        for column in self.visit_columns[visit]:
            if self.columns[column][row]:
                self.expect(row, column, STANDARDISE, rule_id)

    def extract(self, numeric: Iterable[str] = (), dates: Iterable[str] = ()) -> Extract:
        """Return the finished table."""
        frame = pl.DataFrame(self.columns, schema=dict.fromkeys(self.columns, pl.String()))
        return Extract(self.site, self.path, self.sheet, self.first_row, frame, frozenset(numeric), frozenset(dates))


def note_laboratory_lines(
    draft: Draft,
    row: int,
    column: str,
    text: str,
    canonical: float | None,
    acute_above: float | None,
    below: bool | None = None,
) -> None:
    """Note the lines of an intact laboratory cell: below its limit, above its range, possibly acute.

    Parameters
    ----------
    text : str
        The cell; its sign says whether it is censored unless `below` does.
    canonical : float or None
        Number in the canonical unit; None for an empty cell.
    acute_above : float or None
        Acute threshold of the analyte, if it has one.
    """
    if canonical is None or (row, column) in draft.spoilt:
        return
    if text.startswith("<") or below:
        draft.expect(row, column, HARMONISE, "value.below_limit")
        return
    above = text.startswith(">")
    if above:
        draft.expect(row, column, HARMONISE, "value.above_limit")
    if acute_above is not None and (canonical > acute_above or (above and canonical >= acute_above)):
        draft.expect(row, column, HARMONISE, "value.acute")
