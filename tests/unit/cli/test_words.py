"""Numbers and what they count."""

from __future__ import annotations

import pytest

from ember.cli.words import counted


@pytest.mark.parametrize(
    ("number", "many", "expected"),
    [
        pytest.param(0, "", "0 querys", id="none"),
        pytest.param(1, "queries", "1 query", id="one"),
        pytest.param(2, "queries", "2 queries", id="two"),
        pytest.param(12345, "", "12,345 querys", id="thousands"),
    ],
)
def test_counted(number: int, many: str, expected: str) -> None:
    assert counted(number, "query", many) == expected
