"""The state of every participant: total, exclusive, with its rule."""

from __future__ import annotations

import math
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import pytest

from ember.endotypes.states import assign_states, endotype_accounts
from ember.errors import EmberError
from tests.unit.endotypes.frames import BANDS, SUPPORTED, measurements, people, result


def one_state(scheme: dict[str, Any], *rows: dict[str, Any]) -> tuple[str, str, str]:
    table, _ = assign_states(measurements(*rows), people("a"), scheme)
    line = table.filter("assigned").row(0, named=True)
    return line["class"], line["rule_id"], line["evidence"]


HS: dict[str, Any] = {}
LEFT = {"censoring": "left"}
RIGHT = {"censoring": "right"}
STANDARD = {"assay": "turbid", "assay_class": "standard"}
UNSTATED = {"assay": "unstated", "assay_class": "standard"}


@pytest.mark.parametrize(
    ("value", "how", "state", "rule"),
    [
        pytest.param(0.99, HS, "not_inflamed", "low", id="under 1"),
        pytest.param(1.0, HS, "intermediate", "middle", id="exactly 1"),
        pytest.param(3.0, HS, "intermediate", "middle", id="exactly 3 is not above 3"),
        pytest.param(3.01, HS, "inflamed_single", "high", id="above 3"),
        pytest.param(10.0, HS, "inflamed_single", "high", id="exactly 10 is not acute"),
        pytest.param(10.1, HS, "acute_suspect", "acute", id="above 10"),
        pytest.param(0.2, LEFT, "not_inflamed", "low", id="below a limit in the lowest band"),
        pytest.param(1.0, LEFT, "not_inflamed", "low", id="below a limit at its bound"),
        pytest.param(5.0, LEFT, "indeterminate", "indeterminate:censored", id="below 5 may be any band"),
        pytest.param(10.0, RIGHT, "acute_suspect", "acute", id="above 10 as text"),
        pytest.param(5.0, RIGHT, "indeterminate", "indeterminate:censored", id="above 5 may be acute"),
        pytest.param(4.0, STANDARD, "inflamed_single", "high", id="standard assay at its limit"),
        pytest.param(3.9, STANDARD, "indeterminate", "indeterminate:assay", id="standard assay under its limit"),
        pytest.param(0.5, STANDARD, "indeterminate", "indeterminate:assay", id="standard assay, far under"),
        pytest.param(12.0, STANDARD, "acute_suspect", "acute", id="standard assay, acute"),
        pytest.param(4.0, STANDARD | LEFT, "indeterminate", "indeterminate:assay", id="standard assay, below"),
        pytest.param(0.9, STANDARD | LEFT, "not_inflamed", "low", id="standard assay, its own limit under the cut"),
        pytest.param(12.0, STANDARD | RIGHT, "acute_suspect", "acute", id="standard assay, above its range"),
        pytest.param(8.0, UNSTATED, "indeterminate", "indeterminate:assay", id="standard assay without a limit"),
    ],
)
def test_bands(value: float, how: dict[str, Any], state: str, rule: str) -> None:
    assert one_state(BANDS, result("a", "p1", value, **how)) == (state, rule, "1")


@pytest.mark.parametrize("operators", [("<", ">="), ("<=", ">")], ids=["at least", "above"])
@pytest.mark.parametrize("limit", [0.5, 1.0, 1.001, 2.0, 3.0, 3.001, 5.0])
@pytest.mark.parametrize("value", [0.1, 0.5, 0.999, 1.0, 1.001, 2.0, 3.0, 3.001, 5.0, 10.0])
@pytest.mark.parametrize("side", ["none", "left"])
def test_a_standard_assay_fills_no_band_that_its_limit_reaches_into(
    operators: tuple[str, str], limit: float, value: float, side: str
) -> None:
    under, over = operators
    states = [
        {"rule": "low", "state": "not_inflamed", "below": {"operator": under, "value": 1}},
        {
            "rule": "middle",
            "state": "intermediate",
            "above": {"operator": over, "value": 1},
            "below": {"operator": under, "value": 3},
        },
        {"rule": "high", "state": "inflamed_single", "above": {"operator": over, "value": 3}},
    ]
    row = result("a", "p1", limit if side == "left" else value, assay_class="standard", censoring=side)
    state, rule, _ = one_state({**BANDS, "states": states}, {**row, "detection_limit": limit})
    seen = side == "none" and value >= limit
    truth = {"<": [0.0, 1.0, 3.0], "<=": [0.0, np.nextafter(1, 2), np.nextafter(3, 4)]}[under]
    band = ["not_inflamed", "intermediate", "inflamed_single"][int(np.searchsorted(truth, value, side="right")) - 1]
    if seen:
        assert state == band
    elif limit <= 1:
        assert state == "not_inflamed"
    else:
        assert (state, rule) == ("indeterminate", "indeterminate:assay")


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(result("a", "p1", 2.0, visit="week_4"), id="other visit"),
        pytest.param(result("a", "p1", 2.0, analyte="il6"), id="other analyte"),
        pytest.param(result("b", "p1", 2.0), id="same name at another site"),
        pytest.param(result("a", "p1", None), id="no number"),
    ],
)
def test_missing(row: dict[str, Any]) -> None:
    assert one_state(BANDS, row) == ("indeterminate", "indeterminate:missing", "")


def test_the_operator_decides_at_the_cut() -> None:
    at_least = {**BANDS, "states": [dict(row) for row in BANDS["states"]]}
    at_least["states"][1]["below"] = {"operator": "<", "value": 3}
    at_least["states"][2]["above"] = {"operator": ">=", "value": 3}
    assert one_state(at_least, result("a", "p1", 3.0))[0] == "inflamed_single"


def cytokines(values: dict[str, list[float | None]]) -> list[dict[str, Any]]:
    return [
        result("a", f"p{person + 1}", value, analyte=analyte, assay=f"msd_{analyte}", assay_class="multiplex")
        for analyte, column in values.items()
        for person, value in enumerate(column)
        if value is not None
    ]


def test_composite_splits_the_raised() -> None:
    crp = [result("a", f"p{i}", value) for i, value in enumerate([5.0, 5.0, 5.0, 5.0, 0.5, 20.0], start=1)]
    panel = cytokines({"il6": [1, 2, 4, 8, 2, 2], "tnf": [1, 2, 4, None, 2, 2]})
    table, composite = assign_states(measurements(*crp, *panel), people(*"aaaaaa"), SUPPORTED)
    lines = table.filter("assigned")
    assert lines["class"].to_list() == [
        "inflamed_unsupported",
        "inflamed_unsupported",
        "inflamed_supported",
        "inflamed_single",
        "not_inflamed",
        "acute_suspect",
    ]
    assert lines["rule_id"].to_list() == ["high_without", "high_without", "high_with", "high:crp_only", "low",
                                          "acute"]  # fmt: skip
    assert lines["evidence"].to_list() == ["1;7;13", "2;8;14", "3;9;15", "4", "5", "6"]
    assert composite["n_analytes"].to_list() == [2, 2, 2, 1, 2, 2]
    ln = {"il6": np.log([1, 2, 4, 8, 2, 2]), "tnf": np.log([1, 2, 4, 2, 2])}
    z = [(x - x.mean()) / x.std(ddof=1) for x in ln.values()]
    expected = [(z[0][i] + z[1][j]) / 2 for i, j in ((0, 0), (1, 1), (2, 2), (4, 3), (5, 4))]
    found = composite["composite"].to_list()
    assert found[3] is None
    np.testing.assert_allclose([found[i] for i in (0, 1, 2, 4, 5)], expected, rtol=1e-12)


def test_composite_is_standardised_within_site_and_assay() -> None:
    rows = [
        result(site, f"p{i}", value, analyte=analyte, assay=assay)
        for i, (site, assay, value) in enumerate(
            [("a", "x", 1.0), ("a", "x", 4.0), ("a", "y", 100.0), ("a", "y", 400.0), ("b", "x", 9.0), ("b", "x", 36.0)],
            start=1,
        )
        for analyte in ("il6", "tnf")
    ]
    _, composite = assign_states(measurements(*rows), people(*"aaaabb"), SUPPORTED)
    half = 1 / math.sqrt(2)
    np.testing.assert_allclose(composite["composite"], [-half, half] * 3, rtol=1e-12)


def test_without_crp_only_a_missing_composite_is_indeterminate() -> None:
    panel = {key: value for key, value in SUPPORTED["composite"].items() if key != "missing"}
    found = one_state({**SUPPORTED, "composite": panel}, result("a", "p1", 5.0))
    assert found == ("indeterminate", "indeterminate:no_composite", "1")


def test_a_scheme_may_name_its_own_state_without_composite() -> None:
    own = {"rule": "high_unknown", "state": "intermediate", "above": {"operator": ">", "value": 3}}
    scheme = {**SUPPORTED, "states": [*SUPPORTED["states"], own]}
    assert one_state(scheme, result("a", "p1", 5.0))[:2] == ("intermediate", "high_unknown:crp_only")


def test_censored_composite_without_a_rule_is_refused() -> None:
    panel = {key: value for key, value in SUPPORTED["composite"].items() if key != "below_limit"}
    rows = [result("a", "p1", 0.2, analyte="il6", censoring="left")]
    with pytest.raises(EmberError, match="below_limit"):
        assign_states(measurements(*rows), people("a"), {**SUPPORTED, "composite": panel})


@pytest.mark.parametrize("scheme", [pytest.param(BANDS, id="bands"), pytest.param(SUPPORTED, id="supported")])
def test_every_kind_of_result_has_exactly_one_state(scheme: dict[str, Any]) -> None:
    """The whole table: every value at and around the cuts, every censoring, every class, with and without a panel."""
    crp = [0.0, 0.99, 1.0, 1.01, 2.99, 3.0, 3.01, 9.99, 10.0, 10.01, 400.0, None]
    kinds = list(product(crp, ["none", "left", "right"], [HS, STANDARD, UNSTATED], [1.0, 2.0, 5.0, None]))
    sites, rows = [], []
    for number, (value, censoring, how, panel) in enumerate(kinds, start=1):
        sites.append("a")
        if value is not None:
            rows.append(result("a", f"p{number}", value, censoring=censoring, **how))
        if panel is not None:
            rows.extend(result("a", f"p{number}", panel, analyte=name, assay="x") for name in ("il6", "tnf"))
    table, _ = assign_states(measurements(*rows), people(*sites), scheme)
    each = table.group_by("participant_id", maintain_order=True).agg(
        pl.col("assigned").sum(), pl.col("probability").sum(), pl.col("rule_id").n_unique().alias("rules")
    )
    assert each.height == len(kinds)
    assert each["assigned"].to_list() == [1] * len(kinds)
    assert each["probability"].to_list() == [1.0] * len(kinds)
    assert each["rules"].to_list() == [1] * len(kinds)


def test_nobody() -> None:
    table, composite = assign_states(measurements(result("a", "p1", 1.0)), people(), SUPPORTED)
    assert (table.height, composite.height) == (0, 0)


def test_accounts_are_participants_by_site() -> None:
    accounts = endotype_accounts(people("b", "a", "b"), "bands")
    assert [(a.site, a.stage, a.unit, a.n_in, a.n_out) for a in accounts] == [
        ("b", "endotypes:bands", "participant", 2, 2),
        ("a", "endotypes:bands", "participant", 1, 1),
    ]
