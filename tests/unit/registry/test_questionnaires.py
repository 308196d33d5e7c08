"""Outcomes stand in the framework's order, and a mapped questionnaire makes its subscales."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ember.provenance.settings import site_rows
from ember.registry.model import InstrumentMap, LinkMap, Site, TableMap
from ember.registry.questionnaires import (
    analyses_in_order,
    construct_order,
    in_framework_order,
    rows_behind,
    scores_of,
    subscales,
)
from ember.registry.registry import read_registry

REGISTRY = read_registry(Path(__file__).parents[3] / "config" / "registry")


def site(**instruments: InstrumentMap) -> Site:
    return Site("a", "A", (TableMap("a", "ID", instruments=instruments),))


def outcome(construct: str) -> dict[str, Any]:
    return {"outcome": {"construct": construct}}


def test_the_framework_s_order() -> None:
    assert list(construct_order(REGISTRY))[:4] == ["functioning", "quality_of_life", "cognition", "severity"]
    constructs = list(dict.fromkeys(row["construct"] for row in in_framework_order(REGISTRY)))
    assert constructs == list(construct_order(REGISTRY))


def test_analyses_follow_the_order_of_their_outcomes_and_else_their_own() -> None:
    analyses = {
        "symptoms": outcome("severity"),
        "bands": {"bands": {"scheme": "x"}},
        "thinking": outcome("cognition"),
        "symptoms_again": outcome("severity"),
        "life": outcome("quality_of_life"),
        "work": outcome("functioning"),
    }
    assert analyses_in_order(analyses, REGISTRY) == ["work", "life", "thinking", "symptoms", "symptoms_again", "bands"]


@pytest.mark.parametrize(
    ("mapped", "expected"),
    [
        pytest.param(
            {"sds": InstrumentMap(items="S{item}")}, ["sds", "sds_work", "sds_social", "sds_family"], id="items"
        ),
        pytest.param({"sds": InstrumentMap(total="S")}, ["sds"], id="a total makes no subscale"),
        pytest.param(
            {"whoqol_bref": InstrumentMap(items="W{item}")},
            subscales(REGISTRY, "whoqol_bref"),
            id="no score of its own",
        ),
        pytest.param(
            {"phq9": InstrumentMap(total="P"), "eq_vas": InstrumentMap(total="V"), "wsas": InstrumentMap(total="W")},
            ["wsas", "eq_vas", "phq9"],
            id="functioning, quality of life, symptoms",
        ),
        pytest.param(
            {"hamd17": InstrumentMap(total="H", linked=(LinkMap("furukawa_2019_hamd17_bdi2"),))},
            ["hamd17", "bdi2"],
            id="a declared link",
        ),
    ],
)
def test_scores_of_a_site(mapped: dict[str, InstrumentMap], expected: list[str]) -> None:
    assert scores_of(site(**mapped), REGISTRY) == expected


def test_rows_behind_scores_hold_subscales_and_targets_of_crosswalks() -> None:
    assert rows_behind(REGISTRY, ["promis_d8a"]) == {"promis_d8a", "promis_d8a_t"}
    assert {"hamd17", "bdi2", "ids_sr30"} <= rows_behind(REGISTRY, ["hamd17"])


def test_declared_crosswalks_value_sets_and_score_tables_enter_the_digest_of_a_site() -> None:
    plain = site_rows(REGISTRY, site(hamd17=InstrumentMap(total="H")))
    assert not {"crosswalks", "crosswalk_points", "value_sets", "raw_scores"} & set(plain)
    linked = InstrumentMap(total="H", linked=(LinkMap("furukawa_2019_hamd17_bdi2"),))
    index = InstrumentMap(total="E", value_set="germany_ludwig_2018")
    rows = site_rows(REGISTRY, site(hamd17=linked, eq5d5l_index=index, promis_d8a=InstrumentMap(items="P{item}")))
    assert [row["crosswalk"] for row in rows["crosswalks"]] == ["furukawa_2019_hamd17_bdi2"]
    assert len(rows["crosswalk_points"]) == 3
    assert [row["value_set"] for row in rows["value_sets"]] == ["germany_ludwig_2018"]
    assert len(rows["raw_scores"]) == 33
    assert "promis_d8a_t" in {row["instrument"] for row in rows["instrument_items"]}
