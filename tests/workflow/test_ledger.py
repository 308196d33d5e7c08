"""The ledger and the report: each refusal once, with one reason, and counted there as it stands here."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

import polars as pl
import pytest

from ember.registry.load import load_study
from ember.registry.model import Study
from ember.reporting.aggregate import read_aggregate
from ember.reporting.html import render_html
from ember.reporting.index import TEMPLATES
from ember.reporting.report import build_report
from ember.reporting.section_run import stage_words
from ember.steps import protect_results
from ember.validate.ledger import rules
from tests.in_process import call, run_stages
from tests.unit.cli.tiny_study import change_yaml, tiny_copy
from tests.unit.reporting.invented import VERSION
from tests.workflow.conftest import Workspace
from tests.workflow.test_demo import demo_copy

pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group(name="workflow")]
KEYS = ["site", "stage", "unit", "rule_id", "action"]
CELL = ["source_file", "sheet", "row_number", "column"]
KEPT = ("flagged", "corrected")
"""Actions after which the value is still there."""


def ledgers(results: Path) -> dict[str, pl.DataFrame]:
    """Return each ledger by its place."""
    folder = results / "restricted" / "ledger"
    return {path.relative_to(folder).as_posix(): pl.read_parquet(path) for path in sorted(folder.rglob("*.parquet"))}


@pytest.fixture(scope="module")
def counted(finished: Workspace) -> dict[tuple[str, ...], int]:
    """How many entries the ledgers hold by site, stage, unit, rule and action."""
    whole = pl.concat(ledgers(finished.results).values()).with_columns(pl.col("site_id").fill_null("").alias("site"))
    return {row[:-1]: row[-1] for row in whole.group_by(KEYS).len().iter_rows()}


@dataclass(frozen=True)
class Protected:
    """The tables of the tiny study under a profile of disclosure, and the report that is made of them."""

    study: Study
    threshold: int
    aggregate: Path
    page: str

    @property
    def rules(self) -> dict[tuple[str, ...], int | None]:
        """What rules.csv counts by site, stage, unit, rule and action; None where it is protected."""
        rows = lines_of(self.aggregate / "rules.csv")
        found = {tuple(row[key] for key in KEYS): int(row["n"]) if row["n"] else None for row in rows}
        assert len(found) == len(rows)
        return found


def lines_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module", params=["sacro", "datashield", "public"])
def protected(
    finished: Workspace, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Protected:
    folder = tiny_copy(tmp_path_factory.mktemp("protected"))
    change_yaml(folder / "study.yaml", disclosure=request.param)
    study, registry = load_study(str(folder))
    aggregate = folder / "aggregate"
    aggregate.mkdir()
    call(protect_results, folder, results=[finished.results], aggregate=aggregate)
    made = build_report(read_aggregate(aggregate), study, registry, VERSION)
    threshold = int(registry.row("disclosure", study.disclosure)["threshold"])
    return Protected(study, threshold, aggregate, render_html(made, TEMPLATES))


def test_the_run_protected_its_rules_like_this(finished: Workspace, protected: Protected) -> None:
    run = (finished.results / "aggregate" / "rules.csv").read_bytes()
    assert (run == (protected.aggregate / "rules.csv").read_bytes()) == (protected.study.disclosure == "sacro")


def test_no_rule_of_the_ledger_is_absent_and_none_is_added(
    counted: dict[tuple[str, ...], int], protected: Protected
) -> None:
    assert len(counted) > 10
    assert set(protected.rules) == set(counted)


def test_a_count_that_is_shown_is_that_of_the_ledger_and_a_hidden_one_has_a_reason(
    counted: dict[tuple[str, ...], int], protected: Protected
) -> None:
    small = {key for key, n in counted.items() if n < protected.threshold}
    assert len(small) == len(counted) if protected.study.disclosure == "sacro" else len(small) < len(counted)
    for key, n in protected.rules.items():
        if n is not None:
            assert (n, key in small) == (counted[key], False)
        elif key not in small:
            assert _beside_a_hidden_count(protected.aggregate, key), key


def _beside_a_hidden_count(aggregate: Path, key: tuple[str, ...]) -> bool:
    """Return whether another count is hidden in the same account: another rule, or a number of the account itself."""
    rules_there = [row for row in lines_of(aggregate / "rules.csv") if row["rule_id"] != key[3]]
    there = [*rules_there, *lines_of(aggregate / "accounting.csv"), *_excluded(aggregate, key[1])]
    return any("" in row.values() for row in there if (row["stage"], row["unit"]) == key[1:3])


def _excluded(aggregate: Path, stage: str) -> list[dict[str, str]]:
    """Return the boxes of the flow of an analysis, which count the same people."""
    rows = [row for row in lines_of(aggregate / "flow.csv") if f"analysis:{row['analysis']}" == stage]
    return [{"stage": stage, "unit": "participant", "n": row["n"]} for row in rows]


class Cells(HTMLParser):
    """Collects the rows of each table of a page by the table's id."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.names: list[str] = []
        self.rows: list[list[str]] | None = None
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = dict(attrs).get("id")
        if name:
            self.names.append(name)
        if tag == "table":
            self.rows = self.tables.setdefault(self.names[-1], [])
        elif tag == "tr" and self.rows is not None:
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data: str) -> None:
        if self.inside and self.rows:
            self.rows[-1][-1] += data


def test_the_page_prints_those_numbers_and_no_others(protected: Protected) -> None:
    study, published = protected.study, protected.rules
    page = Cells()
    page.feed(protected.page)
    (table,) = [rows for name, rows in page.tables.items() if name.removeprefix("table-") == "rules"]
    labels = {**{site: study.sites[site].label for site in study.sites}, "": "No site"}
    sites = [site for site in [*study.sites, ""] if any(key[0] == site for key in published)]
    header, *lines = [[cell.strip() for cell in row] for row in table]
    assert header == ["Rule", "Action", "Unit", *[labels[site] for site in sites]]
    printed: dict[tuple[str, ...], str] = {}
    stage = ""
    for line in lines:
        if not any(line[1:]):
            stage = line[0]
            continue
        for site, cell in zip(sites, line[3:], strict=True):
            printed[site, stage, line[2], line[0], line[1]] = cell
    expected = dict.fromkeys(printed, "0")
    for (site, stage, unit, rule, action), n in published.items():
        key = (site, stage_words(stage), f"{unit}s", rules()[rule].title, action)
        assert expected.get(key) == "0", key
        expected[key] = f"<{protected.threshold}" if n is None else f"{n:,}"
    assert printed == expected


def tiny(folder: Path) -> Path:
    return run_stages(tiny_copy(folder))[1]


def demo(folder: Path) -> Path:
    return run_stages(demo_copy(folder))[1]


@pytest.fixture(scope="module", params=[tiny, demo])
def every_ledger(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, pl.DataFrame]:
    return ledgers(request.param(tmp_path_factory.mktemp("study")))


def refusals(parts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(parts).filter(~pl.col("action").is_in(KEPT))


def test_no_row_and_no_cell_is_refused_twice(every_ledger: dict[str, pl.DataFrame]) -> None:
    whole = refusals([part for place, part in every_ledger.items() if not place.startswith("analysis/")])
    assert whole.height
    twice = whole.group_by(CELL).agg(pl.len(), "stage", "rule_id").filter(pl.col("len") > 1)
    assert twice.select("stage", "rule_id").rows() == []


def test_no_cell_of_a_refused_row_is_refused_as_well(every_ledger: dict[str, pl.DataFrame]) -> None:
    whole = refusals([part for place, part in every_ledger.items() if not place.startswith("analysis/")])
    rows = whole.filter(pl.col("unit") == "row").select(CELL[:3])
    again = whole.filter(pl.col("unit") == "value").join(rows, on=CELL[:3], how="semi", nulls_equal=True)
    assert again.select("stage", "rule_id").rows() == []


def test_a_participant_leaves_an_analysis_once(every_ledger: dict[str, pl.DataFrame]) -> None:
    sets = {place: part for place, part in every_ledger.items() if place.startswith("analysis/")}
    assert sets
    for place, part in sets.items():
        once = refusals([part]).filter(pl.col("unit") == "participant")
        assert once.height == once.select(CELL).n_unique() > 0, place
