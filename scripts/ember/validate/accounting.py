"""The accounting identity: n_in + n_created = n_out + n_collapsed + n_quarantined + n_excluded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass

import polars as pl

from ember.tables.store import BrokenContractError, conform, empty_table


@dataclass(frozen=True)
class Account:
    """What became of one unit (row, value, participant) in one stage of one site."""

    site: str
    stage: str
    unit: str
    n_in: int = 0
    n_created: int = 0
    n_out: int = 0
    n_collapsed: int = 0
    n_quarantined: int = 0
    n_excluded: int = 0

    def __post_init__(self) -> None:
        came, went = self.n_in + self.n_created, self.n_out + self.n_collapsed + self.n_quarantined + self.n_excluded
        if came != went or min(v for v in asdict(self).values() if isinstance(v, int)) < 0:
            raise BrokenContractError(
                f"accounting of {self.unit}s in {self.stage} of {self.site}: {came} came, {went} went"
            )


def added(accounts: Iterable[Account]) -> list[Account]:
    """Return one account for each site, stage and unit, in order of appearance: what became of all shares together."""
    sums: dict[tuple[str, str, str], Account] = {}
    for account in accounts:
        key = (account.site, account.stage, account.unit)
        counts = [name for name in asdict(account) if name.startswith("n_")]
        before = sums.get(key, Account(*key))
        sums[key] = Account(*key, **{name: getattr(before, name) + getattr(account, name) for name in counts})
    return list(sums.values())


def account_table(accounts: Iterable[Account]) -> pl.DataFrame:
    """Return accounts as a table that meets the contract `accounting`."""
    rows = [asdict(account) for account in accounts]
    return conform(pl.DataFrame(rows), "accounting") if rows else empty_table("accounting")


def chain_faults(accounting: pl.DataFrame, stages: Iterable[str]) -> list[str]:
    """Return where the n_in of a stage is not the n_out of the stage before it in the same unit and site.

    Parameters
    ----------
    accounting : DataFrame
        The joined accounts of all sites, contract `accounting`.
    stages : iterable of str
        Stages in the order in which data flow.
    """
    order = {stage: index for index, stage in enumerate(stages)}
    faults = []
    for (site, unit), lines in accounting.group_by(["site", "unit"], maintain_order=True):
        before: int | None = None
        for line in sorted(lines.to_dicts(), key=lambda row: order.get(row["stage"], len(order))):
            if line["stage"] not in order:
                continue
            if before is not None and line["n_in"] != before:
                faults.append(f"{site}: {line['stage']} took in {line['n_in']} {unit}s of {before}")
            before = line["n_out"]
    return faults
