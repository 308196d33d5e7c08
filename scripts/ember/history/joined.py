"""Participants with what their treatment history says, for analyses that name it."""

from __future__ import annotations

import polars as pl

from ember.history.answers import INDETERMINATE
from ember.history.declared import COLUMNS
from ember.history.lists import PERSON


def with_history(participants: pl.DataFrame, history: pl.DataFrame) -> pl.DataFrame:
    """Return participants with the columns of `COLUMNS`: yes, no, or null where the answer is indeterminate.

    Parameters
    ----------
    participants, history : DataFrame
        Contracts of these names, of the same sites.

    Notes
    -----
    Indeterminate is missing, not a third answer: a model that compared it with no would compare what is known of
    people with what is not.
    """
    answers = [pl.when(pl.col(name) != INDETERMINATE).then(pl.col(name)).alias(name) for name in COLUMNS]
    return participants.join(history.select(*PERSON, *answers), on=list(PERSON), how="left", maintain_order="left")
