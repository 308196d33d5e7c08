"""On which physical line each record of delimited text starts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os import SEEK_END

import numpy as np
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]

from ember.errors import EmberError
from ember.extract.quotes import QuoteGrammar
from ember.extract.table import REJECTED_SCHEMA
from ember.extract.text_file import bounded_lines, open_text
from ember.registry.model import Source

LINE_BREAK = r"\r\n|\r|\n"


@dataclass(frozen=True)
class OddRow:
    """A record of another width than the header's: its line breaks, and its cells where it is kept nevertheless."""

    breaks: int
    cells: list[str] | None


def line_breaks(text: str) -> int:
    """Return the number of line breaks, of any kind."""
    return text.count("\n") + text.count("\r") - text.count("\r\n")


class RowNumbers:
    """Numbers records over batches.

    Parameters
    ----------
    header_lines : int
        Physical lines above the first record.
    odd : dict
        Records of another width by their place among all records, filled by the parser ahead of each batch;
        emptied as they are numbered.
    """

    def __init__(self, source: Source, header_lines: int, odd: dict[int, OddRow]) -> None:
        self._record = 0
        self._line = header_lines + 1
        self._odd = odd
        self._source = source
        self._long = LongRecords(source)
        self._last_breaks = 0

    def number(self, piece: pa.Table) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the rows of a piece with `_row`, and the rejected rows among them.

        Raises
        ------
        EmberError
            A quote is open where a record of several lines ends.
        """
        odd = np.array(sorted(self._odd), dtype=np.int64) - self._record
        places = np.delete(np.arange(piece.num_rows + odd.size), odd[odd < piece.num_rows + odd.size])[: piece.num_rows]
        breaks = _breaks_inside(piece)
        # Arrow makes the views of text that polars keeps in half the time polars takes.
        views = piece.cast(pa.schema([(name, pa.string_view()) for name in piece.column_names]))
        frame = pl.DataFrame(pl.from_arrow(views, rechunk=False))
        aside = odd[odd <= places[-1]] if places.size else odd[:0]
        return self._numbered(frame, places, breaks, aside, every=not _says(piece, b"odd_quotes", b"False"))

    def rest(self, names: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return what `number` returns of the records after the last piece, all of which are odd."""
        odd = np.array(sorted(self._odd), dtype=np.int64) - self._record
        nothing = np.zeros(0, dtype=np.int64)
        return self._numbered(pl.DataFrame(schema=dict.fromkeys(names, pl.String())), nothing, nothing, odd)

    def check_end(self) -> None:
        """Refuse a file that is cut off inside a quoted cell: the parser takes what is left of it for the cell.

        Raises
        ------
        EmberError
            The last record is one line without a line end, and a quote is open in it.
        """
        if self._last_breaks == 0 and self._record and not ends_with_line_break(self._source):
            last = self._line - 1
            self._long.check(np.array([last]), np.array([0]), np.array([0]))

    def _numbered(
        self, frame: pl.DataFrame, places: np.ndarray, breaks: np.ndarray, odd: np.ndarray, *, every: bool = False
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        count = places.size + odd.size
        aside = [self._odd.pop(place) for place in (odd + self._record).tolist()]
        all_breaks = np.zeros(count, dtype=np.int64)
        all_breaks[places] = breaks
        all_breaks[odd] = [row.breaks for row in aside]
        starts = self._line + np.arange(count)
        starts[1:] += np.cumsum(all_breaks)[:-1]
        self._long.check(starts, all_breaks, np.arange(count) if every else np.union1d(np.flatnonzero(all_breaks), odd))
        self._record += count
        self._line += count + int(all_breaks.sum())
        if count:
            self._last_breaks = int(all_breaks[-1])
        numbered = frame.with_columns(pl.Series("_row", starts[places], dtype=pl.Int64))
        kept = np.array([row.cells is not None for row in aside], dtype=bool)
        if kept.any():
            cells = [row.cells for row in aside if row.cells is not None]
            extra = pl.DataFrame(cells, schema=dict.fromkeys(frame.columns, pl.String()), orient="row")
            extra = extra.with_columns(pl.Series("_row", starts[odd[kept]], dtype=pl.Int64))
            numbered = pl.concat([numbered, extra]).sort("_row")
        wrong = starts[odd[~kept]]
        rules = ["row.wrong_width"] * wrong.size
        return numbered, pl.DataFrame({"row_number": wrong, "rule_id": rules}, schema=REJECTED_SCHEMA)


def _says(piece: pa.Table, key: bytes, value: bytes) -> bool:
    return bool((piece.schema.metadata or {}).get(key) == value)


class LongRecords:
    """Holds records against the strict grammar of quotes, in one pass over the file.

    Those of several lines or of another width, since a quote that is not closed swallows rows; and all of a file with
    quotes inside cells, since the parser makes cd of "c"d without a word.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._grammar = QuoteGrammar(source.delimiter)
        self._lines: Iterator[str] | None = None
        self._number = 0

    def check(self, starts: np.ndarray, breaks: np.ndarray, places: np.ndarray) -> None:
        """Raise EmberError if a record at one of the places is not one by the grammar, or ends elsewhere."""
        if places.size and self._lines is None:
            self._lines = self._all_lines()
        for first, last in zip(starts[places].tolist(), (starts + breaks)[places].tolist(), strict=True):
            if not self._is_record(first, last):
                raise open_quote(self._source, first)

    def _is_record(self, first: int, last: int) -> bool:
        within: bool | None = False
        while self._number < last:
            line = next(self._lines, None) if self._lines else None
            if line is None:
                return False
            self._number += 1
            if self._number >= first:
                within = self._grammar.after(line, bool(within))
                if within is not (self._number < last):
                    return False
        return within is False

    def _all_lines(self) -> Iterator[str]:
        with open_text(self._source) as content:
            yield from bounded_lines(content, self._source)


def ends_with_line_break(source: Source) -> bool:
    """Return whether the last character of the file ends a line."""
    with source.path.open("rb") as content:
        content.seek(-min(4, source.path.stat().st_size), SEEK_END)
        end = content.read()
    return end.rstrip(b"\0")[-1:] in (b"\n", b"\r")


def open_quote(source: Source, line: int) -> EmberError:
    """Return what to say of a quote that swallows what follows."""
    return EmberError(
        "A quote that opens in the row of this line is not closed where its cell ends.",
        where=f"{source.shown_path}:{line}",
        fix='Write a quote inside a quoted cell twice (""), or export the file again.',
    )


def _breaks_inside(piece: pa.Table) -> np.ndarray:
    """Return the number of line breaks in the cells of each row."""
    counts = np.zeros(piece.num_rows, dtype=np.int64)
    if _says(piece, b"quoted", b"False"):
        return counts
    for column in piece.columns:
        if _holds_break(column):
            counts += pl.Series(pl.from_arrow(column)).str.count_matches(LINE_BREAK).to_numpy()
    return counts


def _holds_break(column: pa.ChunkedArray) -> bool:
    for chunk in column.chunks:
        characters = chunk.buffers()[2]
        text = characters.to_pybytes() if characters is not None else b""
        if b"\n" in text or b"\r" in text:
            return True
    return False
