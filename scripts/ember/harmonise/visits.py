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
    "visit.after_withdrawal",
    "visit.after_death",
)
NO_DATE, UNREADABLE, NO_TIME_ZERO, BEFORE_ENROLMENT, DATE_ORDER, AFTER_WITHDRAWAL, AFTER_DEATH = range(1, len(REFUSALS))
NEVER = np.iinfo(np.int32).max
EVER = np.iinfo(np.int32).min
BY_VISIT = np.iinfo(np.int32).min
"""In place of a study day: the row's day is that of its visit."""


@dataclass(frozen=True)
class Ends:
    """Last study day whose data may be used, by participant (int32 arrays; `NEVER` where there is no such day)."""

    withdrawal: NDArray[np.int32]
    death: NDArray[np.int32]

    @classmethod
    def none(cls, n_participants: int) -> Ends:
        never = np.full(n_participants, NEVER, dtype=np.int32)
        return cls(never, never)

    @classmethod
    def of(
        cls, roster: pl.DataFrame, zero: pl.DataFrame, death: pl.DataFrame | None, withdrawn: pl.DataFrame | None
    ) -> Ends:
        """Return the ends of the participants of a roster.

        Parameters
        ----------
        roster : DataFrame
            `_person` and `_participant`.
        zero : DataFrame
            `person` and `day` of time zero (since 1970).
        death : DataFrame or None
            `person` and `death_day`, the study day.
        withdrawn : DataFrame or None
            `participant_id` and `withdrawn_on` (days since 1970) of those whose data up to that day may be used.

        Notes
        -----
        Where a day of withdrawal has no time zero to count from, it is not known what came before it: nothing is used.
        """
        last = cls.none(roster.height)
        if death is not None:
            days = last.death.copy()
            days[death["person"].to_numpy()] = death["death_day"].to_numpy()
            last = cls(last.withdrawal, days)
        if withdrawn is None:
            return last
        known = withdrawn.join(roster, left_on="participant_id", right_on="_participant", how="inner")
        known = known.join(zero, left_on="_person", right_on="person", how="left")
        days = last.withdrawal.copy()
        until = (known["withdrawn_on"] - known["day"]).fill_null(EVER).cast(pl.Int32)
        days[known["_person"].to_numpy()] = until.to_numpy()
        return cls(days, last.death)

    def refuse(self, day: NDArray[np.int32], refusal: NDArray[np.int8], person: NDArray[np.intp]) -> None:
        """Refuse what lies after the end and has no other refusal; changes `refusal`."""
        for last, reason in ((self.withdrawal, AFTER_WITHDRAWAL), (self.death, AFTER_DEATH)):
            refusal[(refusal == 0) & (day > last[person])] = reason


@dataclass(frozen=True)
class RowDays:
    """Study day of rows whose day tells their visit, by `at`; `BY_VISIT` for every other row."""

    day: NDArray[np.int32]
    person: NDArray[np.intp]
    visit: NDArray[np.intp]

    @classmethod
    def of(cls, rows: pl.DataFrame) -> RowDays | None:
        """Return the days of kept rows (`_person`, `_visit`, `_day` by `at`); None where no row has one of its own."""
        if rows["_day"].null_count() == rows.height:
            return None
        day = rows["_day"].fill_null(BY_VISIT).to_numpy()
        visit = rows["_visit"].fill_null(0).cast(pl.Int64).to_numpy()
        return cls(day, rows["_person"].cast(pl.Int64).to_numpy(), visit)


@dataclass(frozen=True)
class Calendar:
    """Study day and refusal by table, participant and visit (arrays of that shape).

    Attributes
    ----------
    day : int32 array
        Days from time zero; the planned day where the site dates no such visit. Meaningless where refused.
    refusal : int8 array
        Position in REFUSALS.
    dated : bool array of (table, visit)
        Whether the day is that of a date; a planned day otherwise.
    row_day, row_refusal : array or None
        The same by row, where a row has its own day (`BY_VISIT` where it has none); None where no row has one.
    """

    day: NDArray[np.int32]
    refusal: NDArray[np.int8]
    dated: NDArray[np.bool_]
    row_day: NDArray[np.int32] | None = None
    row_refusal: NDArray[np.int8] | None = None

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
        day, refusal = self.day[where], self.refusal[where]
        if self.row_day is not None and self.row_refusal is not None:
            at = cells["at"].to_numpy()
            own = self.row_day[at] != BY_VISIT
            day, refusal = np.where(own, self.row_day[at], day), np.where(own, self.row_refusal[at], refusal)
        return cells.with_columns(
            pl.Series("study_day", day, pl.Int32),
            pl.Series("refusal", REFUSALS, pl.String).gather(pl.Series(refusal, dtype=pl.UInt32)),
        )

    def dates(self, cells: pl.DataFrame, table: NDArray[np.int16]) -> NDArray[np.bool_]:
        """Return which placed cells have a study day that is that of a date."""
        told = np.asarray(self.dated[table, cells["visit"].to_numpy()])
        return told if self.row_day is None else told | (self.row_day[cells["at"].to_numpy()] != BY_VISIT)


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
    ends: Ends | None = None,
    rows: RowDays | None = None,
) -> Calendar:
    """Place every visit.

    Parameters
    ----------
    dates : sequence of DataFrame or None
        Settled date cells of each table (`person`, `visit`, `day` since 1970, `rule`, `repeat`), None for a table
        without dates.
    zero : DataFrame
        `person` and `day` of time zero, one row a participant who has one.
    ends : Ends, optional
        Days of withdrawal and death.
    rows : RowDays, optional
        Rows whose day tells their visit.

    Notes
    -----
    A table without dates takes the study day of a visit from the first table of the site that dates that visit,
    and the planned day where none does: a visit that is planned after death is not taken to have been earlier.
    """
    ends = ends or Ends.none(n_participants)
    shape = (len(tables), n_participants, len(visits))
    planned = np.array([visit.day for visit in visits], dtype=np.int32)
    day = np.broadcast_to(planned, shape).copy()
    refusal = np.zeros(shape, dtype=np.int8)
    dated: dict[int, int] = {}
    known = np.zeros((len(tables), len(visits)), dtype=np.bool_)
    for index, (table, cells) in enumerate(zip(tables, dates, strict=True)):
        if cells is not None:
            covered = visits_of(table, visits)
            placed_day, placed_refusal = _place(cells, zero, visits, n_participants, ends)
            day[index][:, covered] = placed_day[:, covered]
            refusal[index][:, covered] = placed_refusal[:, covered]
            known[index, covered] = True
            dated = {**dict.fromkeys(covered, index), **dated}
    for index, cells in enumerate(dates):
        for visit, other in dated.items():
            if cells is None:
                day[index][:, visit] = day[other][:, visit]
                refusal[index][:, visit] = refusal[other][:, visit]
                known[index, visit] = True
        person = np.broadcast_to(np.arange(n_participants)[:, None], shape[1:])
        ends.refuse(day[index], refusal[index], person)
    if rows is None:
        return Calendar(day, refusal, known)
    return Calendar(day, refusal, known, rows.day, _row_refusals(rows, visits, ends))


def _row_refusals(rows: RowDays, visits: tuple[Visit, ...], ends: Ends) -> NDArray[np.int8]:
    """Return the refusal of each row that has its own day; its window gave it the visit, so it is in order."""
    refusal = np.zeros(len(rows.day), dtype=np.int8)
    planned = np.array([visit.day for visit in visits])[rows.visit]
    refusal[(planned > 0) & (rows.day < 0)] = BEFORE_ENROLMENT
    ends.refuse(rows.day, refusal, rows.person)
    return refusal


def _place(
    cells: pl.DataFrame, zero: pl.DataFrame, visits: tuple[Visit, ...], n_participants: int, ends: Ends
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
    ends.refuse(day, refusal, np.broadcast_to(np.arange(n_participants)[:, None], shape))
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


def further_samples(cells: pl.DataFrame, visits: tuple[Visit, ...], own_day: NDArray[np.bool_]) -> pl.DataFrame:
    """Return measurement cells with `value.further_sample` on all samples of a visit but one.

    Parameters
    ----------
    cells : DataFrame
        Placed cells with `analyte`.
    own_day : bool array
        Cells of rows whose day tells their visit; only these can be several samples of one visit.

    Notes
    -----
    The usable sample nearest to the planned day stands for the visit, of two equally near ones the earlier: later
    stages take one result a participant, visit and analyte, and which one must not follow from the order of the file.
    """
    planned = pl.Series([visit.day for visit in visits], dtype=pl.Int32)
    away = (cells["study_day"] - planned.gather(cells["visit"].cast(pl.UInt32))).abs()
    key = ["person", "visit", "analyte"]
    told = cells.select(*key, "at", "study_day").with_columns(away.alias("away")).with_row_index("place")
    told = told.filter(pl.Series(own_day) & cells["rule"].is_null())
    further = told.sort("away", "study_day", "at", "place").filter(~pl.struct(key).is_first_distinct())["place"]
    marked = np.zeros(cells.height, dtype=np.bool_)
    marked[further.to_numpy()] = True
    rule = pl.when(pl.Series(marked)).then(pl.lit("value.further_sample")).otherwise("rule")
    return cells.with_columns(rule.alias("rule"))


def outside_window(cells: pl.DataFrame, visits: tuple[Visit, ...]) -> pl.DataFrame:
    """Return the placed date cells whose study day lies outside the window of the visit."""
    first = pl.Series([visit.first for visit in visits])
    last = pl.Series([visit.last for visit in visits])
    at = cells["visit"].cast(pl.UInt32)
    day = cells["study_day"]
    return cells.filter((day < first.gather(at)) | (day > last.gather(at)))
