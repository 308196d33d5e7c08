"""A source as batches: memory is bounded by the batch where the format allows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TypeVar

import polars as pl

from ember.extract.csv_file import stream_csv
from ember.extract.parquet_stream import stream_parquet
from ember.extract.readers import READERS
from ember.extract.redcap import with_dictionary
from ember.extract.sas import stream_sas
from ember.extract.sas_transport import stream_sas_transport
from ember.extract.spss import stream_spss
from ember.extract.spss_portable import stream_spss_portable
from ember.extract.stata import stream_stata
from ember.extract.table import RawStream, RawTable, empty_rejected, stream_of, with_missing_codes
from ember.registry.model import Source

Item = TypeVar("Item")

# A format that is not here is read as a whole by its reader.
STREAMS: Mapping[str, Callable[[Source], RawStream]] = {
    "csv": stream_csv,
    "parquet": stream_parquet,
    "spss": stream_spss,
    "spss_portable": stream_spss_portable,
    "stata": stream_stata,
    "sas": stream_sas,
    "sas_transport": stream_sas_transport,
}


def open_stream(source: Source) -> RawStream:
    """Open a source: its columns at once, its rows in batches.

    Columns carry their labels, those of the data dictionary and the missing codes of study.yaml.

    Raises
    ------
    EmberError
        The file is not what study.yaml says; from the batches where only they can tell.
    """
    stream = STREAMS[source.format](source) if source.format in STREAMS else stream_of(READERS[source.format](source))
    return _with_missing_codes(_with_dictionary(stream, source), source)


def _with_dictionary(stream: RawStream, source: Source) -> RawStream:
    if source.dictionary is None:
        return stream
    empty = pl.DataFrame(schema={**dict.fromkeys(stream.names, pl.String()), "_row": pl.Int64()})
    described = with_dictionary(RawTable(empty, stream.sheet, stream.columns, empty_rejected()), source)
    batches = (with_dictionary(batch, source) for batch in stream.batches)
    return replace(stream, columns=described.columns, batches=batches)


def _with_missing_codes(stream: RawStream, source: Source) -> RawStream:
    return replace(stream, columns=with_missing_codes(stream.columns, source.missing_codes))


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Yield the items of an iterator, the next one being made in a thread meanwhile."""
    done = object()
    with ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(next, items, done)
        while (item := coming.result()) is not done:
            coming = pool.submit(next, items, done)
            yield item  # type: ignore[misc]
