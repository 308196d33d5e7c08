"""Of whom a site knows every treatment of a kind: without that, what is not listed is not known to be absent."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from ember.registry.model import Site

PERSON = ("site_id", "participant_id")


def listed(
    site: Site, kinds: Collection[str], people: pl.DataFrame, treatments: pl.DataFrame, *, trials: bool = False
) -> pl.Series:
    """Return for each participant whether every treatment of the kinds is listed.

    Parameters
    ----------
    kinds : collection of str
        Kinds of treatment_kinds.csv, all of which the list has to be complete for.
    people : DataFrame
        Contract `participants`.
    treatments : DataFrame
        Contract `treatments`.
    trials : bool
        Only lists that tell the outcome of trials.
    """
    whole = pl.repeat(False, people.height, dtype=pl.Boolean, eager=True)
    for table in site.tables:
        mapping = table.treatments
        if mapping is None or mapping.complete is None or (trials and not mapping.tells_trials):
            continue
        if not set(kinds) <= set(mapping.complete.kinds):
            continue
        if mapping.complete.without_rows == "none":
            return pl.repeat(True, people.height, dtype=pl.Boolean, eager=True)
        with_rows = treatments.filter(pl.col("list") == table.name)["participant_id"]
        whole = whole | people["participant_id"].is_in(with_rows.implode())
    return whole
