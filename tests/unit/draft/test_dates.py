from __future__ import annotations

import pytest

from ember.draft.dates import date_evidence, parsed


def column(*texts: str) -> dict[str, int]:
    return dict.fromkeys(texts, 1)


@pytest.mark.parametrize(
    ("texts", "orders"),
    [
        pytest.param(column("31/01/2024", "02/03/2024"), ("%d/%m/%Y",), id="a day above 12 tells"),
        pytest.param(column("01/31/2024", "02/03/2024"), ("%m/%d/%Y",), id="a month first"),
        pytest.param(column("01/02/2024", "03/04/2024"), ("%d/%m/%Y", "%m/%d/%Y"), id="both orders read all"),
        pytest.param(column("2024-01-31"), ("%Y-%m-%d",), id="year first"),
        pytest.param(column("31.01.2024", "01.02.2024"), ("%d.%m.%Y",), id="points"),
        pytest.param(column("31JAN2024"), ("%d%b%Y",), id="SAS"),
        pytest.param(column("20240131", "20231201"), ("%Y%m%d",), id="eight digits"),
        pytest.param(column("2024-01-31T10:00", "2024-01"), ("iso",), id="with a time and in part"),
        pytest.param(column("1.5", "2.25"), (), id="numbers"),
        pytest.param(column("12345678", "99999999"), (), id="digits that are no date"),
        pytest.param({}, (), id="nothing"),
        pytest.param(column("31/01/2024", "hello"), (), id="half of it words"),
    ],
)
def test_orders(texts, orders):
    assert date_evidence(texts).orders == orders


def test_a_slip_of_the_pen_does_not_hide_the_order():
    texts = {f"{day:02d}/01/2024": 10 for day in range(1, 29)} | {"32/01/2024": 1}
    found = date_evidence(texts)
    assert found.orders == ("%d/%m/%Y",)
    assert "280 of 281" in found.evidence


def test_one_cell_that_only_one_order_reads_does_not_settle_many_that_both_read():
    texts = {f"{day:02d}/01/2024": 10 for day in range(1, 13)} | {"13/01/2024": 1}
    assert date_evidence(texts).orders == ("%d/%m/%Y", "%m/%d/%Y")


def test_a_date_in_a_known_order():
    assert str(parsed("31/01/2024", "%d/%m/%Y")) == "2024-01-31"
    assert str(parsed("2024-01-31T10:00", "iso")) == "2024-01-31"
    assert parsed("31/02/2024", "%d/%m/%Y") is None
