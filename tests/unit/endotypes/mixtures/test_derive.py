"""From harmonised tables to classes, artefact and tables; frozen mixtures applied unchanged."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest

from ember.consortium.disclosure import Profile, protect
from ember.endotypes.mixtures.artefact import hash_of, thawed
from ember.endotypes.mixtures.derive import derive
from ember.endotypes.mixtures.tables import class_table, mixture_accounts, mixture_tables
from ember.errors import EmberError
from tests.unit.endotypes.frames import measurements, people, result

SITES = ("north", "south")
CONTENT = {
    "mixture": "m",
    "version": 1,
    "label": "Mixture",
    "visit": "baseline",
    "analytes": ["hscrp", "il6"],
    "minimum": 1,
    "classes": {"from": 1, "to": 2},
    "covariance": ["diagonal_equal"],
    "starts": 200,
    "variance_floor": 0.001,
    "anchor": "hscrp",
    "choose": "bic",
}
UNITS = ["mg/L", "pg/mL"]
WITH_SHIFTS = ("by_assay", "by_site", "centred_by_assay")


def tables(factor: float = 1.0, number: int = 240) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return measurements and participants: two classes on two analytes, one assay a site, one of them scaled."""
    generator = np.random.default_rng(5)
    high = generator.random(number) < 0.3
    value = np.exp(generator.normal(size=(number, 2)) * 0.6 + 2.2 * high[:, None])
    rows = []
    for one in range(number):
        site = SITES[one % 2]
        for place, analyte in enumerate(CONTENT["analytes"]):
            if one in (0, 1) or (one == 2 and place == 1):
                continue  # p1 and p2 have nothing, p3 has one of two
            shown = value[one, place] * (factor if site == "south" else 1.0)
            low = shown < 0.5
            rows.append(
                result(site, f"p{one + 1}", max(shown, 0.5), analyte=analyte, assay=f"assay_{site}",
                       censoring="left" if low else "none")
            )  # fmt: skip
    return measurements(*rows), people(*[SITES[one % 2] for one in range(number)])


@pytest.fixture(scope="module")
def made():
    found, participants = tables()
    content = {**CONTENT, "leave_one_site_out": True, "bootstrap": {"stability": 3}}
    return derive(found, participants, content, UNITS, 7), participants


def test_everybody_is_in_a_class_or_accounted_for(made):
    derived, participants = made
    table = class_table(derived, participants, CONTENT)
    sums = table.group_by("site_id", "participant_id", maintain_order=True).agg(
        pl.col("probability").sum(), pl.col("assigned").sum()
    )
    assert sums.height == 238
    assert sums["probability"].to_numpy() == pytest.approx(1)
    assert sums["assigned"].to_list() == [1] * 238
    assert table.filter(pl.col("participant_id") == "p3")["missing"].unique().to_list() == ["il6"]
    accounts = mixture_accounts(derived, participants, "m")
    assert [(one.site, one.n_in, one.n_excluded) for one in accounts] == [("north", 120, 1), ("south", 120, 1)]


def test_the_first_class_is_the_least_inflamed(made):
    derived, _ = made
    assert derived.labels == ["lowest hscrp", "highest hscrp"]
    assert derived.mixture.means[0, 0, 0] < derived.mixture.means[0, 1, 0]


def test_the_seed_decides_and_nothing_else(made):
    found, participants = tables()
    again = derive(found, participants, CONTENT, UNITS, 7)
    assert again.artefact["hash"] == made[0].artefact["hash"]


def test_classes_that_are_assays_have_no_label():
    found, participants = tables(factor=30.0)
    derived = derive(found, participants, CONTENT, UNITS, 7)
    assert derived.labels is None
    assert "Cramer's V" in derived.reason
    table = class_table(derived, participants, CONTENT)
    assert not table["assigned"].any()
    profiles = mixture_tables(derived, participants, CONTENT, {})["mixture_classes"]
    assert profiles["label"].null_count() == profiles.height


@pytest.mark.parametrize(
    "shifts", [pytest.param(name, id=name) for name in ("by_assay", "by_site", "centred_by_assay")]
)
def test_shifts_take_the_assay_out(shifts):
    found, participants = tables(factor=30.0)
    derived = derive(found, participants, {**CONTENT, "shifts": shifts}, UNITS, 7)
    assert derived.labels is not None
    assert max(derived.association) < 0.3
    first, second = derived.artefact["analytes"][0]["groups"].values()
    assert abs(second - first) == pytest.approx(np.log(30), abs=0.4)


@pytest.mark.parametrize("shifts", [pytest.param(name, id=name) for name in ("none", "by_assay", "centred_by_assay")])
def test_a_frozen_mixture_gives_the_same_probabilities(shifts):
    found, participants = tables(factor=3.0)
    fitted = derive(found, participants, {**CONTENT, "shifts": shifts}, UNITS, 7)
    frozen = thawed(json.loads(json.dumps(fitted.artefact)), "mixtures/m.json")
    content = {"mixture": "taken", "version": 1, "label": "Taken", "visit": "baseline", "frozen": "m.json"}
    taken = derive(found, participants, content, [], 7, frozen)
    assert taken.posterior == pytest.approx(fitted.posterior, abs=1e-10)
    assert {line["kind"] for line in taken.stability} == {"drift_shares", "drift_levels", "drift_fit"}


def test_a_changed_artefact_is_refused(made):
    content = json.loads(json.dumps(made[0].artefact))
    content["classes"][0]["weight"] = 0.5
    with pytest.raises(EmberError, match="hash does not fit"):
        thawed(content, "mixtures/m.json")
    assert hash_of(made[0].artefact) == made[0].artefact["hash"]


def test_an_assay_that_the_frozen_mixture_does_not_know_is_refused():
    found, participants = tables()
    fitted = derive(found, participants, {**CONTENT, "shifts": "by_assay"}, UNITS, 7)
    other = found.with_columns(pl.lit("assay_new").alias("assay_id"))
    content = {"mixture": "taken", "version": 1, "label": "Taken", "visit": "baseline", "frozen": "m.json"}
    with pytest.raises(EmberError, match="does not know the assay 'assay_new'"):
        derive(other, participants, content, [], 7, thawed(fitted.artefact, "mixtures/m.json"))


def test_nobody_with_the_analytes_is_refused():
    _, participants = tables()
    with pytest.raises(EmberError, match="No participant has the analytes"):
        derive(measurements(result("north", "p1", 1.0, analyte="tnf")), participants, CONTENT, UNITS, 7)


def test_small_classes_do_not_leave(made):
    derived, participants = made
    states = class_table(derived, participants, CONTENT).select("site_id", "participant_id").unique(maintain_order=True)
    scheme = states.with_columns(pl.lit("low").alias("class"), pl.lit(value=True).alias("assigned")).with_columns(
        pl.when(pl.int_range(pl.len()) < 4).then(pl.lit("rare")).otherwise("class").alias("class")
    )
    found = mixture_tables(derived, participants, CONTENT, {"rare": scheme})
    shown = protect(found, Profile("sacro", 10, 0, 10))
    assert shown["mixture_agreement"].filter(pl.col("state") == "rare")["n"].null_count() == 2
    hidden = protect(found, Profile("sacro", 150, 0, 10))["mixture_classes"]
    assert hidden["geometric_mean"].null_count() > 0
    assert hidden["weight"].null_count() == hidden.height
