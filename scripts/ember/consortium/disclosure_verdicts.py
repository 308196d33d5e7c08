"""What may leave of the verdicts about types: counts of people, and curves where enough people lie beyond them."""

from __future__ import annotations

import polars as pl

from ember.consortium.suppression import Counts, Key

Keys = dict[str, list[Key | None]]
ALL, COMPOSITE = "all", "composite"
WITHIN = (
    ("all", "all_without_bmi", "no_bmi"),
    ("all", "without_acute", "acute"),
    ("without_acute", "without_acute_without_bmi", "no_bmi"),
)
"""Variants of the data, those within them, and who is left out."""
DIGITS = 3


def add_verdict_witnesses(counts: Counts, frame: pl.DataFrame) -> Keys:
    """People with every marker: sites within all, variants within variants, and all within the participants."""
    keys: list[Key | None] = []
    for row in frame.iter_rows(named=True):
        shared: Key = ("verdict", row["verdict"], row["variant"], row["site"])
        own: Key = (*shared, row["marker"], row["witness"])
        there = counts.value(shared)
        key = shared if row["marker"] == COMPOSITE and (there is None or there == row["n"]) else own
        keys.append(counts.add(key, row["n"]) if row["n"] else None)
    people = [key for key in dict.fromkeys(keys) if key is not None and len(key) == 4]
    for verdict, variant in dict.fromkeys((key[1], key[2]) for key in people):
        sites = [key for key in people if key[1:3] == (verdict, variant) and key[3] != ALL]
        total: Key = ("verdict", verdict, variant, ALL)
        if sites and counts.value(total) is not None:
            counts.relate(total, sites, "other_sites")
    for _, verdict, variant, site in people:
        _relate_variants(counts, str(verdict), str(variant), str(site))
    return {"n": keys}


def _relate_variants(counts: Counts, verdict: str, variant: str, site: str) -> None:
    whole: Key = ("verdict", verdict, variant, site)
    for larger, smaller, left_out in WITHIN:
        part: Key = ("verdict", verdict, smaller, site)
        if larger == variant and counts.value(part) is not None:
            counts.relate(whole, [part], left_out)
    participants: Key = ("participants", site)
    if variant == "all" and counts.value(participants) is not None:
        counts.relate(participants, [whole], f"incomplete:{verdict}")


def protect_verdict_witnesses(original: pl.DataFrame, masked: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """Return the numbers of witnesses with at least `threshold` people behind them."""
    enough = original["n"] >= max(threshold, 1)
    shown = ("value", "conf_low", "conf_high")
    return masked.with_columns(pl.when(enough).then(pl.col(name)).otherwise(None).alias(name) for name in shown)


def protect_verdict_curves(original: pl.DataFrame, masked: pl.DataFrame, threshold: int) -> pl.DataFrame:
    """Return curves without their ends: what fewer than `threshold` people lie beyond is left out.

    Notes
    -----
    A density tells where single people lie only where there are few of them, which is beyond its outermost people;
    a MAMBAC curve is a difference of means of at least 25 people. Three significant digits fit many sets of people.
    The number of people beyond a point stays here.
    """
    beyond = original["n_beyond"]
    enough = beyond.is_null() | (beyond >= max(threshold, 1))
    shown = pl.col("y").round_sig_figs(DIGITS) if threshold else pl.col("y")
    return masked.with_columns(
        pl.when(enough).then(shown).otherwise(None).alias("y"), pl.lit(None, dtype=pl.Int64).alias("n_beyond")
    )
