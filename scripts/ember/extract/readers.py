"""The one place that knows which reader reads which format."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ember.extract.csv_file import read_csv, read_csv_header
from ember.extract.excel import read_excel, read_excel_header
from ember.extract.parquet import read_parquet, read_parquet_header
from ember.extract.redcap import with_dictionary
from ember.extract.sas_transport import read_sas_transport, read_sas_transport_header
from ember.extract.spss import read_spss, read_spss_header
from ember.extract.table import RawTable
from ember.registry.model import Source

READERS: Mapping[str, Callable[[Source], RawTable]] = {
    "csv": read_csv,
    "excel": read_excel,
    "spss": read_spss,
    "sas_transport": read_sas_transport,
    "parquet": read_parquet,
}
HEADER_READERS: Mapping[str, Callable[[Source], list[str]]] = {
    "csv": read_csv_header,
    "excel": read_excel_header,
    "spss": read_spss_header,
    "sas_transport": read_sas_transport_header,
    "parquet": read_parquet_header,
}


def read_table(source: Source) -> RawTable:
    """Read a source as text, with its labels and those of its data dictionary.

    Raises
    ------
    EmberError
        The file is not what study.yaml says.
    """
    return with_dictionary(READERS[source.format](source), source)


def read_header(source: Source) -> list[str]:
    """Return the column names of a source without reading its rows."""
    return HEADER_READERS[source.format](source)
