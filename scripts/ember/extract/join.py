"""Columns of another source, brought to the rows of this one before anything else is done with them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import replace

import polars as pl

from ember.errors import EmberError, nearest_name
from ember.extract.header import looks_like_data
from ember.extract.table import REJECTED_SCHEMA, RawStream, RawTable, whole
from ember.registry.model import Join, Source

PARTNER = "_partner"


def with_joins(stream: RawStream, source: Source, open_other: Callable[[str], RawStream]) -> RawStream:
    """Return the stream with the columns of the sources that it joins.

    A row whose key is empty or has no partner is rejected under `row.no_partner`: it could reach a site only with
    cells that nobody wrote.

    Parameters
    ----------
    open_other : callable
        Opens a source by its id. Its keys and the columns that are brought are held in memory.

    Raises
    ------
    EmberError
        A column is absent or would stand twice, or the declared cardinality is violated (counts only); a violation
        on this side is known when the batches end.
    """
    for join in source.joins:
        stream = _joined(stream, source, join, open_other(join.source))
    return stream


def _joined(stream: RawStream, source: Source, join: Join, other: RawStream) -> RawStream:
    _check_join(source, stream.names, join, other.names)
    where = _place(source, join)
    partners = _partners(other, join, where)
    infos = {**stream.columns, **{name: other.columns[name] for name in join.columns}}
    names = [*stream.names, *join.columns]
    return replace(stream, names=names, columns=infos, batches=_batches(stream, join, partners, names, where))


def joined_names(source: Source, sources: Mapping[str, Source], header_of: Callable[[Source], list[str]]) -> list[str]:
    """Return the columns of a source and those that it brings, from the headers alone.

    Raises
    ------
    EmberError
        A column of a join is absent, or would stand twice.
    """
    names = header_of(source)
    for join in source.joins:
        _check_join(source, names, join, header_of(sources[join.source]))
        names = [*names, *join.columns]
    return names


def _check_join(source: Source, names: Sequence[str], join: Join, others: Sequence[str]) -> None:
    where = _place(source, join)
    _check_names(names, list(join.on), f"the columns of {source.id}", where)
    _check_names(others, [*join.on.values(), *join.columns], f"the columns of {join.source}", where)
    twice = [name for name in join.columns if name in names]
    if twice:
        raise EmberError(
            f"The source has columns of its own that the join brings: {', '.join(twice)}.",
            where=where,
            fix="Leave them out of `columns:` of the join, or rename them in one extract.",
        )


def _place(source: Source, join: Join) -> str:
    return f"{source.shown_path}  join {join.source}"


def _check_names(known: Collection[str], wanted: Sequence[str], what: str, where: str) -> None:
    absent = [name for name in wanted if name not in known]
    if absent:
        nearest = None if looks_like_data(list(known)) else nearest_name(absent[0], known)
        raise EmberError(f"'{absent[0]}' is not among {what}.", where=where, nearest=nearest)


def _partners(other: RawStream, join: Join, where: str) -> pl.DataFrame:
    """Return keys (stripped), the columns that are brought, and each row's number, of the rows with a whole key."""
    keys = [f"_key_{place}" for place in range(len(join.on))]
    needed = replace(
        other,
        batches=(replace(part, frame=_keyed(part.frame, list(join.on.values()), join)) for part in other.batches),
    )
    rows = whole(needed).frame
    rows = rows.filter(_whole_key(keys))
    repeated = rows.select(keys).is_duplicated()
    if repeated.any():
        distinct = rows.filter(repeated).select(keys).n_unique()
        raise EmberError(
            f"The join is declared {join.cardinality}, but {distinct} keys stand in more than one row "
            f"of {join.source} ({int(repeated.sum())} rows).",
            where=where,
            fix="Add the columns that tell the rows apart to `on:`, or correct the extract.",
        )
    return rows.with_row_index(PARTNER)


def _keyed(frame: pl.DataFrame, columns: Sequence[str], join: Join | None = None) -> pl.DataFrame:
    keys = [pl.col(name).str.strip_chars().alias(f"_key_{place}") for place, name in enumerate(columns)]
    return frame.with_columns(keys) if join is None else frame.select(*keys, *join.columns)


def _whole_key(keys: Sequence[str]) -> pl.Expr:
    return pl.all_horizontal(pl.col(keys) != "")


def _batches(
    stream: RawStream, join: Join, partners: pl.DataFrame, names: Sequence[str], where: str
) -> Iterator[RawTable]:
    keys = [f"_key_{place}" for place in range(len(join.on))]
    found = pl.zeros(partners.height, dtype=pl.UInt32, eager=True)
    for batch in stream.batches:
        rows = _keyed(batch.frame, list(join.on))
        rows = rows.join(partners, on=keys, how="left", maintain_order="left")
        alone = rows[PARTNER].is_null() | ~rows.select(_whole_key(keys)).to_series()
        if join.cardinality == "one_to_one":
            found = found + _times(rows[PARTNER], partners.height)
        lost = rows.filter(alone).select(
            pl.col("_row").alias("row_number"), pl.lit("row.no_partner", pl.String).alias("rule_id")
        )
        rejected = pl.concat(
            [batch.rejected, lost.select(pl.col(name).cast(kind) for name, kind in REJECTED_SCHEMA.items())]
        ).sort("row_number")
        yield replace(batch, frame=rows.filter(~alone).select(*names, "_row"), rejected=rejected)
    if (found > 1).any():
        raise EmberError(
            f"The join is declared one_to_one, but {int((found > 1).sum())} keys stand in more than one row "
            f"of this source ({int(found.filter(found > 1).sum())} rows).",
            where=where,
            fix="Declare `cardinality: many_to_one` if several rows may share a partner, or correct the extract.",
        )


def _times(partner: pl.Series, n_partners: int) -> pl.Series:
    """Return how often each partner was found."""
    counts = partner.drop_nulls().value_counts()
    numbers = pl.zeros(n_partners, dtype=pl.UInt32, eager=True)
    return numbers.scatter(counts[partner.name], counts["count"])
