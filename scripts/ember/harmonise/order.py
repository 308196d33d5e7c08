"""The order in which tables of values are kept: as the values stand in the source."""

from __future__ import annotations

import numpy as np
import polars as pl

from ember.harmonise.distinct import Distinct
from ember.tables.store import BrokenContractError


def in_order(rows: pl.DataFrame, name: str, files: pl.Series | None = None, tie: str | None = None) -> pl.DataFrame:
    """Return rows by file, row number and a name; most sites map them in that order.

    Parameters
    ----------
    rows : DataFrame
        Columns source_file, row_number (not negative), and those that are named.
    name : str
        A column of text; in alphabetical order.
    files : Series, optional
        Files in the order of their first appearance; default as they appear in the rows.
    tie : str, optional
        A column of integers that decides where all these are equal; default, and where it is equal too, rows stay as
        they stand.

    Raises
    ------
    BrokenContractError
        File, row number and name do not fit one number of 64 bits.
    """
    if rows.is_empty():
        return rows
    of_names, of_files = Distinct.of(rows[name]), Distinct.of(rows["source_file"])
    known = of_files.texts if files is None else Distinct.of(files).texts
    by_name = np.argsort(np.argsort(of_names.texts.to_numpy(), kind="stable"))
    by_file = np.array([known.to_list().index(file) for file in of_files.texts])
    row = rows["row_number"].to_numpy()
    n_rows, n_names = int(row.max()) + 1, len(of_names.texts)
    if len(known) * n_rows * n_names > np.iinfo(np.int64).max:
        raise BrokenContractError(f"{len(known)} files of {n_rows} rows with {n_names} names cannot be put in order")
    place = row * n_names + by_name[of_names.code]
    if len(known) > 1:
        place += by_file[of_files.code] * (n_rows * n_names)
    steps = np.diff(place)
    told = np.zeros(len(place), dtype=np.int64) if tie is None else rows[tie].to_numpy().astype(np.int64)
    if bool((steps >= 0).all()) and (tie is None or bool((np.diff(told)[steps == 0] >= 0).all())):
        return rows
    return rows[np.lexsort((told, place))]
