"""A source as every step sees it: unpacked, with its dictionary and the columns that it joins."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import gettempdir

from ember.extract.join import with_joins
from ember.extract.packed import unpacked
from ember.extract.stream import open_stream
from ember.extract.table import RawStream, RawTable, whole
from ember.registry.model import Source


def open_source(source: Source, sources: Mapping[str, Source], folder: Path, packed: ExitStack) -> RawStream:
    """Open a source and those that it joins.

    Parameters
    ----------
    sources : mapping
        All sources of the study.
    folder : Path
        Where packed files are unpacked.
    packed : ExitStack
        Keeps what was unpacked until the rows have been read.

    Raises
    ------
    EmberError
        A file is not what study.yaml says, or the join does not fit.
    """

    def opened(one: Source) -> RawStream:
        return open_stream(packed.enter_context(unpacked(one, folder)))

    return with_joins(opened(source), source, lambda other: opened(sources[other]))


def read_joined(source: Source, sources: Mapping[str, Source]) -> RawTable:
    """Read a whole source with the columns that it joins."""
    with ExitStack() as packed:
        return whole(open_source(source, sources, Path(gettempdir()), packed))
