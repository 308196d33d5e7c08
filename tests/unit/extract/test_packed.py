"""Packed files: read whole, and refused without a trace when they lie, explode or lead outside."""

from __future__ import annotations

import gzip
import io
import stat
import struct
import zipfile

import pandas as pd
import polars as pl
import pyreadstat
import pytest
from pyarrow import feather

from ember.errors import EmberError
from ember.extract import packed
from ember.extract.packed import unpacked
from ember.extract.readers import read_header, read_table
from ember.extract.signature import check_file
from tests.unit.extract.binary_files import sas_data_set, spss_portable, xls, xlsx, zipped

TEXT = b"id,crp\n01,1.5\n02,\n"
ROWS = [("01", "1.5"), ("02", "")]


def made(form, tmp_path):
    """Return the same two rows in a format."""
    frame = pd.DataFrame({"id": ["01", "02"], "crp": [1.5, None]})
    path = tmp_path / "made"
    match form:
        case "csv":
            return TEXT
        case "excel":
            return xlsx([["id", "crp"], ["01", 1.5], ["02", None]])
        case "spss":
            pyreadstat.write_sav(frame, path)
        case "stata":
            pyreadstat.write_dta(frame, path)
        case "sas_transport":
            pyreadstat.write_xport(frame, path)
        case "parquet":
            pl.DataFrame({"id": ["01", "02"], "crp": [1.5, None]}).write_parquet(path)
        case "feather":
            feather.write_feather(frame, path)
    return path.read_bytes()


def left_behind(folder):
    return [str(path.relative_to(folder)) for path in folder.rglob("*")]


FORMATS = ["csv", "excel", "spss", "stata", "sas_transport", "parquet", "feather"]


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("compression", ["gzip", "zip"])
def test_every_format_reads_the_same_from_a_packed_file(make_source, tmp_path, form, compression):
    content = made(form, tmp_path)
    content = gzip.compress(content) if compression == "gzip" else zipped({"folder/extract": content})
    source = make_source(content, form, compression=compression, sheet="Data" if form == "excel" else None)
    folder = tmp_path / "private"
    table = read_table(source, folder)
    assert table.frame.drop("_row").rows() == ROWS
    assert read_header(source, folder) == ["id", "crp"]
    assert left_behind(folder) == []


@pytest.mark.parametrize(
    ("content", "form", "rows"),
    [
        pytest.param(sas_data_set(), "sas", 5, id="sas7bdat"),
        pytest.param(spss_portable(), "spss_portable", 5, id="por"),
        pytest.param(xls([["id"], ["1"]]), "excel", 1, id="xls"),
    ],
)
def test_formats_without_a_writer(make_source, tmp_path, content, form, rows):
    source = make_source(gzip.compress(content), form, compression="gzip", sheet="Data")
    assert read_table(source, tmp_path / "private").n_rows == rows


def test_nothing_packed_is_the_same_source(make_source, tmp_path):
    source = make_source(TEXT)
    with unpacked(source, tmp_path / "private") as plain:
        assert plain is source
    assert not (tmp_path / "private").exists()


def test_folder_is_private_and_goes_after_an_error(make_source, tmp_path):
    source = make_source(zipped({"a.csv": TEXT}), compression="zip")
    with pytest.raises(RuntimeError, match="inside"), unpacked(source, tmp_path / "private") as plain:
        assert stat.S_IMODE(plain.path.parent.stat().st_mode) == 0o700
        assert stat.S_IMODE(plain.path.stat().st_mode) == 0o600
        assert plain.path.parent.parent == tmp_path / "private"
        assert plain.shown_path == "data/extract.dat  member a.csv"
        raise RuntimeError("inside")
    assert left_behind(tmp_path / "private") == []


def test_gzip_of_several_parts_is_read_whole(make_source, tmp_path):
    source = make_source(gzip.compress(b"id,crp\n01,1.5\n") + gzip.compress(b"02,\n"), compression="gzip")
    assert read_table(source, tmp_path / "private").frame.drop("_row").rows() == ROWS


def test_declared_member_is_read_and_what_a_mac_adds_is_no_member(make_source, tmp_path):
    several = zipped({"a.csv": b"x,y\n1,2\n", "b/c.csv": TEXT})
    source = make_source(several, compression="zip", member="b/c.csv")
    assert read_table(source, tmp_path).frame.drop("_row").rows() == ROWS
    beside = zipped({"b/": b"", "b/c.csv": TEXT, "__MACOSX/b/._c.csv": b"junk", "b/.DS_Store": b"junk"})
    assert read_table(make_source(beside, compression="zip"), tmp_path).frame.drop("_row").rows() == ROWS


def link():
    entry = zipfile.ZipInfo("link.csv")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(entry, "/etc/passwd")
    return stream.getvalue()


def twice():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("a.csv", TEXT)
        archive.writestr("a.csv", TEXT)
    return stream.getvalue()


def flagged(content):
    """Set the flag of encryption in both headers."""
    central = content.index(b"PK\x01\x02")
    changed = bytearray(content)
    changed[6] |= 1
    changed[central + 8] |= 1
    return bytes(changed)


def announcing(content, size):
    """Let the archive announce another unpacked size."""
    central = content.index(b"PK\x01\x02")
    changed = bytearray(content)
    changed[22:26] = changed[central + 24 : central + 28] = struct.pack("<I", size)
    return bytes(changed)


SEVERAL = zipped({"north.csv": TEXT, "south.csv": TEXT})
GZIP, ZIP = gzip.compress(TEXT * 50), zipped({"a.csv": TEXT * 50})


@pytest.mark.parametrize(
    ("content", "compression", "keys", "words"),
    [
        pytest.param(SEVERAL, "zip", {}, ["holds 2 files", "north.csv, south.csv", "member:"], id="several"),
        pytest.param(SEVERAL, "zip", {"member": "noth.csv"}, ["no file 'noth.csv'", "Nearest: north.csv"], id="member"),
        pytest.param(twice(), "zip", {"member": "a.csv"}, ["two files of the same name"], id="same-name-twice"),
        pytest.param(zipped({}), "zip", {}, ["an empty zip file"], id="empty-archive"),
        pytest.param(zipped({"d/": b""}), "zip", {}, ["holds no file"], id="only-a-folder"),
        pytest.param(zipped({"../a.csv": TEXT}), "zip", {}, ["leads outside"], id="parent"),
        pytest.param(zipped({"x/../../a.csv": TEXT}), "zip", {}, ["leads outside"], id="parent-inside"),
        pytest.param(zipped({"/etc/a.csv": TEXT}), "zip", {}, ["leads outside"], id="absolute"),
        pytest.param(zipped({"C:\\a.csv": TEXT}), "zip", {}, ["leads outside"], id="drive"),
        pytest.param(zipped({"..\\a.csv": TEXT}), "zip", {}, ["leads outside"], id="parent-of-windows"),
        pytest.param(zipped({"a.csv": TEXT, "../b": b""}), "zip", {"member": "a.csv"}, ["leads outside"], id="beside"),
        pytest.param(link(), "zip", {}, ["a link instead of a file"], id="link"),
        pytest.param(flagged(ZIP), "zip", {}, ["protected by a password"], id="encrypted"),
        pytest.param(zipped({"a.zip": ZIP}), "zip", {}, ["member a.zip", "itself a zip file"], id="zip-in-zip"),
        pytest.param(zipped({"a.gz": GZIP}), "zip", {}, ["itself a gzip file"], id="gzip-in-zip"),
        pytest.param(gzip.compress(GZIP), "gzip", {}, ["itself a gzip file"], id="gzip-in-gzip"),
        pytest.param(announcing(ZIP, 20), "zip", {}, ["not what it announces"], id="larger-than-announced"),
        pytest.param(announcing(ZIP, 9_999), "zip", {}, ["not what it announces"], id="smaller-than-announced"),
        pytest.param(ZIP.replace(b"PK\x01\x02", b"PK\x01\x09"), "zip", {}, ["damaged"], id="no-directory"),
        pytest.param(ZIP[:60], "zip", {}, ["damaged, cut off"], id="zip-cut-off"),
        pytest.param(GZIP[:-12], "gzip", {}, ["damaged, cut off"], id="gzip-cut-off"),
        pytest.param(GZIP[:-8] + b"abcd" + GZIP[-4:], "gzip", {}, ["damaged"], id="gzip-checksum"),
        pytest.param(GZIP + b"garbage", "gzip", {}, ["damaged"], id="gzip-with-garbage"),
        pytest.param(gzip.compress(b""), "gzip", {}, ["unpacked file is empty"], id="nothing-inside"),
        pytest.param(gzip.compress(b"%PDF-1.7"), "gzip", {}, ["a PDF file"], id="another-format-inside"),
        pytest.param(ZIP, "gzip", {}, ["says `compression: gzip`", "a zip file", "compression: zip"], id="really-zip"),
        pytest.param(GZIP, "zip", {}, ["says `compression: zip`", "compression: gzip"], id="really-gzip"),
        pytest.param(TEXT, "gzip", {}, ["take it out if the file is not packed"], id="not-packed"),
        pytest.param(b"BZh91AY", "zip", {}, ["bzip2"], id="bzip2"),
    ],
)
def test_refused_and_nothing_left_behind(make_source, tmp_path, content, compression, keys, words):
    source = make_source(content, compression=compression, **keys)
    before = left_behind(tmp_path)
    with pytest.raises(EmberError) as error:
        read_table(source, tmp_path / "private")
    assert all(word in str(error.value) for word in ["data/extract.dat", *words]), str(error.value)
    assert set(left_behind(tmp_path)) - {"private"} == set(before)


@pytest.mark.parametrize("compression", ["gzip", "zip"])
@pytest.mark.parametrize(
    ("limit", "value"),
    [pytest.param("RATIO_FROM", 10**6, id="ratio"), pytest.param("MOST_BYTES", 10**6, id="absolute")],
)
def test_a_bomb_is_refused_at_the_limit(make_source, tmp_path, monkeypatch, compression, limit, value):
    # The limits are lowered so that a test needs no gigabyte.
    monkeypatch.setattr(packed, limit, value)
    content = b"id\n" + b"0" * 3 * 10**6
    content = gzip.compress(content) if compression == "gzip" else zipped({"a.csv": content})
    with pytest.raises(EmberError, match="which no table does"):
        read_table(make_source(content, compression=compression), tmp_path / "private")
    assert left_behind(tmp_path / "private") == []


def test_limits_are_those_that_the_documentation_states():
    assert (packed.RATIO, packed.RATIO_FROM, packed.MOST_BYTES) == (200, 100 * 10**6, 64 * 10**9)


def test_a_full_disk_is_told(make_source, tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "DISK_RESERVE", 1 << 60)
    with pytest.raises(EmberError, match="The disk is too full"):
        read_table(make_source(GZIP, compression="gzip"), tmp_path / "private")
    assert left_behind(tmp_path / "private") == []


@pytest.mark.parametrize(
    ("content", "word"), [pytest.param(GZIP, "gzip", id="gzip"), pytest.param(ZIP, "zip", id="zip")]
)
def test_an_undeclared_packed_file_is_told_how_to_declare_it(make_source, content, word):
    with pytest.raises(EmberError, match=f"is a {word} file\\.\n.*Write `compression: {word}`"):
        check_file(make_source(content))
