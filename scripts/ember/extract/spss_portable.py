"""SPSS portable files (.por)."""

from __future__ import annotations

from ember.extract.signature import check_file
from ember.extract.statistical import Package, read_names, read_statistical, stream_statistical
from ember.extract.table import RawStream, RawTable
from ember.registry.model import Source


def read_spss_portable(source: Source) -> RawTable:
    """Read an SPSS portable file, which carries its own table of characters.

    Raises
    ------
    EmberError
        The file is damaged, cut off, or has no data row.
    """
    return read_statistical(source, _package(source))


def read_spss_portable_header(source: Source) -> list[str]:
    """Return the variable names of an SPSS portable file."""
    return read_names(source, _package(source))


def stream_spss_portable(source: Source) -> RawStream:
    """Read an SPSS portable file in batches."""
    return stream_statistical(source, _package(source))


def _package(source: Source) -> Package:
    check_file(source)
    return Package("por", "spss", None)
