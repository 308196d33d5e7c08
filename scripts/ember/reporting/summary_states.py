"""Endotype states by site with intervals, and how often each rule acted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ember.registry.model import Study
from ember.reporting.numbers import wilson
from ember.validate.ledger import rules

ENDOTYPES = {
    "scheme": pl.String, "scheme_label": pl.String, "site": pl.String, "state": pl.String, "state_order": pl.Int64,
    "inflamed": pl.Boolean, "n": pl.Int64, "total": pl.Int64, "share": pl.Float64, "conf_low": pl.Float64,
    "conf_high": pl.Float64,
}  # fmt: skip


def endotype_shares(study: Study, endotypes: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return the number of participants in each state of each scheme, for all and for each site."""
    rows: list[dict[str, Any]] = []
    for scheme, table in endotypes.items():
        content = study.schemes[scheme]
        states = list(dict.fromkeys(table["class"].to_list()))
        assigned = table.filter("assigned")
        sites = [site for site in study.sites if (assigned["site_id"] == site).any()]
        for site in ["all", *sites]:
            own = assigned if site == "all" else assigned.filter(pl.col("site_id") == site)
            for order, state in enumerate(states):
                n = int((own["class"] == state).sum())
                low, high = wilson(n, own.height)
                rows.append(
                    {
                        "scheme": scheme, "scheme_label": content["label"], "site": site, "state": state,
                        "state_order": order, "inflamed": state in content.get("inflamed", ()), "n": n,
                        "total": own.height, "share": n / own.height, "conf_low": low, "conf_high": high,
                    }
                )  # fmt: skip
    return pl.DataFrame(rows, schema=ENDOTYPES)


def rule_counts(ledger: pl.DataFrame) -> pl.DataFrame:
    """Return how many entries each rule made by site, stage and unit; rows of no site have an empty site."""
    keys = ["site", "stage", "unit", "rule_id", "severity", "action"]
    counted = (
        ledger.with_columns(pl.col("site_id").fill_null("").alias("site"))
        .group_by(keys, maintain_order=True)
        .agg(pl.len().cast(pl.Int64).alias("n"))
    )
    known = rules()
    return counted.with_columns(
        pl.Series("category", [known[rule].category for rule in counted["rule_id"]], dtype=pl.String),
        pl.Series("title", [known[rule].title for rule in counted["rule_id"]], dtype=pl.String),
    ).select("site", "stage", "unit", "rule_id", "severity", "action", "category", "title", "n")
