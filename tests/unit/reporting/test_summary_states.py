"""States in all, in difficult-to-treat and in treatment-resistant depression; and who would be lost above 10."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from ember.consortium.disclosure import profile_of, protect
from ember.registry.load import load_study
from ember.registry.model import Study
from ember.reporting import summary_states
from ember.reporting.blocks import Table
from ember.reporting.report import build_report
from ember.reporting.summary_acute import acute_samples
from ember.reporting.summary_states import endotype_shares
from ember.tables.store import conform
from tests.unit.reporting.invented import VERSION, invented_tables

CLASSES = ("not_inflamed", "inflamed_single", "persistent_above_10", "acute_suspect", "indeterminate")


def states(*given: tuple[str, str, str]) -> pl.DataFrame:
    """Return endotypes of p1…pn from site, state and flags."""
    rows = [
        {"site_id": site, "participant_id": f"p{number}", "visit": "baseline", "class": name,
         "probability": float(name == state), "assigned": name == state, "rule_id": "r", "evidence": "",
         "flags": flags, "missing": "", "n_samples": int(state != "indeterminate")}
        for number, (site, state, flags) in enumerate(given, start=1)
        for name in CLASSES
    ]  # fmt: skip
    return conform(pl.DataFrame(rows), "endotypes")


def history(*answers: tuple[str, str, str]) -> dict[str, pl.DataFrame]:
    """Return the histories of p1…pn from site, trd and dtd."""
    rows = [
        {"site_id": site, "participant_id": f"p{number}", "trd": trd, "dtd": dtd}
        for number, (site, trd, dtd) in enumerate(answers, start=1)
    ]
    frame = pl.DataFrame(rows)
    return {site: frame.filter(pl.col("site_id") == site) for site in dict.fromkeys(frame["site_id"])}


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setattr(summary_states, "tells_trials", lambda study: True)
    return replace(load_study("demo")[0], dtd={"rule": "of a test"})


def counts(table: pl.DataFrame, **equals: str) -> dict[str, int]:
    own = table.filter(*[pl.col(name) == value for name, value in equals.items()])
    return {state: n for state, n in own.select("state", "n").rows() if n}


def test_every_state_is_counted_in_each_population(study: Study) -> None:
    found = endotype_shares(
        study,
        {"hscrp_bands": states(("porto", "inflamed_single", ""), ("porto", "not_inflamed", ""),
                               ("lund", "inflamed_single", ""), ("lund", "indeterminate", ""))},
        history(("porto", "yes", "yes"), ("porto", "no", "yes"), ("lund", "indeterminate", "yes"),
                ("lund", "no", "no")),
    )  # fmt: skip
    assert list(dict.fromkeys(found["population"])) == ["all", "dtd", "trd", "dtd_not_trd"]
    assert counts(found, population="all", site="all") == {"inflamed_single": 2, "not_inflamed": 1, "indeterminate": 1}
    assert counts(found, population="dtd", site="all") == {"inflamed_single": 2, "not_inflamed": 1}
    assert counts(found, population="trd", site="all") == {"inflamed_single": 1}
    assert counts(found, population="dtd_not_trd", site="all") == {"not_inflamed": 1}
    assert set(found.filter(population="dtd_not_trd", site="porto")["total"]) == {1}


def test_without_a_history_there_is_one_population(study: Study) -> None:
    found = endotype_shares(study, {"hscrp_bands": states(("porto", "not_inflamed", ""))})
    assert set(found["population"]) == {"all"}


def test_no_small_count_follows_from_the_populations(study: Study) -> None:
    """27 difficult, of whom 25 are not resistant: the two others must not follow."""
    given = [("porto", "inflamed_single", "")] * 30 + [("porto", "not_inflamed", "")] * 30
    told = [("porto", "no", "yes")] * 25 + [("porto", "yes", "yes")] * 2 + [("porto", "no", "no")] * 33
    table = endotype_shares(study, {"hscrp_bands": states(*given)}, history(*told))
    _, registry = load_study("demo")
    shown = protect({"endotypes": table}, profile_of(registry, "sacro"))["endotypes"]
    raised = {row["population"]: row["n"] for row in shown.to_dicts()
              if row["state"] == "inflamed_single" and row["site"] == "porto"}  # fmt: skip
    assert raised["trd"] is None
    assert raised["dtd"] is None or raised["dtd_not_trd"] is None
    assert raised["all"] is None or raised["dtd"] is None


def test_no_small_count_follows_from_two_schemes(study: Study) -> None:
    """40 raised in one scheme and 38 in a stricter one: the two between them must not follow."""
    plain = [("porto", "inflamed_single", "")] * 40 + [("porto", "not_inflamed", "")] * 40
    strict = [("porto", "inflamed_single", "")] * 38 + [("porto", "not_inflamed", "")] * 42
    table = endotype_shares(study, {"hscrp_bands": states(*plain), "cytokine_supported": states(*strict)})
    _, registry = load_study("demo")
    shown = protect({"endotypes": table}, profile_of(registry, "sacro"))["endotypes"]
    raised = ["inflamed_single", "raised_support_not_compared"]
    assert None in shown.filter(pl.col("state").is_in(raised), site="porto")["n"].to_list()


def people(sites: list[str], **columns: list[Any]) -> Any:
    class Tables:
        participants = pl.DataFrame(
            {"site_id": sites, "participant_id": [f"p{n + 1}" for n in range(len(sites))], **columns}
        )

    return Tables()


def test_who_would_be_lost() -> None:
    study, registry = load_study("demo")
    table = states(
        ("porto", "acute_suspect", "above_10"),
        ("porto", "inflamed_single", "above_10;above_10_set_aside"),
        ("porto", "not_inflamed", ""),
        ("porto", "indeterminate", ""),
    )
    site = people(["porto"] * 4, sex=["female", "female", "male", None], bmi=[30.0, 24.9, None, 40.0])
    found = acute_samples(study, registry, {"porto": site}, {"hscrp_bands": table})
    rows = {(row["group_by"], row["group"]): (row["n"], row["n_above"], row["n_without_repeat"])
            for row in found.to_dicts()}  # fmt: skip
    assert rows == {
        ("site", "all"): (4, 2, 1), ("site", "porto"): (4, 2, 1), ("sex", "female"): (2, 2, 1),
        ("sex", "male"): (1, 0, 0), ("sex", "missing"): (1, 0, 0), ("bmi_band", "below 25"): (1, 1, 0),
        ("bmi_band", "30 or more"): (2, 1, 1), ("bmi_band", "missing"): (1, 0, 0),
    }  # fmt: skip


def printed(**added: pl.DataFrame) -> dict[str, Table]:
    study, registry = load_study("demo")
    protected = protect(invented_tables(study, registry) | added, profile_of(registry, "sacro"))
    return {table.id: table for table in build_report(protected, study, registry, VERSION).tables}


def test_the_report_shows_those_above_the_cut_in_and_out() -> None:
    rows = printed()["endotypes_hscrp_bands_table"].rows
    names = [row[0].strip() for row in rows]
    assert "Inflamed, without those persistently above the acute cut" in names
    assert "Inflamed, with those persistently above the acute cut" in names


def test_the_report_shows_who_would_be_lost_and_protects_it() -> None:
    table = printed()["acute_samples_hscrp_bands"]
    assert table.columns[2] == "Lost if only values up to 10 count, n (share)"
    men = next(row for row in table.rows if row[0].strip().lower() == "male")
    assert men[2:] == ["<10", "<10"]


def test_the_report_shows_states_by_population(study: Study) -> None:
    given = [("porto", "inflamed_single", "")] * 40 + [("porto", "not_inflamed", "")] * 60
    told = [("porto", "no", "yes")] * 20 + [("porto", "yes", "yes")] * 20 + [("porto", "no", "no")] * 60
    shares = endotype_shares(study, {"hscrp_bands": states(*given)}, history(*told))
    table = printed(endotypes=shares)["endotypes_hscrp_bands_populations"]
    assert len(table.columns) == 5
    assert next(row for row in table.rows if row[0] == "Participants")[1:] == ["100", "40", "20", "20"]
