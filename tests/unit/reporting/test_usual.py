"""What the report says of usual levels."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from ember.consortium.disclosure import profile_of, protect
from ember.registry.load import load_study
from ember.reporting.blocks import Table, Text
from ember.reporting.facts import Facts
from ember.reporting.section_usual import usual_blocks
from ember.reporting.summary_usual import usual_tables
from ember.tables.store import conform
from tests.unit.reporting.invented import VERSION

SCHEME = "hscrp_bands"
CLASSES = ("not_inflamed", "inflamed_single")
PEOPLE = {("porto", "not_inflamed"): (40, 0.1), ("porto", "inflamed_single"): (20, 0.6),
          ("lund", "not_inflamed"): (30, 0.2), ("lund", "inflamed_single"): (6, 0.7)}  # fmt: skip
NUMBERS = {"n_samples": 60, "n_below": 12, "n_above": 3, "n_repeated": 0, "ln_mean": 0.51234, "between_sd": 1.01234,
           "within_sd": 0.4, "assay_sd": None, "acute_share": 0.02345, "method": "published"}  # fmt: skip


def levels(**changed: object) -> pl.DataFrame:
    rows = [
        {"site_id": site, "participant_id": f"{site}-{state}-{place}", "cut": 3.0, "probability": probability,
         "n_samples": 1, "identified": True, "reason": None, "method": "published", **changed}
        for (site, state), (many, probability) in PEOPLE.items() for place in range(many)
    ]  # fmt: skip
    return conform(
        pl.DataFrame(rows, schema_overrides={"reason": pl.String, "probability": pl.Float64}), "usual_levels"
    )


def states() -> pl.DataFrame:
    return pl.DataFrame(
        [
            {"site_id": site, "participant_id": f"{site}-{state}-{place}", "class": one, "assigned": one == state}
            for (site, state), (many, _) in PEOPLE.items() for place in range(many) for one in CLASSES
        ]
    )  # fmt: skip


def components(reason: str | None = None) -> pl.DataFrame:
    empty = dict.fromkeys(("ln_mean", "between_sd", "within_sd", "acute_share"))
    rows = [
        {"site_id": site, "n_people": n, **NUMBERS, **(empty if reason else {}), "reason": reason}
        for site, n in (("porto", 60), ("lund", 36))
    ]
    kinds = {name: pl.Float64 for name in (*empty, "assay_sd")} | {"reason": pl.String}
    return conform(pl.DataFrame(rows, schema_overrides=kinds), "usual_components")


def facts_of(profile: str = "sacro", **changed: object) -> Facts:
    study, registry = load_study("demo")
    block = {"cut": "hscrp_high", "within_person": "hscrp_macy_1997", "assay_cv": 0.05}
    study = replace(study, schemes={SCHEME: {**study.schemes[SCHEME], "usual_level": block}})
    reason = changed.get("reason")
    made = {SCHEME: {"usual_levels": levels(**changed), "usual_components": components(reason if isinstance(reason, str) else None)}}  # fmt: skip  # noqa: E501
    tables = protect(usual_tables(study, made, {SCHEME: states()}), profile_of(registry, profile))
    return Facts(tables, study, registry, VERSION)


def test_means_by_state_and_site() -> None:
    rows = {(row["site"], row["state"]): row for row in facts_of("public").lines("usual_levels")}
    assert rows["all", ""]["n"] == 96
    assert round(rows["all", ""]["probability"], 6) == round((40 * 0.1 + 20 * 0.6 + 30 * 0.2 + 6 * 0.7) / 96, 6)
    assert round(rows["porto", "inflamed_single"]["probability"], 12) == 0.6
    assert [row["inflamed"] for row in rows.values() if row["site"] == "lund"] == [False, False, True]


def test_the_mean_of_few_is_hidden_and_cannot_be_worked_out() -> None:
    rows = {(row["site"], row["state"]): row for row in facts_of().lines("usual_levels")}
    few = rows["lund", "inflamed_single"]
    assert (few["n"], few["probability"]) == (None, None)
    hidden = [key for key, row in rows.items() if row["n"] is None]
    assert len(hidden) > 1 and all(rows[key]["probability"] is None for key in hidden)


def test_those_of_a_state_without_a_level_cannot_be_worked_out() -> None:
    """Everybody of Porto in a state but three has a level: 40 of 43 must not stand beside each other."""
    _, registry = load_study("demo")
    with_level = facts_of("public").tables["usual_levels"]
    rows = [
        {"scheme": SCHEME, "scheme_label": "", "population": "all", "site": site, "state": state, "state_order": order,
         "inflamed": bool(order), "n": n, "total": total, "share": n / total, "conf_low": 0.0, "conf_high": 1.0}
        for site, numbers in (("all", (73, 26)), ("porto", (43, 20)), ("lund", (30, 6)))
        for total in [sum(numbers)] for order, (state, n) in enumerate(zip(CLASSES, numbers, strict=True))
    ]  # fmt: skip
    tables = {"endotypes": pl.DataFrame(rows), "usual_levels": with_level}
    shown = protect(tables, profile_of(registry, "sacro"))
    of = {"site": "porto", "state": "not_inflamed"}
    assert None in (shown["endotypes"].filter(**of)["n"][0], shown["usual_levels"].filter(**of)["n"][0])


def test_the_report_sets_the_expected_share_beside_the_labelled_one() -> None:
    facts = facts_of("public")
    blocks = usual_blocks(facts, SCHEME, facts.study.schemes[SCHEME])
    text = " ".join(block.text for block in blocks if isinstance(block, Text))
    assert "above 3 mg/L" in text and "taken as published (hscrp_macy_1997)" in text and "not a diagnosis" in text
    assert "27.3" in text and "27.1" in text  # expected 26.2 of 96 people, labelled 26 of 96
    assert [block.id for block in blocks if isinstance(block, Table)] == [
        f"usual_{SCHEME}", f"usual_{SCHEME}_components",
    ]  # fmt: skip


def test_not_identified_is_said_and_no_number_given() -> None:
    facts = facts_of("public", identified=False, probability=None, reason="no_repeats")
    blocks = usual_blocks(facts, SCHEME, facts.study.schemes[SCHEME])
    [table] = [block for block in blocks if isinstance(block, Table)]
    assert any("one sample a person" in note for note in table.notes)
    assert all(row[-1] == "–" for row in table.rows)
    assert {row["probability"] for row in facts.lines("usual_levels")} <= {None}


def test_a_scheme_that_does_not_ask_gets_nothing() -> None:
    study, registry = load_study("demo")
    assert usual_blocks(Facts({}, study, registry, VERSION), SCHEME, study.schemes[SCHEME]) == []
