"""Names of treatments that the registry does not know: the list for the site, and its counts for everyone else."""

from __future__ import annotations

import polars as pl


def unmatched_names(treatments: pl.DataFrame) -> pl.DataFrame:
    """Return the names without a treatment, the most frequent first.

    Parameters
    ----------
    treatments : DataFrame
        As in the contract `treatments`: `name_reported`, and `treatment` (null where the registry has no such name).

    Returns
    -------
    DataFrame
        `name_reported` and `n` (rows), by falling `n` and then by name. A name is what a site wrote about a
        participant: the list is restricted.
    """
    unknown = treatments.filter(pl.col("treatment").is_null())
    counted = unknown.group_by("name_reported").agg(pl.len().cast(pl.Int64).alias("n"))
    return counted.sort("n", "name_reported", descending=[True, False])


def unmatched_counts(treatments: pl.DataFrame) -> pl.DataFrame:
    """Return by site how much the list holds; names stay out, and the counts still have to pass disclosure.

    Returns
    -------
    DataFrame
        `site_id`, `n_rows` (treatments), `n_unmatched` (of them without a treatment) and `n_names` (distinct names
        among these), in order of appearance.
    """
    unknown = pl.col("treatment").is_null()
    return treatments.group_by("site_id", maintain_order=True).agg(
        pl.len().cast(pl.Int64).alias("n_rows"),
        unknown.sum().cast(pl.Int64).alias("n_unmatched"),
        pl.col("name_reported").filter(unknown).n_unique().cast(pl.Int64).alias("n_names"),
    )
