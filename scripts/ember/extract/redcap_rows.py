"""What a REDCap dictionary means for the rows of an export: identifiers stay out, repeating rows have a table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ember.extract.claims import Claim
from ember.extract.columns import mapped_columns
from ember.extract.redcap import (
    REPEAT,
    dictionary_fields,
    identifiers_of,
    repeat_counts,
    repeat_findings,
    shown_dictionary,
)
from ember.extract.table import RawStream, RawTable
from ember.registry.model import Source
from ember.registry.registry import Registry


def without_identifiers(
    stream: RawStream, sources: Sequence[Source], claims: Sequence[Claim], registry: Registry
) -> RawStream:
    """Return the stream without the columns that a project marks as identifiers and no site file maps.

    Parameters
    ----------
    sources : sequence of Source
        The source itself and those from which it brings columns.
    """
    marked = set().union(*(identifiers_of(source) for source in sources))
    mapped = {column for _, table in claims for column, _ in mapped_columns(table, registry, stream.names)}
    unwanted = [name for name in stream.names if name in marked - mapped]
    if not unwanted:
        return stream
    return replace(
        stream,
        names=[name for name in stream.names if name not in unwanted],
        columns={name: info for name, info in stream.columns.items() if name not in unwanted},
        batches=(replace(batch, frame=batch.frame.drop(unwanted)) for batch in stream.batches),
    )


def with_repeats_told(stream: RawStream, source: Source, claims: Sequence[Claim]) -> RawStream:
    """Return the stream, which ends in an error if rows repeat an instrument and no site file tells them apart.

    Notes
    -----
    Where a site file does tell them apart, the instruments it leaves out are rows that no site claims, and are
    counted as such.
    """
    tables = [table for _, table in claims]
    if REPEAT not in stream.names or any(table.rows and table.rows.column == REPEAT for table in tables):
        return stream
    return replace(stream, batches=_counted(stream, source, claims))


def _counted(stream: RawStream, source: Source, claims: Sequence[Claim]) -> Iterator[RawTable]:
    counts: Counter[str] = Counter()
    for batch in stream.batches:
        counts.update(repeat_counts(batch.frame))
        yield batch
    fields = dictionary_fields(source.dictionary, shown_dictionary(source)) if source.dictionary else ()
    forms = {field.form for field in fields}
    for finding in repeat_findings(counts, [table for _, table in claims], source.shown_path, forms):
        raise finding
