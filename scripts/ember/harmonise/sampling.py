"""The calendar month of a sample: limits of assays change with time, and a batch of one month may share a fault."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ember.harmonise.distinct import first_places


def sampling_months(cells: pl.DataFrame, dated: NDArray[np.bool_], starts: pl.DataFrame) -> pl.Series:
    """Return `period`, the month (YYYY-MM) in which each sample was taken, null where no date tells it.

    Parameters
    ----------
    cells : DataFrame
        `person` and `study_day`.
    dated : bool array
        Cells whose study day is that of a date; a planned day says nothing of the calendar.
    starts : DataFrame
        `person` and `day` of time zero, since 1970-01-01.
    """
    unknown = pl.Series("period", [None], pl.Categorical())
    if not dated.any() or starts.is_empty():
        return unknown.new_from_index(0, cells.height)
    people = cells["person"].to_numpy()
    start = np.full(int(max(people.max(), starts["person"].to_numpy().max())) + 1, np.iinfo(np.int32).min, np.int64)
    start[starts["person"].to_numpy()] = starts["day"].to_numpy()
    day = start[people] + cells["study_day"].to_numpy()
    told = dated & (start[people] > np.iinfo(np.int32).min)
    if not told.any():
        return unknown.new_from_index(0, cells.height)
    # A study spans some thousand days: each is written as a month once.
    first, last = int(day[told].min()), int(day[told].max())
    code = np.where(told, day - first, last - first + 1)
    places = first_places(code, last - first + 2)
    days = pl.Series(np.arange(first, last + 1), dtype=pl.Int32).cast(pl.Date).dt.strftime("%Y-%m")
    months = pl.concat([days, pl.Series([None], dtype=pl.String)]).to_frame("period")
    seen = pl.Series(places < len(code))
    words = months.select(pl.when(seen).then("period").cast(pl.Categorical()))["period"]
    return words.gather(pl.Series(code.astype(np.uint32)))
