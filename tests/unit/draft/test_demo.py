"""The draft of the demo's extracts against the demo's own site files, item by item."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from ember.cli.init import draft_study
from ember.draft.grouping import group_extracts
from ember.draft.proposal import OPEN
from ember.draft.study import StudyDraft, study_files
from ember.draft.table import outside
from ember.registry.load import PROJECT
from ember.registry.registry import Registry
from tests.unit.draft.mapping_items import Item, mapping_items, units_of

STUDY = PROJECT / "config" / "studies" / "demo"
SITES = ("porto", "lund", "graz", "cork")
# What the files themselves say of units; where a pair is absent they say nothing, and nothing may be stated.
STATED = {
    "graz": {"age": "a", "bmi": "kg/m2", "hscrp": "nmol/L", "il6": "pg/mL", "tnf": "pg/mL"},
    "cork": {"age": "a", "laboratory": "column unit"},
}
# Site: codes that no file of it explains.
UNTOLD = {
    "porto": {"sex 1", "sex 2", "arm A", "arm B"},
}


@pytest.fixture(scope="module")
def draft(tmp_path_factory: pytest.TempPathFactory) -> StudyDraft:
    folders = [PROJECT / "resources" / "demo" / site for site in SITES]
    return draft_study(tmp_path_factory.mktemp("study") / "demo", group_extracts(folders, ()))


@pytest.fixture(scope="module")
def files(draft: StudyDraft) -> dict[str, Any]:
    texts = study_files(draft)
    return {name: yaml.safe_load(text) for name, text in texts.items() if name.endswith(".yaml")}


def truth(site: str) -> tuple[dict[str, Any], dict[str, Any]]:
    study = yaml.safe_load((STUDY / "study.yaml").read_text(encoding="utf-8"))
    return yaml.safe_load((STUDY / "sites" / f"{site}.yaml").read_text(encoding="utf-8")), study["sources"]


def expected(site: str, draft: StudyDraft) -> set[Item]:
    """Return the true statements but for missing codes that no mapped cell of the table holds."""
    held = {}
    for table in next(one for one in draft.sites if one.id == site).tables:
        assert table.found is not None
        key = f"{table.file.shown}|{table.file.keys.get('sheet', '')}"
        held[key] = _codes_held(table.found)
    items = mapping_items(*truth(site))
    return {item for item in items if item[1] != "missing" or item[3] in held[item[0]]}


def _codes_held(found: Any) -> set[str]:
    frame = found.columns.table.frame
    texts = {text.strip() for name in frame.columns if name != "_row" for text in frame[name]}
    return {text for text in ("-9", "999", "k.A.") if text in texts}


@pytest.mark.parametrize("site", SITES)
def test_recovers_what_the_site_file_says(site: str, draft: StudyDraft, files: dict[str, Any]) -> None:
    wanted = expected(site, draft)
    given = mapping_items(files[f"sites/{site}.yaml"], files["study.yaml"]["sources"])
    lost = {item for item in wanted - given if item[2] not in UNTOLD.get(site, set())}
    print(f"{site}: {len(wanted & given)} of {len(wanted)} statements; wrong or more: {sorted(given - wanted)}")
    assert lost == set()
    assert given - wanted == set()


def test_recovers_at_least_nine_tenths_of_all_mappings(draft: StudyDraft, files: dict[str, Any]) -> None:
    wanted = {(site, *item) for site in SITES for item in expected(site, draft)}
    given = {
        (site, *item)
        for site in SITES
        for item in mapping_items(files[f"sites/{site}.yaml"], files["study.yaml"]["sources"])
    }
    share = len(wanted & given) / len(wanted)
    print(f"all sites: {len(wanted & given)} of {len(wanted)} statements ({share:.1%})")
    assert share >= 0.9


@pytest.mark.parametrize("site", SITES)
def test_states_a_unit_only_where_the_files_say_it(site: str, files: dict[str, Any]) -> None:
    given = units_of(files[f"sites/{site}.yaml"], files["study.yaml"]["sources"])
    assert {name: unit for (_, name), unit in given.items()} == STATED.get(site, {})


@pytest.mark.parametrize("site", SITES)
def test_leaves_every_other_unit_open(site: str, draft: StudyDraft) -> None:
    true = units_of(*truth(site))
    stated = STATED.get(site, {})
    silent = sorted(name for _, name in true if name not in stated)
    found = next(one for one in draft.sites if one.id == site)
    assert len([p for p in found.proposals if p.kind == "unit" and p.status == OPEN]) == len(silent)


def test_reads_the_files_as_the_study_declares_them(draft: StudyDraft, files: dict[str, Any]) -> None:
    _, true = truth("porto")
    keys = ("format", "encoding", "delimiter", "decimal", "sheet", "header_row", "dictionary")

    def reading(sources: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
        return {(s["path"], s.get("sheet", "")): {k: s[k] for k in keys if k in s} for s in sources.values()}

    assert reading(files["study.yaml"]["sources"]) == reading(true)


def test_names_the_visits_of_all_sites_alike(files: dict[str, Any]) -> None:
    days = {visit: entry["day"] for visit, entry in files["study.yaml"]["visits"].items()}
    assert days == {"baseline": 0, "week_4": 28, "week_12": 84}


def test_shows_no_cell_of_a_participant(draft: StudyDraft) -> None:
    texts = "\n".join(study_files(draft).values())
    for site in draft.sites:
        for table in site.tables:
            assert table.found is not None
            ids = set(table.found.columns.table.frame[table.mapping["participant"]])
            assert not [one for one in ids if len(one) > 3 and one in texts]


def test_a_proposal_that_is_sure_names_its_evidence(draft: StudyDraft, registry: Registry) -> None:
    assert all(proposal.evidence for proposal in draft.proposals)
    assert all(0 <= proposal.confidence < 1 for proposal in draft.proposals)
    assert all(proposal.confidence == 0 for proposal in draft.proposals if proposal.status == OPEN)


@pytest.mark.usefixtures("registry")
def test_a_code_near_other_values_is_no_missing_code(profile_of_numbers: Callable[..., Any]) -> None:
    assert outside(profile_of_numbers([*range(20, 90), 99]), [99.0]) == []
    assert outside(profile_of_numbers([*range(20, 90), 999]), [99.0, 999.0]) == [999.0]
    assert outside(profile_of_numbers([-3, *range(20), -9]), [-9.0]) == []


def test_paths_lie_below_the_data_folder(files: dict[str, Any]) -> None:
    assert all(not Path(s["path"]).is_absolute() for s in files["study.yaml"]["sources"].values())
