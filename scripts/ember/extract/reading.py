"""Read one source into its raw file: parse, hash and compress at once, a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from ember.errors import EmberError
from ember.extract.admission import Admission, Conditions
from ember.extract.claims import Claim, check_claimed, claim_rows, site_frames
from ember.extract.columns import check_columns
from ember.extract.opening import open_source
from ember.extract.pseudonyms import Pseudonyms
from ember.extract.raw_file import write_raw
from ember.extract.redcap_rows import with_repeats_told, without_identifiers
from ember.extract.source import Tally, checked_digest, input_record
from ember.extract.stream import ahead
from ember.extract.table import RawStream
from ember.registry.model import Source
from ember.registry.registry import Registry


@dataclass(frozen=True)
class Read:
    """What is left of a source when its rows have been written.

    Attributes
    ----------
    counts : dict
        Rows by site that are kept, in the order of the claims.
    left : mapping
        Rows by site whose people did not agree.
    ledger : DataFrame
        Those rows, and the cells that were corrected.
    unclaimed : Series of int64
        Row numbers that no site claims.
    partners : int
        Rows of a source that no site reads and others join.
    """

    counts: dict[str, int]
    left: Mapping[str, int]
    ledger: pl.DataFrame
    tally: Tally
    unclaimed: pl.Series
    partners: int
    record: dict[str, Any]


def read_source(
    source: Source,
    sources: Mapping[str, Source],
    claims: Sequence[Claim],
    conditions: Conditions,
    registry: Registry,
    key: bytes,
    raw: Path,
) -> Read:
    """Write the raw file of a source.

    Parameters
    ----------
    sources : mapping
        All sources of the study, of which this one may join some.
    key : bytes
        Of the pseudonyms.

    Raises
    ------
    EmberError
        The file is not the declared one or cannot be read, or the rows do not go to sites as declared. Nothing is
        written then.
    """
    with ThreadPoolExecutor(max_workers=2) as pool, ExitStack() as packed:
        hashes = [pool.submit(checked_digest, sources[name]) for name in _files(source)]
        try:
            stream = open_source(source, sources, raw.parent, packed)
            n_columns = len(stream.names) - sum(len(join.columns) for join in source.joins)
            for site, table in claims:
                check_columns(source, stream.names, site, table, registry)
            stream = with_repeats_told(stream, source, claims)
            stream = without_identifiers(stream, [sources[name] for name in _files(source)], claims, registry)
            tally = Tally(stream.sheet)
            admission = Admission(source, claims, conditions, stream.sheet)
            unclaimed: list[pl.Series] = []
            frames = _site_batches(stream, source, claims, admission, key, tally, unclaimed)
            counts = write_raw(_after(frames, hashes), stream.columns, raw, file=source.file, sheet=stream.sheet)
        except EmberError:
            # Of a file that is not the declared one nothing else is worth saying.
            for pending in hashes:
                pending.result()
            raise
    lost = pl.concat([pl.Series("_row", [], dtype=pl.Int64), *unclaimed])
    record = input_record(source, hashes[0].result(), tally.n_rows, n_columns)
    ordered = {site.id: counts.get(site.id, 0) for site, _ in claims}
    listed = admission.ledger
    if claims:
        return Read(ordered, admission.left, listed, tally, lost, 0, record)
    return Read(ordered, admission.left, listed, tally, lost.clear(), lost.len(), record)


def _files(source: Source) -> list[str]:
    return [source.id, *(join.source for join in source.joins)]


def _site_batches(
    stream: RawStream,
    source: Source,
    claims: Sequence[Claim],
    admission: Admission,
    key: bytes,
    tally: Tally,
    unclaimed: list[pl.Series],
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the rows of each site batch by batch; what reaches no site goes to `tally` and `unclaimed`."""
    names = Pseudonyms(key)
    for batch in ahead(stream.batches):
        owner = claim_rows(batch.frame, source, claims)
        tally.add(batch, owner)
        if owner.null_count():
            unclaimed.append(batch.frame["_row"].filter(owner.is_null()))
        frame = admission.corrected(batch.frame, owner)
        yield from admission.admitted(site_frames(frame, owner, claims, key, names))
    check_claimed(source, claims, tally.claimed)
    admission.finish()


def _after(
    frames: Iterator[tuple[str, pl.DataFrame]], hashes: Sequence[Future[str]]
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Yield the frames, and end only once each file has proved to be the declared one."""
    yield from frames
    for pending in hashes:
        pending.result()
