"""Treatment trials: whether each was adequate, whether it failed, and whether it counts towards resistance."""

from __future__ import annotations

import polars as pl

from ember.history.answers import answer, named_where, word
from ember.registry.registry import Registry
from ember.tables.contract import contract
from ember.tables.store import conform


def trial_table(treatments: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """Return one row a trial, contract `treatment_trials`.

    Parameters
    ----------
    treatments : DataFrame
        Contract `treatments`; its rows with `trial` are trials.

    Notes
    -----
    A trial is adequate where its dose and its weeks reach the minimum of adequate_doses.csv and nobody recorded that
    it was not taken; it failed where trial_outcomes.csv says so of its outcome. It counts where it is of an
    antidepressant (treatment_kinds.csv), in the current episode, adequate and failed. Each is yes, no or unknown: one
    part that is no settles it, whatever the others are; otherwise one unknown part leaves it unknown. The treatment of
    a study arm is no history.
    """
    taken = (pl.col("adherence") != "not_adherent").fill_null(True)
    rows = _joined(treatments.filter("trial"), registry).with_columns(
        adequate=(pl.col("dose") >= pl.col("minimum_dose")) & (pl.col("weeks") >= pl.col("minimum_weeks")) & taken,
        failed=answer(pl.col("fails")),
        current=pl.col("episode") == "current",
    )
    of_kind = answer(pl.col("trd")) & (pl.col("role") != "arm")
    rows = rows.with_columns(counts=of_kind & pl.col("current") & pl.col("adequate") & pl.col("failed"))
    words = [word(pl.col(name)).alias(name) for name in ("adequate", "failed", "counts")]
    return conform(
        rows.with_columns(_unknown()).with_columns(words).select(contract("treatment_trials").names),
        "treatment_trials",
    )


def _joined(trials: pl.DataFrame, registry: Registry) -> pl.DataFrame:
    """Return trials with the minimum of their treatment, what their kind is to resistance and what their outcome is."""
    doses = [
        (row["treatment"], float(row["minimum_dose"]), float(row["minimum_weeks"]))
        for row in registry.rows("adequate_doses")
    ]
    minimum = pl.DataFrame(
        doses,
        schema={"treatment": pl.String, "minimum_dose": pl.Float64, "minimum_weeks": pl.Float64},
        orient="row",
    )
    kinds = [(row["kind"], row["trd"]) for row in registry.rows("treatment_kinds")]
    outcomes = [(row["outcome"], row["failed"]) for row in registry.rows("trial_outcomes")]
    for table, key in (
        (minimum, "treatment"),
        (pl.DataFrame(kinds, schema={"kind": pl.String, "trd": pl.String}, orient="row"), "kind"),
        (pl.DataFrame(outcomes, schema={"outcome": pl.String, "fails": pl.String}, orient="row"), "outcome"),
    ):
        trials = trials.join(table, on=key, how="left", maintain_order="left")
    return trials


def _unknown() -> pl.Expr:
    """Return what is not known of a trial of which nobody can say whether it counts."""
    undecided, no_minimum, no_name = pl.col("counts").is_null(), pl.col("minimum_dose").is_null(), pl.col("treatment")
    absent = {
        "name": no_name.is_null(),
        "minimum": no_minimum & no_name.is_not_null(),
        "dose": ~no_minimum & pl.col("dose").is_null(),
        "duration": ~no_minimum & pl.col("weeks").is_null(),
        "outcome": pl.col("failed").is_null(),
        "episode": pl.col("current").is_null(),
    }
    return named_where({name: undecided & condition for name, condition in absent.items()}).alias("unknown")
