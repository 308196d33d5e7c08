"""The composite of all visits."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from ember.endotypes.composites.composite import composites, no_composites
from ember.endotypes.composites.reference import FrozenReference
from ember.endotypes.composites.scores import mills
from ember.errors import EmberError
from tests.unit.endotypes.frames import measurements, people, result

E = float(np.e)
PANEL = {"analytes": ["il6", "tnf"], "variant": "within_site", "minimum": 2}


def il6(site, person, value, **extra):
    return result(site, person, value, analyte="il6", **{"assay": "msd", "assay_class": "multiplex", **extra})


def tnf(site, person, value, **extra):
    return result(site, person, value, analyte="tnf", **{"assay": "msd", "assay_class": "multiplex", **extra})


def both(site, person, value, **extra):
    return [il6(site, person, value, **extra), tnf(site, person, value, **extra)]


def of(table, visit):
    return table.filter(pl.col("visit") == visit)["composite"].to_list()


def test_the_baseline_reference_serves_every_visit():
    """Everybody falls by the factor e: standardised visit by visit, nothing would have changed."""
    rows = [row for i, v in enumerate((1.0, E, E**2)) for row in both("a", f"p{i + 1}", v)]
    rows += [row for i, v in enumerate((1 / E, 1.0, E)) for row in both("a", f"p{i + 1}", v, visit="week_12")]
    found = composites(measurements(*rows), people(*"aaa"), PANEL, "baseline")
    spread = np.sqrt(2 / 3)
    assert of(found.table, "baseline") == pytest.approx([-1 / spread, 0, 1 / spread])
    assert of(found.table, "week_12") == pytest.approx([-2 / spread, -1 / spread, 0])
    assert found.references["ln_mean"].to_list() == pytest.approx([1.0, 1.0])
    assert found.references["n"].to_list() == [3, 3]


def test_everybody_at_baseline_and_only_those_with_results_later():
    rows = [*both("a", "p1", 1.0), *both("a", "p2", 2.0), il6("a", "p3", 3.0), *both("a", "p2", 2.0, visit="week_4")]
    found = composites(measurements(*rows), people(*"aaaa"), PANEL, "baseline").table
    assert found.select("participant_id", "visit", "n_analytes").rows() == [
        ("p1", "baseline", 2),
        ("p2", "baseline", 2),
        ("p2", "week_4", 2),
        ("p3", "baseline", 1),
        ("p4", "baseline", 0),
    ]
    assert found["composite"].is_null().to_list() == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("minimum", "missing"), [pytest.param(1, 0, id="one is enough"), pytest.param(2, 1, id="both are needed")]
)
def test_declared_minimum(minimum, missing):
    rows = [*both("a", "p1", 1.0), *both("a", "p2", 2.0), il6("a", "p3", 3.0)]
    found = composites(measurements(*rows), people(*"aaa"), {**PANEL, "minimum": minimum}, "baseline").table
    assert found["composite"].null_count() == missing


def test_sites_and_assays_have_references_of_their_own():
    rows = [
        *both("a", "p1", 1.0), *both("a", "p2", 2.0),
        *both("b", "p3", 10.0), *both("b", "p4", 20.0),
        *both("b", "p5", 100.0, assay="luminex"), *both("b", "p6", 200.0, assay="luminex"),
    ]  # fmt: skip
    found = composites(measurements(*rows), people(*"aabbbb"), PANEL, "baseline", selected=["b"])
    assert found.table["composite"].to_list() == pytest.approx([-1, 1] * 3)
    assert found.references.select("site_id", "assay_id", "selected").rows() == [
        *[("a", "msd", False)] * 2, *[("b", "msd", True)] * 2, *[("b", "luminex", True)] * 2,
    ]  # fmt: skip


def test_batches_by_declaration():
    batches = {"p1": "x", "p2": "x", "p3": "y", "p4": "y"}
    rows = [
        {**row, "batch": batch}
        for (person, batch), value in zip(batches.items(), (1.0, 2.0, 10.0, 20.0), strict=True)
        for row in both("a", person, value)
    ]
    table = measurements(*rows)
    apart = composites(table, people(*"aaaa"), {**PANEL, "by": "batch"}, "baseline")
    together = composites(table, people(*"aaaa"), PANEL, "baseline")
    assert apart.table["composite"].to_list() == pytest.approx([-1, 1, -1, 1])
    assert apart.references["batch"].to_list() == ["x", "x", "y", "y"]
    assert together.references["batch"].to_list() == [None, None]
    assert together.table["composite"].to_list()[2] > 0


def test_a_batch_without_baseline_samples_gives_no_score():
    rows = [{**row, "batch": "x"} for p, v in (("p1", 1.0), ("p2", 2.0)) for row in both("a", p, v)]
    rows += [{**row, "batch": "z"} for row in both("a", "p1", 1.0, visit="week_4")]
    found = composites(measurements(*rows), people(*"aa"), {**PANEL, "by": "batch"}, "baseline")
    assert of(found.table, "week_4") == []
    assert found.references.filter(pl.col("batch") == "z")["ln_sd"].to_list() == [None, None]


def test_both_arms_are_one_reference():
    rows = [row for i, v in enumerate((1.0, 2.0, 4.0, 8.0)) for row in both("a", f"p{i + 1}", v)]
    plain = composites(measurements(*rows), people(*"aaaa"), PANEL, "baseline").table
    arms = composites(measurements(*rows), people(*"aaaa", arm=["x", "x", "y", "y"]), PANEL, "baseline").table
    assert plain.equals(arms)


def test_a_censored_result_counts_with_its_expectation():
    limit = 1.0
    rows = [row for i, v in enumerate((2.0, 4.0, 8.0, 16.0)) for row in both("a", f"p{i + 1}", v)]
    rows += both("a", "p5", limit, censoring="left") + both("a", "p6", 16.0, censoring="right")
    panel = {**PANEL, "below_limit": "conditional_mean"}
    found = composites(measurements(*rows), people(*"aaaaaa"), panel, "baseline")
    reference = found.references.row(0, named=True)
    assert (reference["n"], reference["n_below"], reference["n_above"]) == (6, 1, 1)
    low, high = ((np.log(v) - reference["ln_mean"]) / reference["ln_sd"] for v in (limit, 16.0))
    z = found.table["composite"].to_list()
    assert z[4] == pytest.approx(-mills(np.array([low]))[0]) and z[4] < low
    assert z[5] == pytest.approx(mills(np.array([-high]))[0]) and z[5] > high


def test_a_fill_stands_for_a_censored_result_but_not_in_the_reference():
    rows = [row for i, v in enumerate((2.0, 4.0, 8.0, 16.0)) for row in both("a", f"p{i + 1}", v)]
    rows += both("a", "p5", 1.0, censoring="left")
    table = measurements(*rows)
    found = {
        method: composites(table, people(*"aaaaa"), {**PANEL, "below_limit": method}, "baseline")
        for method in ("conditional_mean", "fill_lod_sqrt2")
    }
    one, other = (each.references.row(0, named=True) for each in found.values())
    assert one == other
    expected = (np.log(1 / np.sqrt(2)) - one["ln_mean"]) / one["ln_sd"]
    assert found["fill_lod_sqrt2"].table["composite"].to_list()[4] == pytest.approx(expected)


def test_censored_results_need_a_declaration():
    rows = [*both("a", "p1", 1.0), *both("a", "p2", 1.0, censoring="left")]
    with pytest.raises(EmberError, match="does not say what stands for it"):
        composites(measurements(*rows), people(*"aa"), PANEL, "baseline")


FROZEN = FrozenReference(
    "panel_2020",
    {
        name: {"platform": "msd", "ln_mean": "1", "ln_sd": "2", "n": "500", "n_below": ""}
        for name in ("il6", "tnf")
    },
    {"to_msd": "msd"},
)  # fmt: skip
EXTERNAL = {**PANEL, "variant": "reference", "reference": "panel_2020"}


def on(platform, *rows, bridge=None):
    return [{**row, "platform": platform, "bridge_id": bridge} for row in rows]


def test_a_frozen_reference_gives_one_scale():
    rows = [*on("msd", *both("a", "p1", E**3)), *on("luminex", *both("b", "p2", E), bridge="to_msd")]
    found = composites(measurements(*rows), people(*"ab"), EXTERNAL, "baseline", frozen=FROZEN)
    assert found.table["composite"].to_list() == pytest.approx([1.0, 0.0])
    assert found.references.select("platform", "reference", "n", "n_below").rows() == [
        ("msd", "panel_2020", 500, None)
    ] * 4  # fmt: skip


@pytest.mark.parametrize("platform", [pytest.param("luminex", id="another"), pytest.param(None, id="unknown")])
def test_a_frozen_reference_refuses_another_platform(platform):
    rows = [*on("msd", *both("a", "p1", 2.0)), *on(platform, *both("b", "p2", 2.0))]
    with pytest.raises(EmberError, match="results of b are on that of"):
        composites(measurements(*rows), people(*"ab"), EXTERNAL, "baseline", frozen=FROZEN)


def test_parts_name_the_results_behind_it():
    rows = [*both("a", "p1", 1.0), *both("a", "p2", 2.0), il6("a", "p2", 9.0, replicate=2), il6("a", "p3", -1.0)]
    found = composites(measurements(*rows), people(*"aaa"), PANEL, "baseline")
    assert found.parts.select("participant_id", "analyte", "row_id").rows() == [
        ("p1", "il6", 1), ("p1", "tnf", 2), ("p2", "il6", 3), ("p2", "tnf", 4),
    ]  # fmt: skip


def test_nobody():
    found = composites(measurements(*both("a", "p1", 1.0)), people(), PANEL, "baseline")
    assert (found.table.height, found.references.height, found.parts.height) == (0, 0, 0)
    assert no_composites().parts.schema == found.parts.schema
