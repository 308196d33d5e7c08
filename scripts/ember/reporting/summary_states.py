"""Endotype states by site with intervals, and how often each rule acted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ember.endotypes.comparable import NOT_COMPARED, compares_states, states_within_site
from ember.endotypes.scheme import INFLAMED_PERSISTENT, INFLAMED_SINGLE
from ember.history.declared import tells_trials
from ember.registry.model import Study
from ember.reporting.numbers import wilson
from ember.validate.ledger import rules

ENDOTYPES = {
    "scheme": pl.String, "scheme_label": pl.String, "population": pl.String, "site": pl.String, "state": pl.String,
    "state_order": pl.Int64, "inflamed": pl.Boolean, "n": pl.Int64, "total": pl.Int64, "share": pl.Float64,
    "conf_low": pl.Float64, "conf_high": pl.Float64,
}  # fmt: skip
EVERYONE = "all"
PERSON = ["site_id", "participant_id"]


def endotype_shares(
    study: Study, endotypes: Mapping[str, pl.DataFrame], histories: Mapping[str, pl.DataFrame] | None = None
) -> pl.DataFrame:
    """Return the number of participants in each state of each scheme, for all and for each site.

    Parameters
    ----------
    endotypes : mapping of str to DataFrame
        Contract endotypes by scheme.
    histories : mapping of str to DataFrame, optional
        Contract history by site; with them every state is also counted in each population of `populations`.
    """
    rows: list[dict[str, Any]] = []
    for scheme, states_of_all in endotypes.items():
        content = study.schemes[scheme]
        table = comparable_states(study, content, states_of_all)
        states = list(dict.fromkeys(table["class"].to_list()))
        for population, people in populations(study, table.filter("assigned"), histories or {}).items():
            for site, own in _by_site(study, people):
                for order, state in enumerate(states):
                    n = int((own["class"] == state).sum())
                    low, high = wilson(n, own.height) if own.height else (None, None)
                    rows.append(
                        {
                            "scheme": scheme, "scheme_label": content["label"], "population": population,
                            "site": site, "state": state, "state_order": order,
                            "inflamed": state in content.get("inflamed", ()), "n": n, "total": own.height,
                            "share": n / own.height if own.height else None, "conf_low": low, "conf_high": high,
                        }
                    )  # fmt: skip
    return pl.DataFrame(rows, schema=ENDOTYPES)


def _by_site(study: Study, people: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    found = [(site, people.filter(pl.col("site_id") == site)) for site in study.sites]
    return [(EVERYONE, people), *((site, own) for site, own in found if own.height)]


def populations(study: Study, people: pl.DataFrame, histories: Mapping[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Return the participants of each population in which states are reported.

    Returns
    -------
    dict of str to DataFrame
        all; and where the study can tell them dtd, trd and dtd_not_trd.

    Notes
    -----
    Difficult-to-treat and treatment-resistant depression are two variables. Who is indeterminate in one is in
    neither of its sides: the populations do not add up to all.
    """
    found = {EVERYONE: people}
    if not histories:
        return found
    answers = pl.concat([history.select(*PERSON, "trd", "dtd") for history in histories.values()])
    plain = people.with_columns(pl.col(pl.Categorical).cast(pl.String))
    known = plain.join(answers.with_columns(pl.col(pl.Categorical).cast(pl.String)), on=PERSON, how="left",
                       maintain_order="left")  # fmt: skip
    difficult, resistant = pl.col("dtd") == "yes", pl.col("trd") == "yes"
    if study.dtd is not None:
        found["dtd"] = known.filter(difficult)
    if tells_trials(study):
        found["trd"] = known.filter(resistant)
    if study.dtd is not None and tells_trials(study):
        found["dtd_not_trd"] = known.filter(difficult & (pl.col("trd") == "no"))
    return found


def comparable_states(study: Study, scheme: Mapping[str, Any], states: pl.DataFrame) -> pl.DataFrame:
    """Return the states of a scheme as they may be counted by site and over sites.

    Parameters
    ----------
    states : DataFrame
        Contract endotypes.

    Returns
    -------
    DataFrame
        With NOT_COMPARED in place of all raised states, where a composite within sites tells them apart and there are
        several sites: what their screening analyte says can be compared, and what the composite adds to it cannot.
        Those whose panel is missing are among them, so that nobody can work out who they are from another scheme.
    """
    if compares_states(study, scheme):
        return states
    merged = dict.fromkeys((*states_within_site(scheme), INFLAMED_SINGLE, INFLAMED_PERSISTENT), NOT_COMPARED)
    return states.with_columns(pl.col("class").replace(merged))


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
