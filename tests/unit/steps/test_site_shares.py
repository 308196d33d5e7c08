"""A site in many shares gives the tables, accounts and findings of the site as a whole."""

from functools import partial
from pathlib import Path

import polars as pl
import pytest

from ember.extract.raw_shares import raw_shares
from ember.provenance.settings import included_sites
from ember.registry.load import load_study
from ember.steps import standardise_site
from ember.tables.shares import share_heights
from tests.in_process import harmonise, read, standardise
from tests.unit.cli.tiny_study import tiny_copy


def run(folder: Path) -> Path:
    study, _ = load_study(str(folder))
    results = folder / "results" / study.id
    for source in study.sources:
        read(study, folder, results, source)
    for site in included_sites(study):
        standardise(study, folder, results, site)
        harmonise(folder, results, site)
    return results


def sorted_rows(path: Path) -> pl.DataFrame:
    """Return rows as text in one order, without the number that follows from the order of the shares."""
    frame = pl.read_parquet(path).cast(pl.String)
    columns = [name for name in frame.columns if name != "row_id"]
    return frame.select(columns).sort(columns)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    whole = run(tiny_copy(tmp_path_factory.mktemp("whole")))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(standardise_site, "raw_shares", partial(raw_shares, rows=9))
        return whole, run(tiny_copy(tmp_path_factory.mktemp("shares")))


def test_there_are_many_shares(both):
    for path in (both[1] / "restricted/standard").rglob("*.parquet"):
        assert len(share_heights(path)) > 2


@pytest.mark.parametrize("tier", [pytest.param(tier, id=tier) for tier in ("standard", "harmonised")])
def test_tables_hold_the_same_rows(both, tier):
    for one in sorted((both[0] / "restricted" / tier).rglob("*.parquet")):
        other = both[1] / one.relative_to(both[0])
        assert sorted_rows(one).equals(sorted_rows(other)), one.name


def test_ledgers_hold_the_same_entries(both):
    for one in sorted((both[0] / "restricted/ledger").rglob("*.parquet")):
        assert sorted_rows(one).equals(sorted_rows(both[1] / one.relative_to(both[0])))


@pytest.mark.parametrize("checks", [pytest.param(name, id=name) for name in ("accounting", "findings")])
def test_accounts_and_findings_are_the_same(both, checks):
    found = sorted((both[0] / "checks" / checks).rglob("*.csv"))
    assert found
    for one in found:
        assert one.read_bytes() == (both[1] / one.relative_to(both[0])).read_bytes()


def test_measurements_are_numbered_through(both):
    for path in (both[1] / "restricted/harmonised").rglob("measurements.parquet"):
        numbers = pl.read_parquet(path)["row_id"]
        assert numbers.to_list() == list(range(1, numbers.len() + 1))
