"""What the sites' tables say in counts: the unprotected tables behind the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.reporting.dictionary import dictionary
from ember.reporting.not_asked import HiddenCells
from ember.reporting.parts import ACUTE, HISTORY, TREATMENT_NAMES, UNMATCHED, maps_treatments
from ember.reporting.raw_columns import RawColumns
from ember.reporting.summary_acute import acute_samples
from ember.reporting.summary_characteristics import characteristics
from ember.reporting.summary_composites import composite_tables
from ember.reporting.summary_history import history_counts
from ember.reporting.summary_measures import distributions, harmonisation
from ember.reporting.summary_quality import quality
from ember.reporting.summary_states import endotype_shares, rule_counts
from ember.reporting.summary_treatments import treatment_names, unmatched_by_site
from ember.reporting.summary_usual import usual_tables


@dataclass(frozen=True)
class SiteTables:
    """The standard and harmonised tables of one site that summaries read."""

    standard_measurements: pl.DataFrame
    standard_items: pl.DataFrame
    participants: pl.DataFrame
    visits: pl.DataFrame
    measurements: pl.DataFrame
    scores: pl.DataFrame
    treatments: pl.DataFrame
    history: pl.DataFrame | None = None


def summarise(
    study: Study,
    registry: Registry,
    sites: Mapping[str, SiteTables],
    ledger: pl.DataFrame,
    endotypes: Mapping[str, pl.DataFrame],
    sources: Mapping[str, RawColumns],
    hidden: Mapping[str, HiddenCells],
    composites: Mapping[str, Mapping[str, pl.DataFrame]] | None = None,
    usual: Mapping[str, Mapping[str, pl.DataFrame]] | None = None,
) -> dict[str, pl.DataFrame]:
    """Return the tables that `parts.restricted_summaries` names.

    Parameters
    ----------
    sites : mapping of str to SiteTables
        Tables of each site, in study order.
    ledger : DataFrame
        All ledgers joined, contract `ledger`.
    endotypes : mapping of str to DataFrame
        Contract `endotypes` for each scheme.
    sources : mapping of str to RawColumns
        What each source says of its columns.
    hidden : mapping of str to HiddenCells
        Cells that a form never showed, of the sources whose dictionary has branching.
    composites : mapping of str to mapping of str to DataFrame, optional
        Contracts `composites` and `composite_references`, by scheme that has one.
    usual : mapping of str to mapping of str to DataFrame, optional
        Contracts `usual_levels` and `usual_components`, by scheme that asks for them.

    Notes
    -----
    Restricted: nothing here is protected yet. Float sums are numpy's over rows in contract order.
    """
    complete = quality(study, registry, sites, ledger, hidden)
    histories = {site: tables.history for site, tables in sites.items() if tables.history is not None}
    names = {TREATMENT_NAMES: treatment_names(sites), UNMATCHED: unmatched_by_site(sites)}
    return {
        "quality": complete,
        "harmonisation": harmonisation(registry, sites),
        "distributions": distributions(study, sites),
        "endotypes": endotype_shares(study, endotypes, histories),
        "characteristics": characteristics(study, registry, sites, endotypes),
        "rules": rule_counts(ledger),
        "dictionary": dictionary(study, registry, sources, complete),
        **(names if maps_treatments(study) else {}),
        **({ACUTE: acute_samples(study, registry, sites, endotypes)} if endotypes else {}),
        **({HISTORY: history_counts(study, histories)} if histories else {}),
        **(composite_tables(study, composites) if composites else {}),
        **(usual_tables(study, usual, endotypes) if usual else {}),
    }
