"""Harmonise one site: canonical units, censored values, plausible values, and scores of questionnaires."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import polars as pl

from ember.harmonise.crosswalks import choices_of
from ember.harmonise.instruments import Scored, score_instruments
from ember.harmonise.measured import STAGE, Judged, harmonise_measurements
from ember.harmonise.passes import Passes
from ember.registry.model import Site, Study
from ember.registry.registry import Registry
from ember.tables.contract import contract
from ember.tables.store import BrokenContractError
from ember.validate.accounting import Account, added
from ember.validate.ledger import count, join_entries


@dataclass(frozen=True)
class Standard:
    """The standard tables of one site, and `n_values`, the values that standardise_site let out."""

    participants: pl.DataFrame
    visits: pl.DataFrame
    measurements: pl.DataFrame
    items: pl.DataFrame
    treatments: pl.DataFrame
    n_values: int


@dataclass(frozen=True)
class HarmonisedShare:
    """What has become of the measurements and answers of some participants.

    Attributes
    ----------
    measurements, scores, ledger : DataFrame
        Contracts of these names.
    account : Account
        Of these values; they came as `n_in`.
    """

    measurements: pl.DataFrame
    scores: pl.DataFrame
    ledger: pl.DataFrame
    account: Account


@dataclass(frozen=True)
class Harmonised:
    """The harmonised tables of one site, and what became of every value."""

    participants: pl.DataFrame
    visits: pl.DataFrame
    measurements: pl.DataFrame
    scores: pl.DataFrame
    treatments: pl.DataFrame
    ledger: pl.DataFrame
    accounts: tuple[Account, ...]
    findings: pl.DataFrame
    evidence: pl.DataFrame


def harmonise_site(study: Study, site: Site, registry: Registry, standard: Standard) -> Harmonised:
    """Return the harmonised tables of one site that is held in memory, with ledger, accounts and findings.

    Parameters
    ----------
    standard : Standard
        Tables that meet the contracts participants, visits, standard_measurements, standard_items and treatments.

    Raises
    ------
    EmberError
        The registry or the site file cannot be applied: an assay in a unit without conversion, an item without a
        row, two molar factors for one analyte of a file.
    BrokenContractError
        The values do not add up.
    """
    results, items = ([one] for one in (standard.measurements, standard.items))
    judged = harmonise_measurements(study, site, registry, Passes(lambda: results, single=True))
    (share,) = harmonise_shares(site, registry, judged, [standard.measurements.height], items)
    return Harmonised(
        participants=standard.participants,
        visits=standard.visits,
        measurements=share.measurements,
        scores=share.scores,
        treatments=standard.treatments,
        ledger=share.ledger,
        accounts=site_accounts(site, standard.participants, standard.n_values, [share.account]),
        findings=judged.findings,
        evidence=judged.evidence,
    )


def harmonise_shares(
    site: Site, registry: Registry, judged: Judged, n_measurements: Iterable[int], items: Iterable[pl.DataFrame]
) -> Iterator[HarmonisedShare]:
    """Yield the measurements and scores of each share.

    Parameters
    ----------
    n_measurements : iterable of int
        Standard measurements of each share.
    items : iterable of DataFrame
        Contract standard_items of each share.

    Raises
    ------
    BrokenContractError
        The values of a share do not add up.
    """
    choices, made = choices_of(site), iter(judged.measurements)
    for n_results, answers in zip(n_measurements, items, strict=True):
        scored = score_instruments(answers, registry, site.id, STAGE, choices)
        yield _share(site, *next(made), scored, n_results + answers.height)


def _share(
    site: Site, measurements: pl.DataFrame, measured: pl.DataFrame, scored: Scored, n_values: int
) -> HarmonisedShare:
    ledger = join_entries([measured, scored.ledger])
    # score.incomplete is listed once a questionnaire; its answers are counted in n_unscored.
    listed = ledger.filter(pl.col("rule_id") != "score.incomplete")
    account = Account(
        site=site.id,
        stage=STAGE,
        unit="value",
        n_in=n_values,
        n_created=scored.scores.height,
        n_out=measurements.height + scored.scores.height,
        n_collapsed=scored.n_collapsed,
        n_quarantined=count(listed, "quarantined", "value"),
        n_excluded=count(listed, "excluded", "value") + scored.n_unscored,
    )
    return HarmonisedShare(measurements, scored.scores, ledger, account)


def site_accounts(
    site: Site, participants: pl.DataFrame, n_values: int, shares: Sequence[Account]
) -> tuple[Account, ...]:
    """Return the accounts of a site from those of its shares and from what passed unchanged.

    Parameters
    ----------
    participants : DataFrame
        The site's participants, at least with the columns that a site file can map.
    n_values : int
        Values that standardise_site let out.

    Raises
    ------
    BrokenContractError
        The tables show more values than standardise_site counted.

    Notes
    -----
    Participants' columns, dates and treatments pass unchanged, and the tables do not show all of them (a date has
    become a study day), so they are what standardise_site let out beside measurements and answers.
    """
    rest = n_values - sum(share.n_in for share in shares)
    mapped = participants.select(list(contract("participants").mapped))
    shown = mapped.height * mapped.width - sum(mapped.null_count().row(0)) if mapped.height else 0
    if rest < shown:
        raise BrokenContractError(f"standardise_site counted {rest} values of participants and visits; {shown} stand")
    n = participants.height
    values = added([*shares, Account(site.id, STAGE, "value", n_in=rest, n_out=rest)])
    return (*values, Account(site.id, STAGE, "participant", n_in=n, n_out=n))
