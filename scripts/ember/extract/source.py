"""A source as a whole: its hash, and the account of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import polars as pl

from ember.errors import EmberError
from ember.extract.signature import check_file
from ember.extract.table import RawTable, empty_rejected
from ember.provenance.digest import sha256_of_file
from ember.registry.model import Source
from ember.validate.accounting import Account
from ember.validate.ledger import entries, join_entries

STAGE = "read_source"
REJECTING = ("row.blank", "row.wrong_width", "row.no_partner")


def checked_digest(source: Source) -> str:
    """Return the SHA-256 of a source's file after holding it against the declared one.

    Raises
    ------
    EmberError
        The file is absent or of another format, or the hashes differ.
    """
    check_file(source)
    found = sha256_of_file(source.path)
    if source.sha256 is not None and found != source.sha256.lower():
        raise EmberError(
            "The file is not the declared one.",
            where=source.shown_path,
            fix=f"Expected SHA-256 {source.sha256}, found {found}. Fetch the declared file again, "
            "or declare the new one in the study's table of files.",
        )
    return found


@dataclass
class Tally:
    """What became of the rows of a source, filled while its batches pass.

    Attributes
    ----------
    rejected : DataFrame
        `row_number` and `rule_id` of the rows that no site gets.
    claimed : set of int
        Places of the claims that found rows.
    """

    sheet: str | None = None
    n_rows: int = 0
    claimed: set[int] = field(default_factory=set)
    parts: list[pl.DataFrame] = field(default_factory=list)

    @property
    def rejected(self) -> pl.DataFrame:
        """Return the rows that no table could take, with their rules."""
        return pl.concat([empty_rejected(), *self.parts])

    def add(self, batch: RawTable, owner: pl.Series) -> None:
        """Take in a batch and who owns its rows."""
        self.n_rows += batch.n_rows
        self.claimed.update(owner.drop_nulls().unique().to_list())
        if batch.rejected.height:
            self.parts.append(batch.rejected)


def row_ledger(refused: RawTable | Tally, unclaimed: pl.Series, file: str) -> pl.DataFrame:
    """Return the ledger of the rows that reach no site.

    Parameters
    ----------
    refused : RawTable or Tally
        Has the rejected rows and the sheet.
    unclaimed : Series of int64
        Row numbers that no site claims.
    """
    place = {"source_file": pl.lit(file), "sheet": pl.lit(refused.sheet, dtype=pl.String)}
    rejected = refused.rejected
    parts = [
        entries(rejected.filter(pl.col("rule_id") == rule).with_columns(**place), rule, site=None, stage=STAGE)
        for rule in REJECTING
    ]
    rows = pl.DataFrame({"row_number": unclaimed}).with_columns(**place)
    return join_entries([*parts, entries(rows, "row.unclaimed", site=None, stage=STAGE)])


def row_accounts(
    counts: Mapping[str, int], ledger: pl.DataFrame, partners: int = 0, left: Mapping[str, int] | None = None
) -> list[Account]:
    """Return one account a site, and one without site for the rows that reach none.

    Parameters
    ----------
    counts : mapping
        Rows by site that are kept.
    ledger : DataFrame
        Of the rows that reach no site.
    partners : int
        Rows of a source that no site reads itself: they hand their columns to rows of other sources.
    left : mapping
        Rows by site whose people did not agree.
    """
    gone = left or {}
    accounts = [
        Account(site, STAGE, "row", n_in=n + gone.get(site, 0), n_out=n, n_excluded=gone.get(site, 0))
        for site, n in counts.items()
    ]
    if ledger.height or partners:
        excluded = ledger.filter(pl.col("action") == "excluded").height
        accounts.append(
            Account(
                "",
                STAGE,
                "row",
                n_in=ledger.height + partners,
                n_out=partners,
                n_excluded=excluded,
                n_quarantined=ledger.height - excluded,
            )
        )
    return accounts


def input_record(source: Source, digest: str, rows: int, columns: int) -> dict[str, Any]:
    """Return what the release says about the file; a hash that EMBER recorded itself vouches for less.

    Parameters
    ----------
    digest : str
        SHA-256 of the file as it came: of the packed one where it is packed.
    rows, columns : int
        Data rows and columns of the file itself, before a join.
    """
    return {
        "source": source.id,
        "file": source.file,
        "sha256": digest,
        "bytes": source.path.stat().st_size,
        "rows": rows,
        "columns": columns,
        "variant": source.variant,
        "sha256_declared": source.sha256 is not None,
        "recorded": source.recorded,
    }
