"""Is the file there, and is it what study.yaml says it is?"""

from __future__ import annotations

from ember.errors import EmberError
from ember.registry.model import Source

# The first bytes of a file tell its format whatever its name says.
SIGNATURES: tuple[tuple[bytes, str, str], ...] = (
    (b"PK\x03\x04", "excel", "an Excel workbook or another zip file"),
    (b"\xd0\xcf\x11\xe0", "excel", "an old or an encrypted Excel workbook"),
    (b"PAR1", "parquet", "a Parquet file"),
    (b"$FL2", "spss", "an SPSS file"),
    (b"$FL3", "spss", "a compressed SPSS file"),
    (b"HEADER RECORD*******", "sas_transport", "a SAS transport file"),
    (b"\x1f\x8b", "", "a gzip file"),
    (b"<!DOCTYPE", "", "a web page"),
    (b"<!doctype", "", "a web page"),
    (b"<html", "", "a web page"),
    (b"<stata_dta>", "", "a Stata file"),
    (b"%PDF", "", "a PDF file"),
)


def check_file(source: Source) -> None:
    """Refuse a file that is absent, empty, or not of the declared format.

    Raises
    ------
    EmberError
        Names the file, what it looks like and what was declared.
    """
    if not source.path.is_file():
        raise EmberError(
            "The file does not exist.",
            where=source.shown_path,
            fix="Check `path:` of the source and the data folder in study.yaml.",
        )
    with source.path.open("rb") as content:
        start = content.read(32)
    if not start:
        raise EmberError("The file is empty: it has 0 bytes.", where=source.shown_path, fix="Export it again.")
    actual = next(((form, words) for sign, form, words in SIGNATURES if start.startswith(sign)), None)
    if actual is not None and actual[0] != source.format:
        raise EmberError(
            f"study.yaml says `format: {source.format}`, but the file is {actual[1]}.",
            where=source.shown_path,
            fix=f"Write `format: {actual[0]}`." if actual[0] else "Export it again in the declared format.",
        )
    if actual is None and source.format != "csv":
        raise EmberError(
            f"study.yaml says `format: {source.format}`, but the file does not start like one.",
            where=source.shown_path,
            fix="Correct `format:`, or export the file again.",
        )
