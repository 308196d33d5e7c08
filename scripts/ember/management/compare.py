"""Two extracts of one source: what came, what went, what changed. Keys and counts; never a value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

NTH = "_nth"
CHANGES = {
    "participant": pl.String(),
    "visit": pl.String(),
    "column": pl.String(),
    "row_before": pl.Int64(),
    "row_now": pl.Int64(),
}


@dataclass(frozen=True)
class Comparison:
    """What differs between an extract and the one that it supersedes.

    Attributes
    ----------
    rows_before, rows_now : int
        Rows of each extract.
    added, removed : DataFrame
        `participant`, `visit` and the row number (`row_now`, `row_before`) of rows whose key is in one extract only.
    changed : DataFrame
        One row a changed cell: `participant`, `visit`, `column`, `row_before`, `row_now`.
    columns_added, columns_removed : tuple of str
    vanished : tuple of str
        Pseudonyms of participants of whom nothing is left.
    arrived : int
        Participants of whom nothing was there.
    """

    rows_before: int
    rows_now: int
    added: pl.DataFrame
    removed: pl.DataFrame
    changed: pl.DataFrame
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    vanished: tuple[str, ...]
    arrived: int


def compare(before: pl.DataFrame, now: pl.DataFrame, key: Sequence[str]) -> Comparison:
    """Return what differs.

    Parameters
    ----------
    before, now : DataFrame
        `_row`, `_participant`, `_visit` (null where the row tells none) and the columns as text.
    key : sequence of str
        Columns that tell the rows of a participant apart beside the visit: the test name, the date.

    Notes
    -----
    Rows of one key are compared in their order: the first with the first, the second with the second. Blanks around
    a text are no change.
    """
    names = ["_participant", "_visit", *key]
    columns = [name for name in now.columns if name in before.columns and not name.startswith("_") and name not in key]
    left, right = _numbered(before, names), _numbered(now, names)
    both = left.join(
        right, on=[*names, NTH], how="full", suffix="_now", coalesce=True, nulls_equal=True, maintain_order="right_left"
    )
    gone, new = pl.col("_row_now").is_null(), pl.col("_row").is_null()
    shared = both.filter(~gone & ~new)
    people_before, people_now = before["_participant"].drop_nulls(), now["_participant"].drop_nulls()
    left_over = people_before.unique(maintain_order=True)
    return Comparison(
        rows_before=before.height,
        rows_now=now.height,
        added=both.filter(new).select(participant="_participant", visit="_visit", row_now="_row_now"),
        removed=both.filter(gone).select(participant="_participant", visit="_visit", row_before="_row"),
        changed=_changed(shared, columns),
        columns_added=tuple(name for name in now.columns if name not in before.columns),
        columns_removed=tuple(name for name in before.columns if name not in now.columns),
        vanished=tuple(left_over.filter(~left_over.is_in(people_now.implode()))),
        arrived=people_now.filter(~people_now.is_in(people_before.implode())).n_unique(),
    )


def _numbered(frame: pl.DataFrame, names: Sequence[str]) -> pl.DataFrame:
    return frame.with_columns(pl.int_range(pl.len()).over(list(names)).alias(NTH))


def _changed(shared: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    parts = [
        shared.filter(_stripped(name) != _stripped(f"{name}_now")).select(
            participant="_participant",
            visit="_visit",
            column=pl.lit(name),
            row_before="_row",
            row_now="_row_now",
        )
        for name in columns
    ]
    return pl.concat([pl.DataFrame(schema=CHANGES), *parts])


def _stripped(name: str) -> pl.Expr:
    return pl.col(name).str.strip_chars().fill_null("")


def locked_changes(found: Comparison, locked: Sequence[str], visit_of_column: Mapping[str, str]) -> pl.DataFrame:
    """Return the changed cells and removed rows of locked visits, by visit and column with their number.

    Parameters
    ----------
    visit_of_column : mapping
        In a wide file: the visit that a column's name tells.

    Returns
    -------
    DataFrame
        visit, column (null for whole rows), n.
    """
    cells = found.changed.with_columns(
        pl.coalesce(
            "visit", pl.col("column").replace_strict(dict(visit_of_column), default=None, return_dtype=pl.String)
        )
    )
    rows = found.removed.select("visit", pl.lit(None, pl.String).alias("column"))
    whole = pl.concat([cells.select("visit", "column"), rows]).filter(pl.col("visit").is_in(list(locked)))
    return whole.group_by("visit", "column", maintain_order=True).agg(pl.len().cast(pl.Int64).alias("n"))
