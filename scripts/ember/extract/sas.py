"""SAS data sets (.sas7bdat); special missing values keep their letter."""

from __future__ import annotations

from ember.extract.signature import check_file
from ember.extract.statistical import Package, declared_encoding, read_names, read_statistical, stream_statistical
from ember.extract.table import RawStream, RawTable
from ember.registry.model import Source


def read_sas(source: Source) -> RawTable:
    """Read a SAS data set; ._ and .A to .Z stand in the cells and are declared missing.

    The file names its own encoding; an `encoding:` other than utf-8 in study.yaml overrides it. Value labels
    lie in a catalogue of their own, which is not read.

    Raises
    ------
    EmberError
        The file is damaged, cut off, in another encoding, or has no data row.
    """
    return read_statistical(source, _package(source))


def read_sas_header(source: Source) -> list[str]:
    """Return the variable names of a SAS data set."""
    return read_names(source, _package(source))


def stream_sas(source: Source) -> RawStream:
    """Read a SAS data set in batches."""
    return stream_statistical(source, _package(source))


def _package(source: Source) -> Package:
    check_file(source)
    return Package("sas7bdat", "sas", declared_encoding(source), tags=True)
