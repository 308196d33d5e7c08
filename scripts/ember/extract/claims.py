"""Whose row is it, and whose is the participant: rows by site, ids as pseudonyms."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import count

import polars as pl

from ember.errors import EmberError
from ember.extract.own_rows import telling_text
from ember.extract.pseudonyms import Pseudonyms
from ember.registry.model import Site, Source, TableMap

Claim = tuple[Site, TableMap]


def tables_of(source: str, sites: Sequence[Site]) -> list[Claim]:
    """Return the mappings of one source in each site that reads it."""
    return [(site, table) for site in sites for table in site.tables if table.source == source]


def claim_rows(frame: pl.DataFrame, source: Source, claims: Sequence[Claim]) -> pl.Series:
    """Return for each row the place in `claims` of the table that claims it, or null.

    Raises
    ------
    EmberError
        Two sites, or two tables of a site, claim the same rows. Counts only: a cell may be a participant's.
    """
    owner = pl.repeat(None, frame.height, dtype=pl.Int32, eager=True)
    for column, places in _layers(claims):
        own = _own_rows(frame, column, places)
        shared = owner.is_not_null() & own.is_not_null()
        if shared.any():
            raise _claimed_twice(source, claims, owner.filter(shared), own.filter(shared))
        owner = owner.fill_null(own) if owner.null_count() < owner.len() else own
    return owner


def check_claimed(source: Source, claims: Sequence[Claim], claimed: Collection[int]) -> None:
    """Refuse a table that claims no row of the whole source.

    Parameters
    ----------
    claimed : collection of int
        Places in `claims` of the tables that claimed rows.

    Raises
    ------
    EmberError
        Names the first such site.
    """
    without = [claim for place, claim in enumerate(claims) if place not in claimed]
    if without:
        site, table = without[0]
        raise EmberError(
            f"No row has the value that the site file of {site.id} gives under `rows:`.",
            where=f"{source.shown_path}  column {table.rows.column if table.rows else ''}",
            fix="Correct `rows:`, or take the site out of `sites:` in study.yaml.",
        )


def _layers(claims: Sequence[Claim]) -> list[tuple[str | None, dict[str, int]]]:
    """Return the claims by column, as place by value; a value that is claimed again goes to a further layer."""
    layers: dict[tuple[str | None, int], dict[str, int]] = {}
    for place, (_, table) in enumerate(claims):
        column, value = (table.rows.column, table.rows.equals.strip()) if table.rows else (None, "")
        again = next(n for n in count() if value not in layers.get((column, n), {}))
        layers.setdefault((column, again), {})[value] = place
    return [(column, places) for (column, _), places in layers.items()]


def _own_rows(frame: pl.DataFrame, column: str | None, places: dict[str, int]) -> pl.Series:
    if column is None:
        return pl.repeat(next(iter(places.values())), frame.height, eager=True, dtype=pl.Int32)
    return telling_text(frame[column]).replace_strict(places, default=None, return_dtype=pl.Int32)


def _claimed_twice(source: Source, claims: Sequence[Claim], first: pl.Series, second: pl.Series) -> EmberError:
    (site, table), (other, another) = claims[int(first[0])], claims[int(second[0])]
    if site.id == other.id:
        who = f"two tables of {site.id}, {table.name or table.source} and {another.name or another.source}"
    else:
        who = f"both {site.id} and {other.id}"
    return EmberError(
        f"{first.len()} rows are claimed by {who}.",
        where=source.shown_path,
        fix="Tell them apart by `rows: {column: …, equals: …}` in their site files.",
    )


def site_frames(
    frame: pl.DataFrame, owner: pl.Series, claims: Sequence[Claim], key: bytes, known: Pseudonyms | None = None
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield each site's rows in file order, with `_participant` in place of every column of participant ids.

    Parameters
    ----------
    owner : Series
        As from `claim_rows`.
    known : Pseudonyms, optional
        Made in earlier batches.

    Notes
    -----
    A column that holds the ids of one table is dropped for all sites of the source: it may well hold
    identifiers in their rows too.
    """
    names = known or Pseudonyms(key)
    ids = list(dict.fromkeys(table.participant for _, table in claims))
    for site in dict.fromkeys(site.id for site, _ in claims):
        places = [place for place, (other, _) in enumerate(claims) if other.id == site]
        own = (owner == places[0]) if len(places) == 1 else owner.is_in(places)
        rows, owners = (frame, owner) if own.all(ignore_nulls=False) else (frame.filter(own), owner.filter(own))
        if rows.is_empty():
            continue
        participants = rows[claims[places[0]][1].participant]
        for place in places[1:]:
            participants = rows[claims[place][1].participant].zip_with(owners == place, participants)
        yield site, rows.drop(ids).with_columns(names.of(participants, site).alias("_participant"))


def pseudonyms(ids: pl.Series, site: str, key: bytes) -> pl.Series:
    """Return pseudonyms of a site's participant ids, as `Pseudonyms.of`."""
    return Pseudonyms(key).of(ids, site)
