"""Study days: each visit of each participant is placed in study time or refused under one rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.registry.model import TableMap, Visit

# Position 0 means that the visit is placed.
REFUSALS = (
    None,
    "visit.no_date",
    "visit.date_unreadable",
    "visit.no_time_zero",
    "visit.before_enrolment",
    "visit.date_order",
)
NO_DATE, UNREADABLE, NO_TIME_ZERO, BEFORE_ENROLMENT, DATE_ORDER = range(1, len(REFUSALS))


@dataclass(frozen=True)
class Calendar:
    """Study day and refusal by table, participant and visit (arrays of that shape).

    Attributes
    ----------
    day : int32 array
        Days from time zero; the planned day where the site dates no such visit. Meaningless where refused.
    refusal : int8 array
        Position in REFUSALS.
    """

    day: NDArray[np.int32]
    refusal: NDArray[np.int8]

    def placed(self, cells: pl.DataFrame, table: NDArray[np.int16]) -> pl.DataFrame:
        """Return the cells with `study_day` and `refusal` (rule id or null) of their visit.

        Parameters
        ----------
        cells : DataFrame
            `person` and `visit` as positions.
        table : int16 array
            Position of each cell's table in the site.
        """
        where = (table, cells["person"].to_numpy(), cells["visit"].to_numpy())
        return cells.with_columns(
            pl.Series("study_day", self.day[where], pl.Int32),
            pl.Series("refusal", REFUSALS, pl.String).gather(pl.Series(self.refusal[where], dtype=pl.UInt32)),
        )


def visits_of(table: TableMap, visits: tuple[Visit, ...]) -> list[int]:
    """Return the positions of the visits that a table can hold."""
    codes = table.visits.long.codes if table.visits.long else table.visits.wide
    named = {*codes.values(), table.visits.single}
    return [index for index, visit in enumerate(visits) if visit.id in named]


def make_calendar(
    tables: tuple[TableMap, ...],
    visits: tuple[Visit, ...],
    dates: Sequence[pl.DataFrame | None],
    zero: pl.DataFrame,
    n_participants: int,
) -> Calendar:
    """Place every visit.

    Parameters
    ----------
    dates : sequence of DataFrame or None
        Settled date cells of each table (`person`, `visit`, `day` since 1970, `rule`, `repeat`), None for a table
        without dates.
    zero : DataFrame
        `person` and `day` of time zero, one row a participant who has one.

    Notes
    -----
    A table without dates takes the study day of a visit from the first table of the site that dates that visit,
    and the planned day where none does.
    """
    shape = (len(tables), n_participants, len(visits))
    planned = np.array([visit.day for visit in visits], dtype=np.int32)
    day = np.broadcast_to(planned, shape).copy()
    refusal = np.zeros(shape, dtype=np.int8)
    dated: dict[int, int] = {}
    for index, (table, cells) in enumerate(zip(tables, dates, strict=True)):
        if cells is not None:
            covered = visits_of(table, visits)
            placed_day, placed_refusal = _place(cells, zero, visits, n_participants)
            day[index][:, covered] = placed_day[:, covered]
            refusal[index][:, covered] = placed_refusal[:, covered]
            dated = {**dict.fromkeys(covered, index), **dated}
    for index, cells in enumerate(dates):
        for visit, other in dated.items():
            if cells is None:
                day[index][:, visit] = day[other][:, visit]
                refusal[index][:, visit] = refusal[other][:, visit]
    return Calendar(day, refusal)


def _place(
    cells: pl.DataFrame, zero: pl.DataFrame, visits: tuple[Visit, ...], n_participants: int
) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
    """Return study day and refusal by participant and visit for a table with dates."""
    shape = (n_participants, len(visits))
    day = np.zeros(shape, dtype=np.int32)
    refusal = np.full(shape, NO_DATE, dtype=np.int8)
    unreadable = cells.filter(pl.col("rule") == "visit.date_unreadable")
    refusal[unreadable["person"].to_numpy(), unreadable["visit"].to_numpy()] = UNREADABLE
    read = cells.filter(pl.col("rule").is_null() & ~pl.col("repeat"))
    day[read["person"].to_numpy(), read["visit"].to_numpy()] = read["day"].to_numpy()
    refusal[read["person"].to_numpy(), read["visit"].to_numpy()] = 0
    start = np.zeros(n_participants, dtype=np.int32)
    started = np.zeros(n_participants, dtype=bool)
    start[zero["person"].to_numpy()] = zero["day"].to_numpy()
    started[zero["person"].to_numpy()] = True
    day -= start[:, None]
    refusal[(refusal == 0) & ~started[:, None]] = NO_TIME_ZERO
    planned = np.array([visit.day for visit in visits])
    earliest = min(visit.first for visit in visits)
    early = (day < earliest) | ((planned > 0) & (day < 0))
    refusal[(refusal == 0) & early] = BEFORE_ENROLMENT
    _refuse_disorder(day, refusal, planned)
    return day, refusal


def _refuse_disorder(day: NDArray[np.int32], refusal: NDArray[np.int8], planned: NDArray[np.int_]) -> None:
    """Refuse each visit dated before an accepted visit with an earlier planned day; changes `refusal`."""
    latest = np.full(len(day), np.iinfo(np.int32).min, dtype=np.int32)
    for moment in np.unique(planned):
        now = np.flatnonzero(planned == moment)
        late = (refusal[:, now] == 0) & (day[:, now] < latest[:, None])
        refusal[:, now] = np.where(late, DATE_ORDER, refusal[:, now])
        accepted = np.where(refusal[:, now] == 0, day[:, now], np.iinfo(np.int32).min)
        latest = np.maximum(latest, accepted.max(axis=1))


def outside_window(cells: pl.DataFrame, visits: tuple[Visit, ...]) -> pl.DataFrame:
    """Return the placed date cells whose study day lies outside the window of the visit."""
    first = pl.Series([visit.first for visit in visits])
    last = pl.Series([visit.last for visit in visits])
    at = cells["visit"].cast(pl.UInt32)
    day = cells["study_day"]
    return cells.filter((day < first.gather(at)) | (day > last.gather(at)))
