"""What leaves of a verdict: no curve beyond the outermost people, no small group by subtraction."""

from __future__ import annotations

import polars as pl
import pytest

from ember.consortium.disclosure import Profile, protect
from ember.tables.store import conform

PROFILE = Profile("ten", 10, 0, 10)


def witnesses(numbers: dict[tuple[str, str], int]) -> pl.DataFrame:
    """Return a fit index for each variant and site with this many people."""
    rows = [
        {"verdict": "v", "variant": variant, "site": site, "marker": "composite", "witness": "fit_index", "n": n,
         "value": 0.5, "conf_low": None, "conf_high": None, "note": ""}
        for (variant, site), n in numbers.items()
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), "verdict_witnesses")


def shown(numbers: dict[tuple[str, str], int]) -> list[int | None]:
    return protect({"verdict_witnesses": witnesses(numbers)}, PROFILE)["verdict_witnesses"]["n"].to_list()


@pytest.mark.parametrize(
    ("acute", "hidden"),
    [pytest.param(10, False, id="ten"), pytest.param(9, True, id="nine"), pytest.param(0, False, id="none")],
)  # fmt: skip
def test_people_left_out_of_a_variant_do_not_follow(acute: int, hidden: bool) -> None:
    found = shown({("all", "all"): 400, ("without_acute", "all"): 400 - acute})
    assert (None in found) == hidden


def test_the_rest_of_the_sites_does_not_follow() -> None:
    assert None in shown({("all", "all"): 400, ("all", "a"): 200, ("all", "b"): 195})


def test_numbers_of_few_people_go() -> None:
    table = protect({"verdict_witnesses": witnesses({("all", "all"): 9})}, PROFILE)["verdict_witnesses"]
    assert table.select("n", "value").row(0) == (None, None)


def test_curves_end_where_few_people_lie_beyond() -> None:
    rows = [
        {"verdict": "v", "variant": "all", "curve": "density", "marker": "composite", "series": series, "x": x,
         "y": 0.12345, "low": None, "high": None, "n_beyond": n}
        for series, x, n in (("data", 0.0, 9), ("data", 1.0, 10), ("one_component", 0.0, None))
    ]  # fmt: skip
    table = protect({"verdict_curves": conform(pl.DataFrame(rows), "verdict_curves")}, PROFILE)["verdict_curves"]
    assert table["y"].to_list() == [None, 0.123, 0.123]
    assert table["n_beyond"].null_count() == 3
