"""A symptom profile: named items of a questionnaire, each as a share of its range."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from ember.endotypes.cuts import FloatArray
from ember.endotypes.results import PERSON
from ember.registry.registry import Row


def profile_scores(
    participants: pl.DataFrame, items: pl.DataFrame, visit: str, profile: Sequence[Row], ranges: Sequence[Row]
) -> FloatArray:
    """Return the mean share of the items' ranges at a visit, nan where an item of the profile is missing.

    Parameters
    ----------
    items : DataFrame
        Contract standard_items.
    profile : sequence of Row
        Rows of symptom_items.csv, of one profile.
    ranges : sequence of Row
        Rows of instrument_items.csv, which give the range of each item.

    Notes
    -----
    Items of different questionnaires have different ranges, hence shares. A person is described by the first
    instrument of the profile, in the registry's order, of which all its items are there; a mean over some of them
    would describe another profile.
    """
    found: FloatArray = np.full(participants.height, np.nan)
    limits = {(row["instrument"], row["item"]): (float(row["item_low"]), float(row["item_high"])) for row in ranges}
    usable = items.filter(pl.col("visit") == visit)
    for instrument in dict.fromkeys(row["instrument"] for row in profile):
        wanted = [row["item"] for row in profile if row["instrument"] == instrument]
        shares = [_share(participants, usable, instrument, int(item), *limits[instrument, item]) for item in wanted]
        mean = np.mean(np.column_stack(shares), axis=1)
        found = np.where(np.isnan(found), mean, found)
    return found


def _share(
    participants: pl.DataFrame, items: pl.DataFrame, instrument: str, item: int, low: float, high: float
) -> FloatArray:
    own = items.filter((pl.col("instrument") == instrument) & (pl.col("item") == item))
    own = own.select(*PERSON, "value").unique(PERSON, keep="first", maintain_order=True)
    joined = participants.select(PERSON).join(own, on=PERSON, how="left", maintain_order="left")
    value = joined["value"].cast(pl.Float64).fill_null(float("nan")).to_numpy().astype(np.float64)
    return np.where((value >= low) & (value <= high), (value - low) / (high - low), np.nan)
