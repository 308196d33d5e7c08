"""SPSS files (.sav, .zsav)."""

from __future__ import annotations

from typing import Any

from ember.errors import EmberError
from ember.extract.signature import check_file
from ember.extract.statistical import LIBRARY_ENCODINGS, read_statistical, statistical_table
from ember.extract.table import RawTable, column_names
from ember.registry.model import Source

# Dates that pyreadstat leaves as seconds unless told: months, quarters and weeks.
FURTHER_DATES = ("MOYR", "QYR", "WKYR")


def read_spss(source: Source) -> RawTable:
    """Read an SPSS file; user-missing codes stay in the cells and are declared in the metadata.

    The file names its own encoding; an `encoding:` other than utf-8 in study.yaml overrides it.

    Raises
    ------
    EmberError
        The file is damaged, cut off, in another encoding, or has no data row.
    """
    from pyreadstat import read_sav

    meta = _metadata(source)
    formats = (meta.original_variable_types or {}).values()
    frame, meta = read_statistical(
        source,
        read_sav,
        user_missing=True,
        encoding=_encoding(source),
        extra_date_formats=[name for name in formats if name and name.startswith(FURTHER_DATES)] or None,
    )
    if meta.number_rows is not None and 0 <= meta.number_rows != frame.height:
        raise EmberError(
            f"The file announces {meta.number_rows} rows and holds {frame.height}: it is cut off.",
            where=source.shown_path,
            fix="Export it again.",
        )
    return statistical_table(source, frame, meta)


def read_spss_header(source: Source) -> list[str]:
    """Return the variable names of an SPSS file."""
    return column_names(list(_metadata(source).column_names), source)


def _metadata(source: Source) -> Any:
    from pyreadstat import read_sav

    check_file(source)
    return read_statistical(source, read_sav, metadataonly=True, encoding=_encoding(source))[1]


def _encoding(source: Source) -> str | None:
    return None if source.encoding == "utf-8" else LIBRARY_ENCODINGS[source.encoding]
