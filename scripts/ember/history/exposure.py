"""Drugs that change what a sample shows: whether one was taken before the sample."""

from __future__ import annotations

import polars as pl

from ember.history.answers import INDETERMINATE, any_known, word
from ember.history.lists import PERSON
from ember.registry.registry import Registry, Row

KIND = "anti_inflammatory"


def before_sample(
    people: pl.DataFrame,
    treatments: pl.DataFrame,
    measurements: pl.DataFrame,
    listed: pl.Series,
    registry: Registry,
    time_zero: str,
) -> pl.DataFrame:
    """Return for each participant whether an anti-inflammatory drug was taken before the first sample of CRP.

    Parameters
    ----------
    people : DataFrame
        Contract `participants`; gives the order.
    treatments, measurements : DataFrame
        Contracts of these names.
    listed : Series of bool
        By participant: every anti-inflammatory drug is listed.
    time_zero : str
        What the study counts its days from.

    Returns
    -------
    DataFrame
        `anti_inflammatory_before_sample` (yes, no, indeterminate) and `anti_inflammatory_reason`.

    Notes
    -----
    A treatment declared as an exposure before sampling is one. Otherwise its start tells: before the day of the sample
    and not ended longer ago than the kind's `carry_over_days`; a start on the day of the sample is not before it. A
    concomitant or background drug without a start was in use at its visit: before the sample if the visit was not
    later. A study arm without a start begins at time zero where that is randomisation or the start of treatment.
    """
    rows = treatment_rows(people, treatments, measurements, registry, time_zero)
    found = rows.group_by(list(PERSON), maintain_order=True).agg(any_known(pl.col("before")).alias("before"))
    samples = first_samples(measurements, registry.row("treatment_kinds", KIND))
    whole = people.select(PERSON)
    for table in (found, samples):
        whole = whole.join(table, on=list(PERSON), how="left", maintain_order="left")
    has_rows = people["participant_id"].is_in(rows["participant_id"].implode())
    whole = whole.with_columns(listed.alias("listed"), has_rows.alias("has_rows"))
    taken = pl.when("has_rows").then("before").otherwise(False)
    sampled = pl.col("sample_day").is_not_null()
    verdict = pl.when(sampled & taken).then(True).when(sampled & ~taken & pl.col("listed")).then(False)
    reason = (
        pl.when(~sampled)
        .then(pl.lit("no sample with a day"))
        .when(taken)
        .then(pl.lit("taken before the sample"))
        .when(taken.is_null())
        .then(pl.lit("a treatment whose name or start is not known"))
        .when("listed")
        .then(pl.lit("none is listed"))
        .otherwise(pl.lit("the list of treatments is not known to be complete"))
    )
    return whole.select(
        word(verdict, INDETERMINATE).alias("anti_inflammatory_before_sample"),
        reason.alias("anti_inflammatory_reason"),
    )


def first_samples(measurements: pl.DataFrame, kind: Row) -> pl.DataFrame:
    """Return by participant the day of the first sample of the analytes that a kind of treatment changes."""
    samples = measurements.filter(pl.col("analyte").cast(pl.String).is_in(kind["modifies"].split(";")))
    named = samples.with_columns(pl.col(PERSON).cast(pl.String))
    return named.group_by(list(PERSON), maintain_order=True).agg(pl.col("study_day").min().alias("sample_day"))


def treatment_rows(
    people: pl.DataFrame,
    treatments: pl.DataFrame,
    measurements: pl.DataFrame,
    registry: Registry,
    time_zero: str,
) -> pl.DataFrame:
    """Return the treatments that are, or may be, of the kind, with `before`: true, false or null, and `sample_day`."""
    kind = registry.row("treatment_kinds", KIND)
    may_be = (pl.col("kind") == KIND) | pl.col("treatment").is_null()
    rows = treatments.filter(may_be).join(
        first_samples(measurements, kind), on=list(PERSON), how="left", maintain_order="left"
    )
    sample, start, end = pl.col("sample_day"), pl.col("start_day"), pl.col("end_day")
    recent = (end >= sample - int(kind["carry_over_days"])).fill_null(True)
    begins = 0 if time_zero in {"randomisation", "treatment_start"} else None
    in_use = pl.when(pl.col("study_day") <= sample).then(True)
    without_start = pl.when(pl.col("role") == "arm").then(pl.lit(begins, pl.Int32) < sample).otherwise(in_use)
    by_day = pl.when(start.is_not_null()).then(start < sample).otherwise(without_start) & recent
    before = pl.when(pl.col("role") == "exposure_before_sampling").then(True).otherwise(by_day)
    # A name that the registry does not know may be of the kind: it can never say yes.
    known = pl.when(pl.col("treatment").is_not_null() | ~before).then(before)
    return rows.with_columns(known.alias("before"))


def arms_before_sample(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the rows of `treatment_rows` that are study arms although they started before the sample."""
    started = pl.col("start_day") < pl.col("sample_day")
    return rows.filter((pl.col("kind") == KIND) & (pl.col("role") == "arm") & started)
