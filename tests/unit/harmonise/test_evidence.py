"""Unit evidence of a site: a shifted part is named, an ordinary one is not, and what is in doubt warns."""

from __future__ import annotations

from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas
import polars as pl
import pytest

from ember.harmonise.evidence import find_suspicions
from ember.harmonise.evidence_counts import count_values
from ember.harmonise.evidence_suspicion import Suspicion
from tests.real_data import real_file
from tests.unit.harmonise.harmonise_rows import shared_registry

REFERENCE = 0.614  # reference_ln_mean of hsCRP


def values(
    n: int,
    shift: float = 0.0,
    *,
    batch: str | None = None,
    period: str | None = None,
    file: str = "laboratory.csv",
    spread: float = 1.36,
    analyte: str = "hscrp",
    unit: str = "mg/L",
    censored: float = 0.0,
    centre: float = REFERENCE,
) -> pl.DataFrame:
    """Return `n` log-normal values at even quantiles, moved by `shift` decades; a share of them censored."""
    quantiles = np.array([NormalDist().inv_cdf((index + 0.5) / n) for index in range(n)])
    n_censored = round(censored * n)
    return pl.DataFrame(
        {
            "analyte": [analyte] * n,
            "batch": pl.Series([batch] * n, dtype=pl.String),
            "period": pl.Series([period] * n, dtype=pl.String),
            "source_file": [file] * n,
            "from_unit": [unit] * n,
            "value": np.exp(centre + spread * quantiles) * 10**shift,
            "censoring": ["left"] * n_censored + ["none"] * (n - n_censored),
        }
    )


def suspected(*columns: pl.DataFrame) -> list[Suspicion]:
    return find_suspicions(count_values(pl.concat(columns)), shared_registry(), {})


def named(*columns: pl.DataFrame) -> list[tuple[str, float, str]]:
    return [(one.label, one.exponent, one.severity) for one in suspected(*columns)]


def test_a_batch_ten_times_higher_is_named() -> None:
    found = suspected(values(80, batch="B1"), values(80, batch="B2"), values(62, 1.0, batch="B3", unit="mg/dL"))
    assert [(one.label, one.exponent, one.n, one.n_others) for one in found] == [("B3", 1.0, 62, 160)]
    assert found[0].finding("porto") == "unit:porto:hscrp:B3"


@pytest.mark.parametrize("shift", [pytest.param(s, id=f"{s:+g} decades") for s in (-6.0, -3.0, -1.0, 1.0, 3.0)])
def test_each_usual_slip_is_found_in_its_direction(shift: float) -> None:
    found = named(values(80, batch="B1"), values(80, batch="B2"), values(60, shift, batch="B3"))
    assert found == [("B3", shift, "error")]


@pytest.mark.parametrize(
    ("shift", "grade"),
    [
        pytest.param(0.0, None, id="no shift"),
        pytest.param(0.3, None, id="twice as high is biology"),
        pytest.param(0.57, "warning", id="nearer to the factor than to none"),
        pytest.param(0.9, "error", id="near the factor"),
        pytest.param(1.2, "error", id="beyond the factor"),
    ],
)
def test_a_batch_is_graded_by_its_distance(shift: float, grade: str | None) -> None:
    found = named(*[values(300, batch=batch) for batch in ("B1", "B2", "B4")], values(300, shift, batch="B3"))
    assert [severity for label, _, severity in found if label == "B3"] == ([grade] if grade else [])


@pytest.mark.parametrize(
    "where",
    [
        pytest.param({"batch": "X"}, id="batch"),
        pytest.param({"period": "2024-03"}, id="month"),
        pytest.param({"file": "x.csv"}, id="file"),
        pytest.param({"unit": "ug/mL"}, id="unit header"),
        pytest.param({"batch": "X", "period": "2024-03", "file": "x.csv"}, id="all of them are one finding"),
    ],
)
def test_whatever_carries_the_slip_is_named_once(where: dict[str, Any]) -> None:
    labels = {"batch": "X", "period": "period_2024-03", "file": "file_x.csv", "unit": "unit_ug_mL"}
    found = named(values(300, batch="B", period="2024-01"), values(50, 1.0, **{"batch": "B", **where}))
    assert found == [(labels[next(iter(where))], 1.0, "error")]


@pytest.mark.parametrize(
    ("n", "others", "expected"),
    [
        pytest.param(19, 200, False, id="a batch of 19"),
        pytest.param(20, 200, True, id="a batch of 20"),
        pytest.param(60, 19, False, id="19 others"),
        pytest.param(60, 20, True, id="20 others"),
    ],
)
def test_small_groups_are_no_evidence(n: int, others: int, expected: bool) -> None:
    found = suspected(
        values(others, batch="B1", analyte="ferritin", unit="ng/mL", spread=0.4),
        values(n, 3.0, batch="B3", analyte="ferritin", unit="ng/mL", spread=0.4),
    )
    assert ("B3" in [one.label for one in found]) is expected


def test_a_shift_within_its_standard_error_is_no_evidence() -> None:
    parts = [("B1", 30, 0.0), ("B2", 30, 0.0), ("B3", 20, 1.0)]
    wide = [values(n, shift, batch=b, spread=4.0, analyte="ferritin", unit="ng/mL") for b, n, shift in parts]
    assert named(*wide) == []


def test_a_median_that_is_a_limit_is_no_evidence_of_a_batch() -> None:
    groups = [values(80, batch="B1"), values(80, batch="B2")]
    labels = [one.label for one in suspected(*groups, values(60, 1.0, batch="B3", censored=0.5))]
    assert "B3" not in labels
    assert named(*groups, values(60, 1.0, batch="B3", censored=0.4)) == [("B3", 1.0, "error")]


def test_where_two_halves_disagree_the_reference_clears_the_one_that_fits() -> None:
    assert named(values(60, batch="B1", spread=0.9), values(60, 1.0, batch="B2", spread=0.9)) == [("B2", 1.0, "error")]


def test_without_a_reference_both_halves_are_named() -> None:
    halves = [values(60, s, batch=b, analyte="ferritin", unit="ng/mL", spread=0.5) for b, s in (("B1", 0), ("B2", 1))]
    assert [(label, exponent) for label, exponent, _ in named(*halves)] == [("B1", -1.0), ("B2", 1.0)]


@pytest.mark.parametrize(
    ("shift", "expected"),
    [
        pytest.param(0.0, [], id="at the reference"),
        pytest.param(0.3, [], id="twice the reference"),
        pytest.param(1.0, [("all", 1.0, "error")], id="ten times higher"),
        pytest.param(-1.0, [("all", -1.0, "error")], id="ten times lower"),
        pytest.param(3.0, [("all", 3.0, "error")], id="a thousand times higher"),
        pytest.param(-3.0, [("all", -3.0, "error")], id="a thousand times lower"),
    ],
)
def test_a_whole_site_is_held_against_the_reference(shift: float, expected: list[tuple[str, float, str]]) -> None:
    assert named(values(100, shift)) == expected


def test_a_site_between_the_populations_is_in_doubt() -> None:
    assert [severity for _, _, severity in named(values(100, 0.4))] == ["warning"]


def test_a_site_of_nineteen_values_is_no_evidence() -> None:
    assert named(values(19, 1.0)) == []
    assert len(named(values(20, 1.0))) == 1


def test_an_analyte_without_reference_is_judged_by_its_groups_alone() -> None:
    rows = [values(60, 3.0, batch=label, analyte="ferritin", unit="ng/mL") for label in ("B1", "B2")]
    assert named(*rows) == []
    odd = values(60, 0.0, batch="B3", analyte="ferritin", unit="ng/mL")
    assert [label for label, _, _ in named(*rows, odd)] == ["B3"]


def test_values_at_zero_have_no_logarithm_and_do_not_count() -> None:
    zeros = values(62, 1.0, batch="B3").with_columns(pl.lit(0.0).alias("value"))
    assert named(values(80, batch="B1"), values(80, batch="B2"), zeros) == []


@pytest.mark.parametrize(
    ("exponent", "expected"),
    [
        pytest.param(3.0, [("mixed_high", 3.0, "error")], id="1,000 times higher"),
        pytest.param(-3.0, [("mixed_low", -3.0, "error")], id="1,000 times lower"),
        pytest.param(1.0, [], id="10 times resembles acute infection"),
    ],
)
def test_scattered_values_a_thousand_times_off_are_a_second_hump(
    exponent: float, expected: list[tuple[str, float, str]]
) -> None:
    assert named(values(950), values(50, exponent)) == expected


def test_a_tail_of_acute_values_is_no_second_hump() -> None:
    acute = values(60, spread=0.8, centre=np.log(80))
    assert named(values(940), acute) == []


def test_the_second_hump_covers_its_rows_and_no_others() -> None:
    rows = pl.concat([values(950), values(50, 3.0)])
    (found,) = find_suspicions(count_values(rows), shared_registry(), {})
    assert rows.filter(found.rows(pl.col("value"))).height == found.n
    assert 50 <= found.n < 60  # a few of the right values are acute


def test_sites_drawn_from_the_real_nhanes_are_told_apart() -> None:
    """hsCRP of NHANES 2015-16 itself: 200 people, 10 to 60 % of them above 3 mg/L, with and without a slip."""
    table = pl.from_pandas(_sas(real_file("nhanes/HSCRP_I.XPT")))
    real = table.filter(pl.col("LBXHSCRP").is_not_null())["LBXHSCRP"].to_numpy()
    generator = np.random.default_rng(20261123)
    wrong = {exponent: 0 for exponent in (0, 1, -1)}
    n_sites = 60
    for site in range(n_sites):
        inflamed = generator.random(200) < 0.1 + 0.5 * site / (n_sites - 1)
        drawn = np.where(inflamed, generator.choice(real[real > 3], 200), generator.choice(real[real <= 3], 200))
        for exponent in wrong:
            rows = values(200).with_columns(pl.Series("value", drawn * 10.0**exponent))
            found = [one.exponent for one in suspected(rows) if one.label == "all" and one.severity == "error"]
            wrong[exponent] += found != ([exponent] if exponent else [])
    assert wrong == {0: 0, 1: 0, -1: 0}


def _sas(path: Path) -> pandas.DataFrame:
    return pandas.read_sas(path)
