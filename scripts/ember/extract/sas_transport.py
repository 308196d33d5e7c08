"""SAS transport files (.xpt, versions 5 and 8)."""

from __future__ import annotations

from ember.errors import EmberError
from ember.extract.signature import check_file
from ember.extract.statistical import (
    LIBRARY_ENCODINGS,
    Package,
    read_names,
    read_statistical,
    stream_statistical,
)
from ember.extract.table import RawStream, RawTable
from ember.registry.model import Source

RECORD = 80
MEMBER_HEADERS = (b"HEADER RECORD*******MEMBER  HEADER RECORD", b"HEADER RECORD*******MEMBV8  HEADER RECORD")
CHUNK_RECORDS = 1 << 15


def read_sas_transport(source: Source) -> RawTable:
    """Read a SAS transport file; the encoding is the declared one, for the format names none.

    Special missing values (._ and .A to .Z) stand in the cells and are declared missing.

    Raises
    ------
    EmberError
        The file is damaged, cut off, holds several data sets, is in another encoding, or has no data row.

    Notes
    -----
    The format does not say how many rows there are, so a file cut exactly at a record looks whole; a
    declared SHA-256 finds that.
    """
    return read_statistical(source, _package(source))


def read_sas_transport_header(source: Source) -> list[str]:
    """Return the variable names of a SAS transport file."""
    return read_names(source, _package(source))


def stream_sas_transport(source: Source) -> RawStream:
    """Read a SAS transport file in batches."""
    return stream_statistical(source, _package(source))


def _package(source: Source) -> Package:
    check_file(source)
    _check_records(source)
    return Package("xport", "sas", LIBRARY_ENCODINGS[source.encoding], tags=True)


def _check_records(source: Source) -> None:
    size = source.path.stat().st_size
    if size % RECORD:
        raise EmberError(
            f"The file has {size} bytes, which is not a multiple of {RECORD}: it is cut off or changed.",
            where=source.shown_path,
            fix="Fetch it again as a binary file.",
        )
    members = _count_members(source)
    if members != 1:
        raise EmberError(
            f"The file holds {members} data sets; one is read.",
            where=source.shown_path,
            fix="Export each data set to its own file.",
        )


def _count_members(source: Source) -> int:
    count = 0
    with source.path.open("rb") as content:
        while piece := content.read(RECORD * CHUNK_RECORDS):
            if any(header in piece for header in MEMBER_HEADERS):
                records = (piece[start : start + RECORD] for start in range(0, len(piece), RECORD))
                count += sum(record.startswith(MEMBER_HEADERS) for record in records)
    return count
