"""Whose row is it, and whose is the participant: rows by site, ids as pseudonyms."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence

import polars as pl

from ember.errors import EmberError
from ember.registry.model import Site, Source, TableMap

PSEUDONYM_LENGTH = 20
BLOCK = 64  # bytes of a block of SHA-256


def tables_of(source: str, sites: Sequence[Site]) -> list[tuple[Site, TableMap]]:
    """Return the mapping of one source in each site that reads it."""
    return [(site, table) for site in sites for table in site.tables if table.source == source]


def claim_rows(frame: pl.DataFrame, source: Source, claims: Sequence[tuple[Site, TableMap]]) -> pl.Series:
    """Return for each row the place in `claims` of the site that claims it, or null.

    Raises
    ------
    EmberError
        Two sites claim the same rows, or a site claims none. Counts only: a cell may be a participant's.
    """
    owner = pl.repeat(None, frame.height, dtype=pl.Int32, eager=True)
    for place, (site, table) in enumerate(claims):
        own = _own_rows(frame, table)
        if not own.any():
            raise EmberError(
                f"No row has the value that the site file of {site.id} gives under `rows:`.",
                where=f"{source.shown_path}  column {table.rows.column if table.rows else ''}",
                fix="Correct `rows:`, or take the site out of `sites:` in study.yaml.",
            )
        shared = owner.is_not_null() & own
        if shared.any():
            other = claims[int(owner.filter(shared)[0])][0].id
            raise EmberError(
                f"{int(shared.sum())} rows are claimed by both {other} and {site.id}.",
                where=source.shown_path,
                fix="Tell the sites apart by `rows: {column: …, equals: …}` in their site files.",
            )
        owner = owner.zip_with(~own, pl.repeat(place, frame.height, dtype=pl.Int32, eager=True))
    return owner


def _own_rows(frame: pl.DataFrame, table: TableMap) -> pl.Series:
    if table.rows is None:
        return pl.repeat(True, frame.height, eager=True, dtype=pl.Boolean)
    return frame[table.rows.column] == table.rows.equals


def site_frames(
    frame: pl.DataFrame, owner: pl.Series, claims: Sequence[tuple[Site, TableMap]], key: bytes
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each site's rows in file order, with `_participant` in place of every column of participant ids.

    Notes
    -----
    A column that holds the ids of one site is dropped for all sites of the source: it may well hold
    identifiers in their rows too.
    """
    ids = list(dict.fromkeys(table.participant for _, table in claims))
    for place, (site, table) in enumerate(claims):
        rows = frame.filter(owner == place)
        names = pseudonyms(rows[table.participant], site.id, key)
        yield site.id, rows.drop(ids).with_columns(names.alias("_participant"))


def pseudonyms(ids: pl.Series, site: str, key: bytes) -> pl.Series:
    """Return pseudonyms of a site's participant ids; an empty id becomes null.

    Parameters
    ----------
    ids : Series of str
        Blanks around an id do not count.
    site : str
        Site id: the same id at two sites is two people.
    key : bytes
        HMAC-SHA256 over site, NUL and id; the first 20 hexadecimal digits (80 bits) are kept, so that two
        of a million participants share one with a probability below 1e-12.
    """
    trimmed = ids.str.strip_chars()
    distinct = trimmed.unique(maintain_order=True)
    distinct = distinct.filter(distinct != "")
    made = pl.Series([digest[:PSEUDONYM_LENGTH] for digest in _hmac_digests(key, site, distinct)], dtype=pl.String)
    return trimmed.replace_strict(distinct, made, default=None, return_dtype=pl.String)


def _hmac_digests(key: bytes, site: str, names: pl.Series) -> Iterator[str]:
    """Yield HMAC-SHA256 (RFC 2104) of site, NUL and name in hexadecimal digits.

    The standard library begins anew for each message; a million participants take twice as long that way.
    """
    block = (key if len(key) <= BLOCK else hashlib.sha256(key).digest()).ljust(BLOCK, b"\0")
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in block) + site.encode() + b"\0")
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in block))
    for name in names:
        inside, outside = inner.copy(), outer.copy()
        inside.update(name.encode())
        outside.update(inside.digest())
        yield outside.hexdigest()
