"""Stata files (.dta); extended missing values keep their letter."""

from __future__ import annotations

import re

from ember.extract.signature import check_file
from ember.extract.statistical import (
    LIBRARY_ENCODINGS,
    Package,
    declared_encoding,
    read_names,
    read_statistical,
    stream_statistical,
)
from ember.extract.table import RawStream, RawTable
from ember.registry.model import Source

FIRST_UNICODE_RELEASE = 118


def read_stata(source: Source) -> RawTable:
    """Read a Stata file; .a to .z stand in the cells and are declared missing, a plain missing value is empty.

    Files since Stata 14 are UTF-8; older ones name no encoding, so theirs is the declared one.

    Raises
    ------
    EmberError
        The file is damaged, cut off, in another encoding, or has no data row.
    """
    return read_statistical(source, _package(source))


def read_stata_header(source: Source) -> list[str]:
    """Return the variable names of a Stata file."""
    return read_names(source, _package(source))


def stream_stata(source: Source) -> RawStream:
    """Read a Stata file in batches."""
    return stream_statistical(source, _package(source))


def _package(source: Source) -> Package:
    check_file(source)
    with source.path.open("rb") as content:
        start = content.read(64)
    release = re.match(rb"<stata_dta><header><release>(\d+)</release>", start)
    unicode = release is not None and int(release[1]) >= FIRST_UNICODE_RELEASE
    encoding = declared_encoding(source) if unicode else LIBRARY_ENCODINGS[source.encoding]
    return Package("dta", "stata", encoding, tags=True)
