"""Treatment-resistant depression: failure of enough adequate antidepressant trials in the current episode."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from ember.history.answers import INDETERMINATE, answer, any_known, word
from ember.history.lists import PERSON
from ember.registry.registry import Registry

NOT_COMPLETE = "the list of trials is not known to be complete"
COUNTS = ("trd_n_trials", "trd_n_adequate_failures", "trd_n_unknown")


def resistance(people: pl.DataFrame, trials: pl.DataFrame, listed: pl.Series, registry: Registry) -> pl.DataFrame:
    """Return for each participant `trd`, how many trials made it so, and why.

    Parameters
    ----------
    people : DataFrame
        Contract `participants`; gives the order.
    trials : DataFrame
        Contract `treatment_trials`.
    listed : Series of bool
        By participant: every antidepressant trial is listed.

    Returns
    -------
    DataFrame
        The `trd` columns of the contract `history`.

    Notes
    -----
    Different antidepressants count, not courses: two failures of one drug are one. Yes needs more known adequate
    failures than staging.csv has under `above`; further trials of which something is unknown cannot undo it. No
    needs a complete list in which even all unknown trials together would be too few. Everything else is
    indeterminate: an unknown dose is not an inadequate one, and an empty list not a history without treatment.
    """
    needed = int(registry.row("staging", "trd", "failures", "resistant")["above"]) + 1
    kinds = [row["kind"] for row in registry.rows("treatment_kinds") if row["trd"] == "yes"]
    counted = people.select(PERSON).join(_counted(trials, kinds), on=list(PERSON), how="left", maintain_order="left")
    counted = counted.with_columns(pl.col(COUNTS).fill_null(0), listed.alias("listed"))
    failures, unknown = pl.col("trd_n_adequate_failures"), pl.col("trd_n_unknown")
    enough = failures >= needed
    too_few = pl.col("listed") & (failures + unknown < needed)
    verdict = pl.when(enough).then(True).when(too_few).then(False)
    open_list = pl.when(~pl.col("listed")).then(pl.lit(NOT_COMPLETE))
    not_known = pl.when(unknown > 0).then(pl.lit("unknown of a trial: ") + pl.col("trd_unknown"))
    reason = (
        pl.when(enough)
        .then(pl.lit("enough adequate trials failed"))
        .when(too_few)
        .then(pl.lit("too few trials can have been adequate failures"))
        .otherwise(pl.concat_str([not_known, open_list], separator="; ", ignore_nulls=True))
    )
    return counted.select(word(verdict, INDETERMINATE).alias("trd"), *COUNTS, reason.alias("trd_reason"))


def _counted(trials: pl.DataFrame, kinds: Collection[str]) -> pl.DataFrame:
    """Return by participant how many different treatments were tried, failed adequately, or may have."""
    # Without a minimum dose two rows may be two drugs (a name that was not recorded): each is its own.
    own = pl.col("minimum_dose").is_null()
    place = pl.when(own).then(pl.int_range(pl.len()))
    rows = trials.with_columns(place.alias("place"), answer(pl.col("counts")).alias("counting"))
    tried = pl.col("kind").is_in(kinds) & (pl.col("role") != "arm")
    tried = (tried & (pl.col("episode") != "earlier").fill_null(True)).fill_null(False)
    drugs = rows.group_by([*PERSON, "treatment", "place"], maintain_order=True).agg(
        any_known(pl.col("counting")).alias("fails"),
        tried.any().alias("tried"),
        pl.col("unknown").filter(pl.col("counting").is_null()).drop_nulls().alias("unknown"),
    )
    return drugs.group_by(list(PERSON), maintain_order=True).agg(
        pl.col("tried").sum().cast(pl.Int32).alias("trd_n_trials"),
        pl.col("fails").fill_null(False).sum().cast(pl.Int32).alias("trd_n_adequate_failures"),
        pl.col("fails").is_null().sum().cast(pl.Int32).alias("trd_n_unknown"),
        pl.col("unknown")
        .filter(pl.col("fails").is_null())
        .explode()
        .str.split(";")
        .explode()
        .drop_nulls()
        .unique(maintain_order=True)
        .str.join(", ")
        .alias("trd_unknown"),
    )
