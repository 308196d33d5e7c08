"""Scores of one instrument that a declared link makes of another's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from ember.registry.crosswalks import Crosswalk, scorable
from ember.registry.model import Site
from ember.registry.registry import Registry

KEY = ["participant_id", "visit", "instrument"]
FLAG = "score.linked"


@dataclass(frozen=True)
class Choices:
    """What a site declares about its scores: value sets by instrument, and the crosswalks that link them."""

    value_sets: Mapping[str, str] = field(default_factory=dict)
    links: tuple[str, ...] = ()


def choices_of(site: Site) -> Choices:
    """Return what the tables of a site declare; check_site has refused tables that contradict each other."""
    maps = [(name, mapping) for table in site.tables for name, mapping in table.instruments.items()]
    return Choices(
        {name: mapping.value_set for name, mapping in maps if mapping.value_set},
        tuple(dict.fromkeys(link.crosswalk for _, mapping in maps for link in mapping.linked)),
    )


def linked_scores(native: pl.DataFrame, choices: Choices, registry: Registry) -> pl.DataFrame:
    """Return native scores followed by the scores that declared links make of them.

    Parameters
    ----------
    native : DataFrame
        Scores as the contract `scores` has them, without `crosswalk` and `link_error_sd`; `order` among them.

    Returns
    -------
    DataFrame
        The same with `crosswalk` and `link_error_sd`. A linked score has the origin `linked` and the flag
        `score.linked`; native scores stay, and where one of the target exists at the visit no score is linked to it.

    Notes
    -----
    A score that the source does not give is not linked: nothing lies between the points of a crosswalk or beyond
    its ends. The linked score is a mean; a person lies about it with `link_error_sd`, so means can be pooled but
    nobody's remission or response can be told (Choi et al. 2014: about 0.6 SD of error).
    """
    whole = native.with_columns(
        pl.lit(None, dtype=pl.String).alias("crosswalk"), pl.lit(None, dtype=pl.Float64).alias("link_error_sd")
    )
    made = [_linked(native, scorable(registry, name), registry) for name in choices.links]
    if not made:
        return whole
    linked = pl.concat(made).unique(KEY, keep="first", maintain_order=True)
    fresh = linked.join(native.select(KEY), on=KEY, how="anti", maintain_order="left")
    return pl.concat([whole, fresh.select(whole.columns)])


def _linked(native: pl.DataFrame, link: Crosswalk, registry: Registry) -> pl.DataFrame:
    target = registry.row("instruments", link.to_instrument)
    own = native.filter(pl.col("instrument") == link.from_instrument)
    if link.kind == "linear":
        within = pl.col("score").is_between(link.low, link.high)
        found = own.filter(within).with_columns((link.intercept + link.slope * pl.col("score")).alias("linked"))
    else:
        pairs = [(point.from_low, point.to_low) for point in link.points]
        table = pl.DataFrame(pairs, schema={"score": pl.Float64(), "linked": pl.Float64()}, orient="row")
        found = own.join(table, on="score", how="inner", maintain_order="left")
    possible = pl.col("linked").is_between(float(target["total_low"]), float(target["total_high"]))
    told = pl.col("flags").cast(pl.String)
    flags = pl.when(told == "").then(pl.lit(FLAG)).otherwise(told + f";{FLAG}")
    return (
        found.filter(possible)
        .with_columns(
            pl.col("linked").alias("score"),
            pl.lit(link.to_instrument).alias("instrument"),
            pl.lit(target["construct"]).alias("construct"),
            pl.lit(None, dtype=pl.String).alias("version"),
            pl.lit("linked").alias("origin"),
            pl.lit(0).alias("n_items"),
            flags.alias("flags"),
            pl.lit(link.id).alias("crosswalk"),
            pl.lit(link.error_sd, dtype=pl.Float64).alias("link_error_sd"),
        )
        .drop("linked")
        .cast(native.schema)
    )
