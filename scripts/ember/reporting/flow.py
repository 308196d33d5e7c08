"""The flow of participants of every analysis, from its account and its ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ember.validate.ledger import rules

FLOW = {
    "analysis": pl.String, "order": pl.Int64, "site": pl.String, "box": pl.String, "rule_id": pl.String,
    "reason": pl.String, "n": pl.Int64,
}  # fmt: skip


def flow_table(accounting: pl.DataFrame, ledgers: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Return enrolled, excluded by reason (the largest first) and analysed, for all sites and for each.

    Parameters
    ----------
    accounting : DataFrame
        Contract `accounting`, with the stages `analysis:<analysis>`.
    ledgers : mapping of str to DataFrame
        The ledger of each analysis set, contract `ledger`.
    """
    rows: list[dict[str, Any]] = []
    for analysis, ledger in ledgers.items():
        accounts = accounting.filter(pl.col("stage") == f"analysis:{analysis}").to_dicts()
        out = ledger.filter(pl.col("action") == "excluded").select("site_id", "rule_id").rows()
        reasons = sorted(dict.fromkeys(rule for _, rule in out), key=lambda rule: -sum(r == rule for _, r in out))
        sites = [account["site"] for account in accounts]
        for site in ["all", *sites]:
            own = [account for account in accounts if site in ("all", account["site"])]
            gone = [rule for place, rule in out if site in ("all", place)]
            boxes = [("enrolled", "", sum(account["n_in"] for account in own))]
            boxes += [("excluded", rule, gone.count(rule)) for rule in reasons]
            boxes += [("analysed", "", sum(account["n_out"] for account in own))]
            for order, (box, rule, n) in enumerate(boxes):
                reason = rules()[rule].title if rule else ""
                rows.append(
                    {
                        "analysis": analysis, "order": order, "site": site, "box": box, "rule_id": rule,
                        "reason": reason, "n": n,
                    }
                )  # fmt: skip
    return pl.DataFrame(rows, schema=FLOW)
