"""A site of the proof in shares, however small, put together again as the whole that the oracle looks at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl

from ember.extract.raw_rows import n_rows
from ember.extract.raw_shares import raw_shares
from ember.harmonise.harmonise import Harmonised, harmonise_shares, site_accounts
from ember.harmonise.measured import harmonise_measurements
from ember.harmonise.passes import Passes
from ember.harmonise.row_tally import added_tallies, site_findings
from ember.harmonise.standardise import Standardised, StandardisedShare, standardise_share
from ember.harmonise.standardise_rows import RawRows
from ember.registry.model import Site, Study
from ember.registry.registry import Registry
from ember.validate.accounting import added

TABLES = ("participants", "visits", "measurements", "items", "treatments", "ledger")


def standard_shares(
    study: Study, site: Site, registry: Registry, paths: Mapping[str, Path], leavers: pl.DataFrame | None, rows: int
) -> list[StandardisedShare]:
    """Return the site standardised in shares of so many rows, or in two or three where these would be many."""
    half = sum(n_rows(path, site.id) for path in paths.values()) // 2
    shares = (
        {source: RawRows(frame, told["columns"]) for source, (frame, told) in raw.items()}
        for raw in raw_shares(paths, site.id, max(rows, half))
    )
    return [standardise_share(study, site, registry, raw, leavers) for raw in shares]


def as_site(study: Study, site: Site, shares: Sequence[StandardisedShare]) -> Standardised:
    """Return the whole site, text as text."""
    tables = {name: _whole([getattr(share, name) for share in shares]) for name in TABLES}
    tallies = added_tallies([share.tallies for share in shares])
    accounts = tuple(added([account for share in shares for account in share.accounts]))
    return Standardised(**tables, accounts=accounts, tallies=tallies, findings=site_findings(study, site, tallies))


def harmonised_shares(
    study: Study, site: Site, registry: Registry, standard: Standardised, shares: Sequence[StandardisedShare]
) -> Harmonised:
    """Return the site harmonised in the same shares, as a whole."""
    results = Passes(lambda: [share.measurements for share in shares], single=len(shares) == 1)
    judged = harmonise_measurements(study, site, registry, results)
    heights = [share.measurements.height for share in shares]
    made = list(harmonise_shares(site, registry, judged, heights, [share.items for share in shares]))
    values = next(account.n_out for account in standard.accounts if account.unit == "value")
    return Harmonised(
        participants=standard.participants,
        visits=standard.visits,
        measurements=_whole([share.measurements for share in made]),
        scores=_whole([share.scores for share in made]),
        treatments=standard.treatments,
        ledger=_whole([share.ledger for share in made]),
        accounts=site_accounts(site, standard.participants, values, [share.account for share in made]),
        findings=judged.findings,
        evidence=judged.evidence,
    )


def _whole(parts: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat([part.with_columns(pl.col(pl.Categorical).cast(pl.String)) for part in parts])
