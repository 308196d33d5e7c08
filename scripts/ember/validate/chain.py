"""All accounts of a study together: each balances, and each stage takes in what the one before it let out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import polars as pl

from ember.tables.store import BrokenContractError, conform
from ember.validate.accounting import Account, chain_faults

CHAIN = ("read_source", "standardise_site", "harmonise_site")
LAST = "harmonise_site"
UNITS = {"row": CHAIN[:2], "value": CHAIN[1:], "participant": CHAIN[1:]}
"""Through which stages each unit goes; participants go on to the endotypes and analyses."""
NUMBERS = ("n_in", "n_created", "n_out", "n_collapsed", "n_quarantined", "n_excluded")


def collect_accounts(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Return the accounts of all stages as one table, contract accounting.

    Lines with one site, stage and unit (a site with two sources, rows of no site) are added up.

    Raises
    ------
    BrokenContractError
        An account does not balance, or a stage took in another number than the one before it let out.
    """
    whole = pl.concat(parts).with_columns(pl.col("site").fill_null(""))
    for line in whole.iter_rows(named=True):
        Account(**line)
    joined = whole.group_by("site", "stage", "unit", maintain_order=True).agg(pl.col(*NUMBERS).sum())
    faults = [fault for unit, stages in UNITS.items() for fault in _faults(joined, unit, stages)]
    for stage in joined["stage"].unique(maintain_order=True):
        if ":" in stage:
            faults.extend(_faults(joined, "participant", (LAST, stage)))
    if faults:
        raise BrokenContractError("; ".join(faults))
    return conform(joined, "accounting")


def _faults(accounting: pl.DataFrame, unit: str, stages: Sequence[str]) -> list[str]:
    lines = accounting.filter((pl.col("unit") == unit) & pl.col("stage").is_in(list(stages)) & (pl.col("site") != ""))
    faults = chain_faults(lines, stages)
    for before, after in pairwise(stages):
        came_from = lines.filter(pl.col("stage") == before)["site"]
        lost = lines.filter(
            (pl.col("stage") == after) & ~pl.col("site").is_in(came_from.implode()) & (pl.col("n_in") > 0)
        )
        faults.extend(f"{site}: {after} took in {unit}s that {before} never let out" for site in lost["site"])
    return faults
