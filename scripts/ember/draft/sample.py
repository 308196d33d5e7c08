"""The first rows of a source, read by the reader that will read it all."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from ember.errors import EmberError
from ember.extract.packed import unpacked
from ember.extract.stream import open_stream
from ember.extract.table import RawTable
from ember.registry.model import Source

SAMPLE_ROWS = 20_000


@dataclass(frozen=True)
class Sample:
    """The first rows of a source; `whole` tells whether there are no more."""

    table: RawTable
    whole: bool


def sample_of(source: Source, rows: int = SAMPLE_ROWS) -> Sample:
    """Return the first rows of a source.

    Raises
    ------
    EmberError
        The file is not what the hints say, or has no row.
    """
    with unpacked(source, Path(tempfile.gettempdir())) as plain:
        stream = open_stream(plain)
        batches: list[RawTable] = []
        seen, whole = 0, True
        for batch in stream.batches:
            batches.append(batch)
            seen += batch.frame.height
            if seen > rows:
                whole = False
                break
        if not batches or not seen:
            raise EmberError("The file has no data row.", where=source.shown_path)
        frame = pl.concat([batch.frame for batch in batches], how="vertical").head(rows)
        rejected = pl.concat([batch.rejected for batch in batches])
        columns = {name: batches[0].columns.get(name, info) for name, info in stream.columns.items()}
        table = replace(batches[0], frame=frame, rejected=rejected, columns=columns)
        return Sample(table, whole)
