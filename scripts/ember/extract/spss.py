"""SPSS files (.sav, .zsav)."""

from __future__ import annotations

from ember.extract.signature import check_file
from ember.extract.spss_text import refuse_nul_in_text
from ember.extract.statistical import Package, declared_encoding, read_names, read_statistical, stream_statistical
from ember.extract.table import RawStream, RawTable
from ember.registry.model import Source


def read_spss(source: Source) -> RawTable:
    """Read an SPSS file; user-missing codes stay in the cells and are declared in the metadata.

    The file names its own encoding; an `encoding:` other than utf-8 in study.yaml overrides it.

    Raises
    ------
    EmberError
        The file is damaged, cut off, in another encoding, has no data row, or a text with a NUL inside.
    """
    package = _package(source)
    refuse_nul_in_text(source)
    return read_statistical(source, package)


def read_spss_header(source: Source) -> list[str]:
    """Return the variable names of an SPSS file."""
    return read_names(source, _package(source))


def stream_spss(source: Source) -> RawStream:
    """Read an SPSS file in batches."""
    package = _package(source)
    refuse_nul_in_text(source)
    return stream_statistical(source, package)


def _package(source: Source) -> Package:
    check_file(source)
    return Package("sav/zsav", "spss", declared_encoding(source))
