from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ember.harmonise.visits import (
    AFTER_DEATH,
    AFTER_WITHDRAWAL,
    BEFORE_ENROLMENT,
    DATE_ORDER,
    NEVER,
    NO_DATE,
    NO_TIME_ZERO,
    Ends,
    make_calendar,
)
from ember.registry.build import build_table
from tests.unit.harmonise.standard_study import VISITS

LONG = {"long": {"column": "v", "codes": {"0": "baseline", "4": "week_4", "12": "week_12"}}}
DATED = build_table("clinic", {"participant": "id", "visits": LONG})
UNDATED = build_table("lab", {"participant": "id", "visits": LONG})
START = 18000


def dates(days: list[int | None]) -> pl.DataFrame:
    """Return the date cells of one participant whose visits lie `days` after time zero."""
    told = [(0, visit, START + day) for visit, day in enumerate(days) if day is not None]
    frame = pl.DataFrame(told, schema={"person": pl.UInt32, "visit": pl.Int16, "day": pl.Int32}, orient="row")
    return frame.with_columns(pl.lit(None, pl.String).alias("rule"), pl.lit(False).alias("repeat"))


def zero(n: int = 1) -> pl.DataFrame:
    return pl.DataFrame({"person": range(n), "day": [START] * n}, schema={"person": pl.UInt32, "day": pl.Int32})


@pytest.mark.parametrize(
    ("days", "refusal"),
    [
        pytest.param([0, 28, 84], [0, 0, 0], id="as planned"),
        pytest.param([-28, 0, 0], [0, 0, 0], id="earliest day; later visits on day 0"),
        pytest.param([-29, 28, 84], [BEFORE_ENROLMENT, 0, 0], id="before the earliest day"),
        pytest.param([0, -1, 84], [0, BEFORE_ENROLMENT, 0], id="later visit before time zero"),
        pytest.param([0, 28, 27], [0, 0, DATE_ORDER], id="the last before the second"),
        pytest.param([90, 28, 84], [0, DATE_ORDER, DATE_ORDER], id="baseline after all"),
        pytest.param([0, 300, 84], [0, 0, DATE_ORDER], id="refused by an accepted visit, late as it is"),
        pytest.param([0, None, 84], [0, NO_DATE, 0], id="no date"),
    ],
)
def test_refusals(days: list[int | None], refusal: list[int]) -> None:
    calendar = make_calendar((DATED,), VISITS, [dates(days)], zero(), 1)
    assert calendar.refusal[0, 0].tolist() == refusal
    placed = [(calendar.day[0, 0, visit], day) for visit, day in enumerate(days) if refusal[visit] == 0]
    assert all(found == day for found, day in placed)


def test_no_time_zero() -> None:
    calendar = make_calendar((DATED,), VISITS, [dates([0, 28, 84])], zero(0), 1)
    assert calendar.refusal[0, 0].tolist() == [NO_TIME_ZERO] * 3


def test_a_table_without_dates_follows_the_first_that_has_them() -> None:
    earlier, later = dates([0, 30, None]), dates([-5, 31, 80])
    calendar = make_calendar((UNDATED, DATED, DATED), VISITS, [None, earlier, later], zero(), 1)
    assert calendar.day[0, 0, :2].tolist() == [0, 30]
    assert calendar.refusal[0, 0].tolist() == [0, 0, NO_DATE]
    assert calendar.day[2, 0].tolist() == [-5, 31, 80]


def test_a_site_without_dates_has_the_planned_days() -> None:
    calendar = make_calendar((UNDATED,), VISITS, [None], zero(0), 2)
    assert calendar.day[0].tolist() == [[0, 28, 84]] * 2
    assert not calendar.refusal.any()


@pytest.mark.parametrize(
    ("withdrawal", "death", "refusal"),
    [
        pytest.param(NEVER, NEVER, [0, 0, 0], id="no end"),
        pytest.param(NEVER, 84, [0, 0, 0], id="on the last day"),
        pytest.param(NEVER, 83, [0, 0, AFTER_DEATH], id="a day before"),
        pytest.param(27, 83, [0, AFTER_WITHDRAWAL, AFTER_WITHDRAWAL], id="withdrawal goes first"),
        pytest.param(-1, NEVER, [AFTER_WITHDRAWAL] * 3, id="before time zero"),
    ],
)
@pytest.mark.parametrize("dated", [pytest.param(True, id="dated"), pytest.param(False, id="planned")])
def test_nothing_after_the_end(withdrawal: int, death: int, refusal: list[int], dated: bool) -> None:
    ends = Ends(np.array([withdrawal], dtype=np.int32), np.array([death], dtype=np.int32))
    cells = dates([0, 28, 84]) if dated else None
    calendar = make_calendar((DATED if dated else UNDATED,), VISITS, [cells], zero(), 1, ends)
    assert calendar.refusal[0, 0].tolist() == refusal
