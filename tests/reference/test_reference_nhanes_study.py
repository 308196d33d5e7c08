"""The shipped NHANES study, from the public files to its estimates, against R's survey on an independent join."""

from __future__ import annotations

import shutil
from pathlib import Path

import polars as pl
import pytest

from tests.in_process import ledger_of, run_stages

STUDY = Path(__file__).parents[2] / "config" / "studies" / "nhanes"
CYCLES = {"F": "cycle_2009_2010", "I": "cycle_2015_2016"}


@pytest.fixture(scope="module")
def results(real_data, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nhanes") / "study"
    shutil.copytree(STUDY, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBER_REAL_DATA", str(real_data.resolve()))
        return run_stages(folder)[1]


def rows(results, analysis):
    return pl.read_parquet(results / f"restricted/fits/{analysis}/estimates.parquet")


@pytest.mark.parametrize(
    ("analysis", "kind", "tolerance"),
    [
        pytest.param("association", "linear", 1e-8, id="linear"),
        pytest.param("association_logistic", "logistic", 1e-6, id="logistic"),
    ],
)
def test_associations(results, witness, analysis, kind, tolerance):
    expected = witness("nhanes_study")
    found = rows(results, analysis).filter(pl.col("term") == "exposure")
    wanted = {None: expected[kind], **{site: expected[letter][kind] for letter, site in CYCLES.items()}}
    assert set(found["site"].to_list()) == set(wanted)
    for row in found.to_dicts():
        model = wanted[row["site"]]
        assert (row["n"], row["df"]) == (model["n"], model["df"])
        assert row["estimate"] == pytest.approx(model["estimate"], rel=tolerance)
        assert row["std_error"] == pytest.approx(model["std_error"], rel=tolerance)


def test_prevalences(results, witness):
    expected = witness("nhanes_study")
    for letter, site in CYCLES.items():
        (row,) = rows(results, "prevalence").filter(pl.col("site") == site).to_dicts()
        for key, value in expected[letter]["prevalence"].items():
            assert row[key] == pytest.approx(value, rel=1e-8)


def test_bands_are_given_for_each_cycle_and_never_pooled(results, witness):
    expected = witness("nhanes_study")
    found = rows(results, "crp_bands")
    assert set(found["level"]) == {"site"}
    for letter, site in CYCLES.items():
        for state, share in expected[letter]["bands"].items():
            (row,) = found.filter(pl.col("site") == site, pl.col("term") == state).to_dicts()
            assert row["estimate"] == pytest.approx(share["estimate"], rel=1e-8)
            assert row["std_error"] == pytest.approx(share["std_error"], rel=1e-8)


def test_detection_limits_come_from_flag_and_heap_as_the_codebooks_count_them(results):
    ledger = ledger_of(results).filter(pl.col("rule_id") == "value.below_limit")
    counts = dict(ledger.group_by("site_id").len().iter_rows())
    assert counts["cycle_2015_2016"] == 1265
    measured = pl.read_parquet(results / "restricted/harmonised/cycle_2015_2016/measurements.parquet")
    crp = measured.filter(pl.col("analyte") == "hscrp")
    assert crp.height == 7867
    assert set(crp.filter(pl.col("censoring") == "left")["limit"]) == {0.11}
    early = pl.read_parquet(results / "restricted/harmonised/cycle_2009_2010/measurements.parquet")
    assert set(early.filter(pl.col("censoring") == "left")["limit"]) == {0.2}


def test_the_difficulty_item_is_never_scored(results):
    for site in CYCLES.values():
        items = pl.read_parquet(results / f"restricted/standard/{site}/items.parquet", columns=["column"])
        assert "DPQ100" not in set(items["column"])
        scores = pl.read_parquet(results / f"restricted/harmonised/{site}/scores.parquet")
        assert scores["score"].max() <= 27


def test_cross_sectional_estimates_are_called_associations(results):
    found = rows(results, "association").filter(pl.col("term") == "exposure")
    assert set(found["estimand"]) == {"association"}
