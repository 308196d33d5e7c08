"""The frozen tables are those that their script makes."""

from __future__ import annotations

import pytest
from polars.testing import assert_frame_equal

from tests.reference import make_data


@pytest.mark.parametrize(
    ("name", "make"),
    [pytest.param("trial", make_data.trial, id="trial"), pytest.param("survey", make_data.survey, id="survey")],
)
def test_frozen_table(table, name, make):
    assert_frame_equal(table(name), make(), check_dtypes=False)
