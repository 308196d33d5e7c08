"""SAS transport files: zero is zero, and a file that was cut or joined is refused."""

from __future__ import annotations

import pandas as pd
import pyreadstat
import pytest

from ember.errors import EmberError
from ember.extract.sas_transport import read_sas_transport, read_sas_transport_header, stream_sas_transport
from ember.extract.table import whole


@pytest.fixture
def xpt(make_source, tmp_path):
    frame = pd.DataFrame({"SEQN": [1.0, 2.0, 3.0], "CRP": [0.0, 0.11, float("nan")], "NAME": ["å", "b", ""]})
    pyreadstat.write_xport(
        frame, tmp_path / "made.xpt", column_labels=["Number", "CRP (mg/L)", ""], file_format_version=5
    )
    return make_source((tmp_path / "made.xpt").read_bytes(), "sas_transport", "CRP.XPT")


def test_cells_and_labels(xpt):
    table = read_sas_transport(xpt)
    assert read_sas_transport_header(xpt) == table.names == ["SEQN", "CRP", "NAME"]
    assert table.frame.rows() == [("1", "0", "å", 1), ("2", "0.11", "b", 2), ("3", "", "", 3)]
    assert table.columns["CRP"].label == "CRP (mg/L)"


def test_declared_encoding_is_used(xpt):
    xpt.path.write_bytes(xpt.path.read_bytes().replace("å".encode(), b"\xe5 "))
    with pytest.raises(EmberError, match="another encoding"):
        read_sas_transport(xpt)
    latin = type(xpt)(**{**xpt.__dict__, "encoding": "latin-1"})
    assert read_sas_transport(latin).frame["NAME"][0] == "å"


def test_cut_off_file_is_refused(xpt):
    xpt.path.write_bytes(xpt.path.read_bytes()[:-7])
    with pytest.raises(EmberError, match="not a multiple of 80"):
        read_sas_transport(xpt)


def test_several_data_sets_are_refused(xpt):
    content = xpt.path.read_bytes()
    xpt.path.write_bytes(content + content[240:])
    with pytest.raises(EmberError, match="2 data sets"):
        read_sas_transport(xpt)


def test_other_content_is_refused(make_source):
    with pytest.raises(EmberError, match="does not start like one"):
        read_sas_transport(make_source(b"x" * 80, "sas_transport"))


def test_real_nhanes_file(make_source, real_data):
    table = read_sas_transport(make_source(real_data("nhanes/HSCRP_I.XPT").read_bytes(), "sas_transport"))
    assert table.names == ["SEQN", "LBXHSCRP", "LBDHRPLC"]
    assert table.frame.row(0) == ("83732", "0.6", "0", 1)
    assert table.columns["LBXHSCRP"].label == "HS C-Reactive Protein (mg/L)"
    assert table.n_rows == 9165


def test_real_file_of_version_8(make_source, real_data):
    content = real_data("formats/pyreadstat/dates_xpt_v8.xpt").read_bytes()
    table = read_sas_transport(make_source(content, "sas_transport"))
    assert table.frame["dates"][0] == "1959-12-30"
    assert table.frame["dt"][0] == "1959-12-30T23:59:59"
    assert table.frame["missings"].to_list()[:3] == ["1", "", "3"]


def test_special_missing_values_are_shown(make_source, tmp_path):
    frame = pd.DataFrame({"ID": ["a", "b", "c"], "CRP": [1.0, 3.140625, 2.171875]})
    pyreadstat.write_xport(frame, tmp_path / "made.xpt", file_format_version=5)
    content = (tmp_path / "made.xpt").read_bytes()
    # 3.140625 and 2.171875 as the IBM floats that the format holds; a special missing value is its letter and zeros.
    for number, letter in ((b"\x41\x32\x40", b"A\0\0"), (b"\x41\x22\xc0", b"_\0\0")):
        assert content.count(number + bytes(5)) == 1
        content = content.replace(number + bytes(5), letter + bytes(5))
    source = make_source(content, "sas_transport")
    table = read_sas_transport(source)
    assert table.frame["CRP"].to_list() == ["1", ".A", "._"]
    assert table.columns["CRP"].missing_values == (".A", "._")
    assert whole(stream_sas_transport(source)).frame.equals(table.frame)
