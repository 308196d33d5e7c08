"""SAS data sets: special missing values are shown. No program here writes the format, so one file stands for it."""

from __future__ import annotations

import pytest

from ember.errors import EmberError
from ember.extract.sas import read_sas, read_sas_header, stream_sas
from ember.extract.table import whole
from tests.unit.extract.binary_files import sas_data_set


def test_cells_labels_and_special_missing_values(make_source):
    source = make_source(sas_data_set(), "sas")
    table = read_sas(source)
    assert read_sas_header(source) == table.names == ["ID", "CRP", "DAY"]
    assert table.frame.rows() == [
        ("P01", "0", "2020-01-02", 1),
        ("P02", "", "", 2),
        ("Åsa", ".A", "1960-01-01", 3),
        ("P04", "._", "2020-01-03", 4),
        ("P05", "12.5", "1959-12-31", 5),
    ]
    assert table.columns["CRP"].label == "CRP (mg/L)"
    assert table.columns["CRP"].missing_values == (".A", "._")
    assert table.columns["DAY"].type == "DATE9"
    assert whole(stream_sas(source)).frame.equals(table.frame)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_cut_off_file_is_refused(make_source, share):
    content = sas_data_set()
    with pytest.raises(EmberError, match="damaged or cut off"):
        read_sas(make_source(content[: int(len(content) * share)], "sas"))


def test_other_content_is_refused(make_source):
    with pytest.raises(EmberError, match="does not start like one"):
        read_sas(make_source(bytes(64), "sas"))
