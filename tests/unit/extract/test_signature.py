"""What a file is, by its content: a lying extension or format is answered with what the file really is."""

from __future__ import annotations

import io

import pandas as pd
import polars as pl
import pyreadstat
import pytest
from pyarrow import feather

from ember.errors import EmberError
from ember.extract.readers import HEADER_READERS
from ember.extract.signature import check_file, kind_of
from tests.unit.extract.binary_files import ods, ods_row, sas_data_set, spss_portable, xls, xlsx, zipped

FRAME = pd.DataFrame({"id": ["a"], "x": [1.5]})


def written(write, tmp_path, **options):
    write(FRAME, tmp_path / "made", **options)
    return (tmp_path / "made").read_bytes()


FILES = {
    "xlsx": ("excel", lambda _: xlsx([["id"], ["1"]])),
    "ods": ("excel", lambda _: ods(ods_row())),
    "xls": ("excel", lambda _: xls([["id"]])),
    "sav": ("spss", lambda path: written(pyreadstat.write_sav, path)),
    "zsav": ("spss", lambda path: written(pyreadstat.write_sav, path, compress=True)),
    "por": ("spss_portable", lambda _: spss_portable()),
    "dta-15": ("stata", lambda path: written(pyreadstat.write_dta, path)),
    "dta-13": ("stata", lambda path: written(pyreadstat.write_dta, path, version=13)),
    "dta-12": ("stata", lambda path: written(pyreadstat.write_dta, path, version=12)),
    "dta-10": ("stata", lambda path: written(pyreadstat.write_dta, path, version=10)),
    "dta-8": ("stata", lambda path: written(pyreadstat.write_dta, path, version=8)),
    "xpt-5": ("sas_transport", lambda path: written(pyreadstat.write_xport, path, file_format_version=5)),
    "xpt-8": ("sas_transport", lambda path: written(pyreadstat.write_xport, path, file_format_version=8)),
    "sas7bdat": ("sas", lambda _: sas_data_set()),
    "parquet": ("parquet", lambda path: written(lambda frame, to: pl.from_pandas(frame).write_parquet(to), path)),
    "feather-2": ("feather", lambda path: written(feather.write_feather, path)),
}


@pytest.mark.parametrize("name", FILES)
def test_declared_format_passes_and_every_other_is_told_the_truth(make_source, tmp_path, name):
    form, make = FILES[name]
    content = make(tmp_path)
    check_file(make_source(content, form, "lying.csv"))
    for other in sorted(set(HEADER_READERS) - {form}):
        with pytest.raises(EmberError) as error:
            check_file(make_source(content, other, "lying.csv"))
        assert f"`format: {other}`, but the file is" in str(error.value)
        assert f"Write `format: {form}`." in str(error.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(zipped({"xl/workbook.bin": b"x"}), "save it as .xlsx", id="xlsb"),
        pytest.param(zipped({"word/document.xml": b"x"}), "a Word document", id="docx"),
        pytest.param(
            zipped({"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": b""}),
            "no spreadsheet",
            id="odt",
        ),
        pytest.param(b"<!DOCTYPE html><html>", "a web page", id="login-page"),
        pytest.param(b"%PDF-1.7", "a PDF file", id="pdf"),
        pytest.param(b"SQLite format 3\0", "format: sql", id="sqlite"),
        pytest.param(b"7z\xbc\xaf\x27\x1c", "7z archive", id="7z"),
    ],
)
def test_what_no_reader_reads_is_named(make_source, content, words):
    with pytest.raises(EmberError, match=words):
        check_file(make_source(content, "csv"))


def test_text_has_no_signature(tmp_path):
    (tmp_path / "a").write_bytes(b"id,crp\n")
    assert kind_of(tmp_path / "a") is None


def test_first_version_of_feather(tmp_path):
    stream = io.BytesIO()
    with pytest.warns(DeprecationWarning, match="Feather V1"):
        feather.write_feather(FRAME, stream, version=1)
    (tmp_path / "a").write_bytes(stream.getvalue())
    assert kind_of(tmp_path / "a") == ("feather", "", "a Feather file of the first version")
