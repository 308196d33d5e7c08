"""Names of treatments that the registry does not know: a list that stays, and counts that may leave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from ember.harmonise.unmatched import unmatched_counts, unmatched_names

if TYPE_CHECKING:
    from ember.reporting.summaries import SiteTables

UNMATCHED = {"site": pl.String, "name_reported": pl.String, "n": pl.Int64}
TREATMENT_NAMES = {"site": pl.String, "n_rows": pl.Int64, "n_unmatched": pl.Int64, "n_names": pl.Int64}


def unmatched_by_site(sites: Mapping[str, SiteTables]) -> pl.DataFrame:
    """Return the names without a treatment by site, the most frequent first. Restricted: sites wrote them."""
    listed = [
        unmatched_names(tables.treatments).select(pl.lit(site).alias("site"), "name_reported", "n")
        for site, tables in sites.items()
    ]
    return pl.concat([pl.DataFrame(schema=UNMATCHED), *listed])


def treatment_names(sites: Mapping[str, SiteTables]) -> pl.DataFrame:
    """Return by site how many rows name a treatment, how many of them name an unknown one, and in how many names."""
    counted = [unmatched_counts(tables.treatments).rename({"site_id": "site"}) for tables in sites.values()]
    return pl.concat([pl.DataFrame(schema=TREATMENT_NAMES), *counted])
