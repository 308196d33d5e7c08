"""What may leave a site: the only door between restricted tables and `aggregate/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ember.consortium.disclosure_composites import protect_composites
from ember.consortium.disclosure_estimates import add_estimates, protect_curves, protect_estimates
from ember.consortium.disclosure_mixtures import (
    protect_mixture_cells,
    protect_mixture_classes,
    protect_mixture_stability,
)
from ember.consortium.disclosure_tables import add_tables
from ember.consortium.disclosure_usual import protect_usual_components, protect_usual_levels
from ember.consortium.disclosure_verdicts import protect_verdict_curves, protect_verdict_witnesses
from ember.consortium.suppression import Counts, Key
from ember.registry.registry import Registry
from ember.reporting.dictionary import with_presence
from ember.reporting.numbers import wilson

WITHHELD = "withheld: disclosure"
MEAN_DIGITS = 3
COUNTS_IN_TEXT = r"\b(?:n|v) (\d+)"
"""How a finding's message names counts: "n 85 v 502"."""


@dataclass(frozen=True)
class Profile:
    """A row of config/registry/disclosure.csv.

    Counts from 1 to threshold - 1 are hidden, shown ones rounded to a multiple of `rounding` (0: not), and models
    with fewer residual degrees of freedom than `minimum_residual_df` lose their numbers.
    """

    name: str
    threshold: int
    rounding: int
    minimum_residual_df: int


def profile_of(registry: Registry, name: str) -> Profile:
    """Return a disclosure profile of the registry.

    Raises
    ------
    EmberError
        There is no such profile.
    """
    row = registry.row("disclosure", name)
    return Profile(name, int(row["threshold"]), int(row["rounding"]), int(row["minimum_residual_df"]))


def protect(tables: Mapping[str, pl.DataFrame], profile: Profile) -> dict[str, pl.DataFrame]:
    """Return the tables as they may leave.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Any of flow, quality, harmonisation, distributions, endotypes, characteristics, rules, findings, gates,
        accounting, inputs, dictionary (with quality), consent, treatment_names, history, composites, usual
        levels, estimates and curves, all unprotected.
    profile : Profile
        The study's rules.

    Returns
    -------
    dict of str to DataFrame
        Same tables, rows and columns; a hidden count and what is computed from it are null.

    Notes
    -----
    All counts of all tables are judged together, because a count hidden in one table must not follow from
    another. Shares and intervals are computed again from the counts that are shown.
    """
    counts = Counts()
    keys = add_tables(counts, tables)
    if "estimates" in tables:
        keys["estimates"] = add_estimates(counts, tables["estimates"])
    hidden = counts.hidden(profile.threshold)
    result = {name: _masked(frame, keys.get(name, {}), hidden, profile.rounding) for name, frame in tables.items()}
    for name, again in _DERIVED.items():
        if name in result:
            result[name] = again(result[name])
    if "dictionary" in tables:
        result["dictionary"] = with_presence(tables["dictionary"], result["quality"])
    if "findings" in tables:
        result["findings"] = _findings(result["findings"], profile.threshold)
    if "characteristics" in tables:
        result["characteristics"] = _characteristics(
            tables["characteristics"], result["characteristics"], profile.threshold
        )
    for name, coarse in _COARSE.items():
        if name in tables:
            result[name] = coarse(tables[name], result[name], profile.threshold)
    if "estimates" in tables:
        result["estimates"] = protect_estimates(
            tables["estimates"], result["estimates"], profile.threshold, profile.minimum_residual_df, WITHHELD
        )
        if "curves" in tables:
            result["curves"] = protect_curves(
                tables["curves"], tables["estimates"], result["estimates"], profile.threshold
            )
    return result


def rounded(count: int, base: int) -> int:
    """Return a count to the nearest multiple of `base`, halves up; 0 leaves it as it is."""
    return count if base == 0 else base * ((count + base // 2) // base)


def _masked(
    frame: pl.DataFrame, keys: Mapping[str, list[Key | None]], hidden: frozenset[Key], rounding: int
) -> pl.DataFrame:
    columns = []
    for column, column_keys in keys.items():
        values = [
            None if value is None or key in hidden else rounded(value, rounding)
            for value, key in zip(frame[column].to_list(), column_keys, strict=True)
        ]
        columns.append(pl.Series(column, values, dtype=pl.Int64))
    return frame.with_columns(columns)


def _ratio(part: str, whole: str, name: str) -> pl.Expr:
    known = pl.col(part).is_not_null() & pl.col(whole).is_not_null() & (pl.col(whole) > 0)
    return pl.when(known).then(pl.col(part) / pl.col(whole)).otherwise(None).alias(name)


def _quality(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(_ratio("n_present", "n_expected", "share_present"))


def _harmonisation(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(_ratio("n_below", "n", "share_below"))


def _endotypes(frame: pl.DataFrame) -> pl.DataFrame:
    shares = frame.with_columns(_ratio("n", "total", "share"))
    limits = [
        (None, None) if n is None or not total else wilson(n, total)
        for n, total in shares.select("n", "total").iter_rows()
    ]
    return shares.with_columns(
        pl.Series("conf_low", [low for low, _ in limits], dtype=pl.Float64),
        pl.Series("conf_high", [high for _, high in limits], dtype=pl.Float64),
    )


def _characteristics(original: pl.DataFrame, masked: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """Shares again from the shown counts; means and standard deviations of at least `threshold` people, coarsened.

    Notes
    -----
    A mean stays where its count is held back only because few values are missing: it is the mean of many people.
    To three significant digits it fits any number of people, so it does not give the count away, as the exact mean
    of whole numbers would.
    """
    groups = masked.filter(pl.col("variable") == "participants").select("group_by", "group", whole="n")
    joined = masked.join(groups, on=["group_by", "group"], how="left", maintain_order="left")
    is_share = original["share"].is_not_null() & (original["variable"] != "participants")
    enough = (original["n"] >= max(threshold, 1)).fill_null(False)
    shown = [pl.col(name).round_sig_figs(MEAN_DIGITS) if threshold else pl.col(name) for name in ("mean", "sd")]
    return joined.with_columns(
        pl.when(is_share).then(_ratio("n", "whole", "again")).otherwise(None).alias("share"),
        *[pl.when(enough).then(column).otherwise(None) for column in shown],
    ).drop("whole")


def _findings(frame: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """A message may repeat the count, or name another one that is too small; then it goes as well."""
    numbers = (
        pl.col("message")
        .str.extract_all(COUNTS_IN_TEXT)
        .list.eval(pl.element().str.extract(COUNTS_IN_TEXT).cast(pl.Int64).is_between(1, threshold - 1))
    )
    hidden = (pl.col("n").is_null() & pl.col("message").str.contains(r"\d")) | numbers.list.any()
    kept = pl.when(hidden & (threshold > 1)).then(pl.lit(WITHHELD)).otherwise(pl.col("message"))
    return frame.with_columns(kept.alias("message"))


def _treatment_names(frame: pl.DataFrame) -> pl.DataFrame:
    known = pl.col("n_unmatched").is_not_null()
    return frame.with_columns(pl.when(known).then("n_names").otherwise(None).alias("n_names"))


_COARSE = {
    "composites": protect_composites,
    "usual_levels": protect_usual_levels,
    "usual_components": protect_usual_components,
    "verdict_witnesses": protect_verdict_witnesses,
    "verdict_curves": protect_verdict_curves,
    "mixture_classes": protect_mixture_classes,
    "mixture_assays": protect_mixture_cells,
    "mixture_agreement": protect_mixture_cells,
    "mixture_stability": protect_mixture_stability,
}
"""Tables with means: those of enough people, coarsened."""
_DERIVED = {
    "quality": _quality,
    "harmonisation": _harmonisation,
    "endotypes": _endotypes,
    "treatment_names": _treatment_names,
}
