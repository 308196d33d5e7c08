"""What a report is made of: plain blocks that the page and the PDF both render."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Text:
    """A paragraph; `style` is plain, note, caution or label."""

    text: str
    style: str = "plain"
    kind: str = "text"


@dataclass(frozen=True)
class Heading:
    """A heading within a section."""

    text: str
    kind: str = "heading"


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    items: list[str]
    kind: str = "bullets"


@dataclass(frozen=True)
class Definitions:
    """Terms and what they stand for."""

    items: list[tuple[str, str]]
    kind: str = "definitions"


@dataclass(frozen=True)
class Table:
    """A table of printed cells.

    Parameters
    ----------
    columns : list of str
        Headers, with units.
    numeric : list of bool
        True for right-aligned columns of numbers.
    headings : list of int
        Rows that only name the group below them.
    """

    id: str
    title: str
    columns: list[str]
    numeric: list[bool]
    rows: list[list[str]]
    notes: list[str] = field(default_factory=list)
    headings: list[int] = field(default_factory=list)
    folded: bool = False
    kind: str = "table"


@dataclass(frozen=True)
class Figure:
    """A drawing with a caption, a text alternative and the table behind it."""

    id: str
    title: str
    caption: str
    alternative: str
    svg: str
    width: float
    table: Table | None = None
    kind: str = "figure"


Block = Text | Heading | Bullets | Definitions | Table | Figure


@dataclass(frozen=True)
class Section:
    """A part of the report."""

    id: str
    title: str
    blocks: list[Block]


@dataclass(frozen=True)
class Number:
    """One of the four numbers of the first page."""

    value: str
    label: str
    detail: str = ""


@dataclass(frozen=True)
class FirstPage:
    """What a reader sees first."""

    question: str
    answer: str
    not_meant: str
    caution: str
    numbers: list[Number]
    figure: Figure | None
    banner: str = ""


@dataclass(frozen=True)
class Report:
    """A whole report, ready to render."""

    title: str
    study: str
    version: str
    status: str
    date_of_data: str
    first: FirstPage
    sections: list[Section]

    @property
    def figures(self) -> list[Figure]:
        inner = [block for section in self.sections for block in section.blocks if isinstance(block, Figure)]
        return ([self.first.figure] if self.first.figure else []) + inner

    @property
    def tables(self) -> list[Table]:
        inner = [block for section in self.sections for block in section.blocks if isinstance(block, Table)]
        return inner + [figure.table for figure in self.figures if figure.table is not None]


def table(
    id: str,
    title: str,
    columns: Sequence[tuple[str, bool]],
    rows: Sequence[Sequence[str]],
    notes: Sequence[str] = (),
    **options: Any,
) -> Table:
    """Return a table from (header, is a number) pairs; a row of one cell is a group's name."""
    width = len(columns)
    headings = [number for number, row in enumerate(rows) if len(row) == 1 and width > 1]
    return Table(
        id=id,
        title=title,
        columns=[label for label, _ in columns],
        numeric=[numeric for _, numeric in columns],
        rows=[[*row, *[""] * (width - len(row))] for row in rows],
        notes=list(notes),
        headings=headings,
        **options,
    )
