"""SPSS portable files: what the user declared missing stays, and is declared."""

from __future__ import annotations

import pytest

from ember.errors import EmberError
from ember.extract.spss_portable import read_spss_portable, read_spss_portable_header, stream_spss_portable
from ember.extract.table import whole
from tests.unit.extract.binary_files import spss_portable


def test_user_missing_values_stay_and_are_declared(make_source):
    source = make_source(spss_portable(), "spss_portable")
    table = read_spss_portable(source)
    assert read_spss_portable_header(source) == table.names == ["ID", "BDI"]
    assert table.frame.rows() == [
        ("P01", "12", 1),
        ("P02", "-9", 2),
        ("P03", "99", 3),
        ("P04", "", 4),
        ("P05", "0.25", 5),
    ]
    info = table.columns["BDI"]
    assert (info.label, info.missing_values, info.missing_ranges) == ("Sum of BDI", ("-9",), ((90.0, 99.0),))
    assert info.value_labels == {"99": "refused"}
    assert whole(stream_spss_portable(source)).frame.equals(table.frame)


@pytest.mark.parametrize("size", [500, 600, 670])
def test_cut_off_file_is_refused(make_source, size):
    with pytest.raises(EmberError, match="damaged or cut off"):
        read_spss_portable(make_source(spss_portable()[:size], "spss_portable"))
