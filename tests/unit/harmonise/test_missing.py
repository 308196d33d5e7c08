from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from ember.harmonise.missing import missing_rule

SPSS: dict[str, Any] = {"missing_values": ["99", "K"], "missing_ranges": [[900.0, 999.0], [-1e300, -100.0]]}


def rule(text: str, declared: tuple[str, ...] = (), metadata: dict[str, Any] | None = None, decimal: str = ".") -> Any:
    frame = pl.DataFrame({"text": [text]})
    return frame.select(missing_rule(pl.col("text"), declared, metadata or {}, decimal)).item()


@pytest.mark.parametrize(
    ("text", "declared", "metadata", "decimal", "expected"),
    [
        pytest.param("-9", ("-9",), {}, ".", "value.missing_code", id="declared"),
        pytest.param("-9.0", ("-9",), {}, ".", "value.missing_code", id="declared, stored as a float"),
        pytest.param("-9,0", ("-9",), {}, ",", "value.missing_code", id="declared, decimal comma"),
        pytest.param("k.A.", ("k.A.",), {}, ".", "value.missing_code", id="declared word"),
        pytest.param("k.a.", ("k.A.",), {}, ".", None, id="case counts"),
        pytest.param("-9.1", ("-9",), {}, ".", None, id="another number"),
        pytest.param("<-9", ("-9",), {}, ".", None, id="an operator is not a code"),
        pytest.param("99", (), SPSS, ".", "value.user_missing", id="user-missing value"),
        pytest.param("99.00", (), SPSS, ".", "value.user_missing", id="user-missing number"),
        pytest.param("K", (), SPSS, ".", "value.user_missing", id="user-missing text"),
        pytest.param("900", (), SPSS, ".", "value.user_missing", id="lower end of the range"),
        pytest.param("999", (), SPSS, ".", "value.user_missing", id="upper end of the range"),
        pytest.param("899.9", (), SPSS, ".", None, id="just below the range"),
        pytest.param("-100", (), SPSS, ".", "value.user_missing", id="end of the open range"),
        pytest.param("-99", (), SPSS, ".", None, id="above the open range"),
        pytest.param("99", ("99",), SPSS, ".", "value.missing_code", id="the site file goes first"),
        pytest.param("5", (), {}, ".", None, id="nothing declared"),
    ],
)
def test_rule(
    text: str, declared: tuple[str, ...], metadata: dict[str, Any], decimal: str, expected: str | None
) -> None:
    assert rule(text, declared, metadata, decimal) == expected
