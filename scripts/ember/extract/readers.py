"""The one place that knows which reader reads which format."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from ember.extract.csv_file import read_csv, read_csv_header
from ember.extract.excel import read_excel, read_excel_header
from ember.extract.feather import read_feather, read_feather_header
from ember.extract.packed import unpacked
from ember.extract.parquet import read_parquet, read_parquet_header
from ember.extract.redcap import with_dictionary
from ember.extract.sas import read_sas, read_sas_header
from ember.extract.sas_transport import read_sas_transport, read_sas_transport_header
from ember.extract.spss import read_spss, read_spss_header
from ember.extract.spss_portable import read_spss_portable, read_spss_portable_header
from ember.extract.stata import read_stata, read_stata_header
from ember.extract.table import RawTable
from ember.registry.model import Source

READERS: Mapping[str, Callable[[Source], RawTable]] = {
    "csv": read_csv,
    "excel": read_excel,
    "spss": read_spss,
    "spss_portable": read_spss_portable,
    "stata": read_stata,
    "sas_transport": read_sas_transport,
    "sas": read_sas,
    "parquet": read_parquet,
    "feather": read_feather,
}
HEADER_READERS: Mapping[str, Callable[[Source], list[str]]] = {
    "csv": read_csv_header,
    "excel": read_excel_header,
    "spss": read_spss_header,
    "spss_portable": read_spss_portable_header,
    "stata": read_stata_header,
    "sas_transport": read_sas_transport_header,
    "sas": read_sas_header,
    "parquet": read_parquet_header,
    "feather": read_feather_header,
}


def read_table(source: Source, folder: Path | None = None) -> RawTable:
    """Read a source as text, with its labels and those of its data dictionary.

    Parameters
    ----------
    folder : Path, optional
        Where a packed file is unpacked while it is read; default the machine's temporary folder.

    Raises
    ------
    EmberError
        The file is not what study.yaml says.
    """
    with unpacked(source, folder or Path(tempfile.gettempdir())) as plain:
        return with_dictionary(READERS[plain.format](plain), plain)


def read_header(source: Source, folder: Path | None = None) -> list[str]:
    """Return the column names of a source without reading its rows."""
    with unpacked(source, folder or Path(tempfile.gettempdir())) as plain:
        return HEADER_READERS[plain.format](plain)
