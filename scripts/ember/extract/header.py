"""The names of columns: what a header must be, and when it is none."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from ember.errors import EmberError
from ember.registry.model import Source

RESERVED = ("_site", "_row", "_file", "_sheet", "_participant")
MOST_COLUMNS = 100_000
# A number, a date or a time: what a cell looks like and a column name does not.
DATUM = re.compile(
    r"[<>=~]*\s*[-+]?[\d.,]*\d([eE][-+]?\d+)?\s*%?|\d{1,4}([-./]\d{1,2}){1,2}([-./]\d{2,4})?([ T].*)?|\d{1,2}:\d{2}.*"
)


def looks_like_data(names: Sequence[str]) -> bool:
    """Return whether numbers, dates or times stand among names that were taken for a header."""
    return any(DATUM.fullmatch(name.strip()) for name in names)


def column_names(cells: Sequence[str], source: Source) -> list[str]:
    """Return the header's names; a blank one becomes `(column 5)`, which tells its place.

    Raises
    ------
    EmberError
        The header is blank or too wide, a name stands twice, or a name is one of EMBER's own. Of a header that
        looks like a row of data only places are told, never a cell.
    """
    where = f"{source.shown_path}  header in row {source.header_row}" if source.header_row else source.shown_path
    if len(cells) > MOST_COLUMNS:
        raise too_many_columns(source, len(cells))
    if not any(cell.strip() for cell in cells):
        raise EmberError(
            "The header row is blank.", where=where, fix="Give the row of the column names as `header_row:`."
        )
    names = [cell if cell.strip() else f"(column {place})" for place, cell in enumerate(cells, start=1)]
    counts = Counter(names)
    if len(counts) < len(names):
        raise _repeated_names(names, counts, where)
    taken = [name for name in names if name in RESERVED]
    if taken:
        raise EmberError(f"EMBER itself uses the column name {', '.join(taken)}.", where=where, fix="Rename it.")
    return names


def too_many_columns(source: Source, width: int) -> EmberError:
    """Return what to say of a header that no table has."""
    return EmberError(
        f"The header has {width:,} cells; at most {MOST_COLUMNS:,} columns are read.",
        where=source.shown_path,
        fix="Check `delimiter:` and `format:`, or write a table with one row a measurement.",
    )


def _repeated_names(names: Sequence[str], counts: Mapping[str, int], where: str) -> EmberError:
    places = ", ".join(str(place) for place, name in enumerate(names, start=1) if counts[name] > 1)
    if looks_like_data(names):
        return EmberError(
            f"Cells of the header repeat (columns {places}), and it looks like a row of data.",
            where=where,
            fix="If the file has no column names, write `header_row: 0` and `names:` for the source in study.yaml.",
        )
    # Not the names themselves: in a file without a header they are a participant's cells.
    return EmberError(
        f"Column names stand more than once (columns {places}).",
        where=where,
        fix="Rename them in the extract, or give the row of the column names as `header_row:`.",
    )
