"""Consent comes first: rows of people who did not agree leave before anything else is looked at."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from ember.registry.model import Site

ERASED = "consent.erased"
REFUSED = "consent.refused"
UNKNOWN = "consent.unknown"
RULES = (ERASED, REFUSED, UNKNOWN)


def consent_rules(participants: pl.Series, register: pl.DataFrame, required: Sequence[str]) -> pl.Series:
    """Return for each row of a site the rule under which it leaves, or null.

    Parameters
    ----------
    participants : Series of str
        Pseudonyms, null where the row names nobody; such rows leave later, under a rule of their own.
    register : DataFrame
        Rows of the site in the register, contract consent.
    required : sequence of str
        Purposes to which participants must have agreed.

    Notes
    -----
    Somebody who is not in the register has not been asked: unknown. Erasure goes before refusal, since it is what
    has to be shown.
    """
    answers = [pl.col(purpose) for purpose in required]
    refused = pl.any_horizontal([answer == "refused" for answer in answers])
    unknown = pl.any_horizontal([answer == "unknown" for answer in answers])
    rule = (
        pl.when(pl.col("withdrawal") == "erase")
        .then(pl.lit(ERASED))
        .when(refused)
        .then(pl.lit(REFUSED))
        .when(unknown)
        .then(pl.lit(UNKNOWN))
        .otherwise(pl.lit(""))
    )
    people = register.select("participant_id", rule.alias("rule"))
    rows = pl.DataFrame({"participant_id": participants})
    found = rows.join(people, "participant_id", "left", maintain_order="left")
    named = pl.col("participant_id").is_not_null()
    known = pl.when(named).then(pl.col("rule").fill_null(UNKNOWN)).otherwise(pl.lit(""))
    return found.select(pl.when(known != "").then(known)).to_series().alias("rule")


def withdrawn_participants(register: pl.DataFrame | None, site: str) -> pl.DataFrame | None:
    """Return who of a site withdrew and keeps the data up to that day: `participant_id`, `withdrawn_on`."""
    if register is None:
        return None
    keeping = (pl.col("site_id") == site) & (pl.col("withdrawal") == "keep")
    return register.filter(keeping).select("participant_id", "withdrawn_on")


def without_biomarkers(register: pl.DataFrame | None, site: Site) -> pl.Series | None:
    """Return who of a site did not agree to the use of laboratory results, which unknown counts as.

    Notes
    -----
    A site that does not ask about biomarkers withholds nothing: what the study needs is `consent: required:`.
    """
    asked = any(table.consent and "biomarkers" in table.consent.purposes for table in site.tables)
    if register is None or not asked:
        return None
    own = (pl.col("site_id") == site.id) & (pl.col("biomarkers") != "granted")
    return register.filter(own)["participant_id"]


def people_counts(register: pl.DataFrame, required: Sequence[str]) -> pl.DataFrame:
    """Return how many participants of each site leave for each reason, and how many stay.

    Returns
    -------
    DataFrame
        site, rule_id ("" for those who stay), n; people of whom the register says nothing are not in it.
    """
    parts: list[dict[str, str | int]] = []
    for (site,), people in register.group_by(["site_id"], maintain_order=True):
        rules = consent_rules(people["participant_id"], people, required).fill_null("")
        parts.extend({"site": str(site), "rule_id": rule, "n": int((rules == rule).sum())} for rule in (*RULES, ""))
    return pl.DataFrame(parts, schema={"site": pl.String, "rule_id": pl.String, "n": pl.Int64})
