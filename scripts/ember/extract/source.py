"""A source as a whole: its hash, and the account of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from ember.errors import EmberError
from ember.extract.signature import check_file
from ember.extract.table import RawTable
from ember.provenance.digest import sha256_of_file
from ember.registry.model import Source
from ember.validate.accounting import Account
from ember.validate.ledger import entries, join_entries

STAGE = "read_source"


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


def row_ledger(table: RawTable, unclaimed: pl.Series, file: str) -> pl.DataFrame:
    """Return the ledger of the rows that reach no site.

    Parameters
    ----------
    unclaimed : Series of int64
        Row numbers that no site claims.
    """
    place = {"source_file": pl.lit(file), "sheet": pl.lit(table.sheet, dtype=pl.String)}
    parts = [
        entries(table.rejected.filter(pl.col("rule_id") == rule).with_columns(**place), rule, site=None, stage=STAGE)
        for rule in ("row.blank", "row.wrong_width")
    ]
    rows = pl.DataFrame({"row_number": unclaimed}).with_columns(**place)
    return join_entries([*parts, entries(rows, "row.unclaimed", site=None, stage=STAGE)])


def row_accounts(counts: Mapping[str, int], ledger: pl.DataFrame) -> list[Account]:
    """Return one account a site, and one without site for the rows that reach none."""
    accounts = [Account(site, STAGE, "row", n_in=n, n_out=n) for site, n in counts.items()]
    if ledger.height:
        excluded = ledger.filter(pl.col("action") == "excluded").height
        accounts.append(
            Account(
                "",
                STAGE,
                "row",
                n_in=ledger.height,
                n_excluded=excluded,
                n_quarantined=ledger.height - excluded,
            )
        )
    return accounts


def input_record(source: Source, digest: str, table: RawTable) -> dict[str, Any]:
    """Return what the release says about the file; a hash that EMBER recorded itself vouches for less."""
    return {
        "source": source.id,
        "file": source.file,
        "sha256": digest,
        "bytes": source.path.stat().st_size,
        "rows": table.n_rows,
        "columns": len(table.names),
        "variant": source.variant,
        "sha256_declared": source.sha256 is not None,
        "recorded": source.recorded,
    }
