"""Feather files of both versions: the types of the file become text."""

from __future__ import annotations

import datetime as dt
import io

import pyarrow as pa
import pytest
from pyarrow import feather

from ember.errors import EmberError
from ember.extract.feather import read_feather, read_feather_header

TABLE = pa.table(
    {
        "id": ["01", None],
        "crp": [1.0, 1e-5],
        "day": pa.array([dt.date(2024, 1, 2), None]),
        "arm": pa.array(["a", "b"]).dictionary_encode(),
        "single": pa.array([0.1, None], pa.float32()),
    }
)


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.filterwarnings("ignore:Feather V1:DeprecationWarning")
def test_cells_and_types(make_source, version):
    stream = io.BytesIO()
    feather.write_feather(TABLE, stream, version=version)
    source = make_source(stream.getvalue(), "feather")
    table = read_feather(source)
    assert read_feather_header(source) == table.names == ["id", "crp", "day", "arm", "single"]
    assert table.frame.rows() == [("01", "1", "2024-01-02", "a", "0.1", 1), ("", "0.00001", "", "b", "", 2)]
    assert table.columns["crp"].type == "Float64"


def test_no_rows_is_refused(make_source):
    stream = io.BytesIO()
    feather.write_feather(TABLE.slice(0, 0), stream)
    with pytest.raises(EmberError, match="no data row"):
        read_feather(make_source(stream.getvalue(), "feather"))


def test_a_nul_in_a_text_is_refused_and_not_shown(make_source):
    source = make_source(None, "feather")
    feather.write_feather(pa.table({"id": ["1", "KANARIE\0"]}), source.path)
    with pytest.raises(EmberError, match="NUL") as caught:
        read_feather(source)
    assert "KANARIE" not in str(caught.value)
