"""Crosswalks: only what is declared, only where the source gives it, and never a table with errors."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from ember.errors import EmberError
from ember.harmonise.crosswalks import Choices
from ember.harmonise.instruments import Scored, score_instruments
from ember.registry.crosswalks import Crosswalk, Point, crosswalk, faults_of, scorable
from ember.registry.registry import Registry
from tests.unit.harmonise.harmonise_rows import answers_to, item_rows, shared_registry

# The conversion table of ids-qids.org as it is printed: IDS-SR, QIDS-SR, HRSD-17, HRSD-21, HRSD-24.
PUBLISHED = """
0-3 0 0 0-1 0-1|4-5 1 1-2 2 2|6 2 3 3 3-4|7-8 3 4 4 5|9-11 4 5-6 5-6 6-7|12-13 5 7 7-8 8-9|14-16 6 8 9 10-11
17-18 7 9-10 10 12|19-21 8 11 11-12 13-14|22-23 9 12 13 15-16|24-25 10 13 14-15 17-18|26-28 11 14-15 16 19
29-30 12 16 17 20-21|31-33 13 17 18-19 22-23|34-36 14 18-19 20-21 24-25|37-38 15 18-19 22 26|39-40 16 20 23 27-28
41-43 17 21-22 24-25 29-30|44-45 18 23 26 31-32|46-47 19 24 27 33|48 20 25 28 34|49-53 21 26-27 29-31 35-38
54-55 22 28 32 39|56-58 23 29 33-34 40-41|59-61 24 30-31 35-36 42-44|62-24 25 32 37-38 45-46
65-67 26 33-35 39-41 47-49|68-84 27 36-52 42-64 50-75
"""
IDS, QIDS, HRSD17, HRSD21, HRSD24 = range(5)
CHOI = "choi_2014_phq9_promis_d8a_t"


def published(first: int, second: int, **repaired: str) -> tuple[Point, ...]:
    """Return two columns of the published table, with printed cells replaced."""
    lines = [line.split() for line in PUBLISHED.replace("\n", "|").split("|") if line]
    ranges = [[_ends(repaired.get(f"cell_{cell.replace('-', '_')}", cell)) for cell in line] for line in lines]
    return tuple(Point(*line[first], *line[second]) for line in ranges)


def _ends(cell: str) -> tuple[float, float]:
    low, _, high = cell.partition("-")
    return float(low), float(high or low)


def link(points: Sequence[Point], kind: str = "bands", low: float = 0, high: float = 27) -> Crosswalk:
    return Crosswalk("x", "a", "b", kind, low, high, None, None, None, tuple(points))


def scored(rows: list[dict[str, object]], *links: str, registry: Registry | None = None) -> Scored:
    return score_instruments(
        item_rows(rows), registry or shared_registry(), "porto", "harmonise_site", Choices(links=links)
    )


def with_points(name: str, pairs: Sequence[tuple[float, float]]) -> Registry:
    tables = {table: dict(rows) for table, rows in shared_registry().tables.items()}
    for low, score in pairs:
        tables["crosswalk_points"][f"{name}|{low}"] = {
            "crosswalk": name, "from_low": str(low), "from_high": str(low), "to_low": str(score),
            "to_high": str(score), "source": "a test", "verified": "false",
        }  # fmt: skip
    return Registry(tables)


class TestLoader:
    def test_the_published_table_is_refused_for_the_range_that_runs_backwards(self) -> None:
        faults = faults_of(link(published(IDS, QIDS), high=84))
        assert "the range 62 to 24 runs backwards" in faults
        assert "24 is followed by 65" in faults

    def test_and_for_two_scores_that_stand_for_the_same(self) -> None:
        assert faults_of(link(published(QIDS, HRSD17))) == [
            "14 and 15 do not stand for rising scores (18 to 19, then 18 to 19)"
        ]

    @pytest.mark.parametrize("column", [pytest.param(HRSD21, id="21 items"), pytest.param(HRSD24, id="24 items")])
    def test_its_columns_without_errors_pass(self, column: int) -> None:
        assert faults_of(link(published(QIDS, column))) == []

    def test_its_first_column_passes_without_the_misprint(self) -> None:
        assert faults_of(link(published(IDS, QIDS, cell_62_24="62-64"), high=84)) == []

    @pytest.mark.parametrize(
        ("points", "kind", "fault"),
        [
            pytest.param([Point(0, 0, 1, 1), Point(2, 2, 3, 3)], "table", "0 is followed by 2", id="a gap"),
            pytest.param([Point(0, 1, 1, 1), Point(1, 2, 3, 3)], "bands", "1 does not lie above 1", id="an overlap"),
            pytest.param([Point(0, 0, 3, 3), Point(1, 1, 2, 2)], "table", "do not stand for rising", id="falling"),
            pytest.param([Point(0, 1, 1, 1), Point(2, 2, 3, 3)], "table", "no single score", id="a range in a table"),
            pytest.param([Point(0, 0, 1, 1), Point(1, 1, 2, 2)], "table", "it runs from 0 to 1", id="too short"),
            pytest.param([], "table", "its table is not shipped", id="empty"),
            pytest.param([Point(0, 0, 1, 1)], "spline", "its kind 'spline'", id="an unknown kind"),
            pytest.param([], "linear", "an intercept and a slope", id="a line without coefficients"),
        ],
    )
    def test_faults(self, points: list[Point], kind: str, fault: str) -> None:
        assert any(fault in found for found in faults_of(link(points, kind, high=2)))

    @pytest.mark.parametrize("name", [row["crosswalk"] for row in shared_registry().rows("crosswalks")])
    def test_shipped_crosswalks_load_or_say_that_their_table_is_not_shipped(self, name: str) -> None:
        if name.startswith("choi"):
            with pytest.raises(EmberError, match="its table is not shipped"):
                crosswalk(shared_registry(), name)
        else:
            assert crosswalk(shared_registry(), name).id == name

    def test_bands_make_no_scores(self) -> None:
        with pytest.raises(EmberError, match="links severity bands, not scores"):
            scorable(shared_registry(), "qids_sr16_madrs_bands")


class TestLinkedScores:
    @pytest.mark.parametrize(
        ("hamd", "bdi"),
        [
            pytest.param(10, 13, id="10"),
            pytest.param(20, 32, id="20"),
            pytest.param(30, 50, id="30"),
            pytest.param(15, None, id="nothing between the points"),
            pytest.param(9, None, id="nothing below"),
            pytest.param(31, None, id="nothing above"),
        ],
    )
    def test_given_points_only(self, hamd: float, bdi: float | None) -> None:
        scores = scored(answers_to("hamd17", {0: hamd}), "furukawa_2019_hamd17_bdi2").scores
        assert dict(scores.select("instrument", "score").iter_rows()) == {
            "hamd17": hamd,
            **({} if bdi is None else {"bdi2": bdi}),
        }

    def test_a_linked_score_says_so(self) -> None:
        result = scored(answers_to("hamd17", {0: 20}), "pmc3809821_hamd17_ids_sr30")
        row = result.scores.filter(pl.col("instrument") == "ids_sr30").row(0, named=True)
        assert row["score"] == pytest.approx(-2.92 + 2.09 * 20)
        assert (row["origin"], row["flags"], row["crosswalk"]) == (
            "linked", "score.linked", "pmc3809821_hamd17_ids_sr30",
        )  # fmt: skip
        assert (row["link_error_sd"], row["n_items"], row["construct"]) == (2.43, 0, "severity")
        native = result.scores.filter(pl.col("instrument") == "hamd17").row(0, named=True)
        assert (native["origin"], native["crosswalk"], native["link_error_sd"]) == ("total", None, None)
        assert result.ledger["rule_id"].to_list() == ["score.linked"]
        assert result.n_collapsed == 1

    @pytest.mark.parametrize(
        ("hamd", "made"),
        [
            pytest.param(0, False, id="the line leaves the range of the target"),
            pytest.param(2, True, id="inside"),
            pytest.param(37, True, id="the highest observed"),
            pytest.param(38, False, id="beyond what was observed"),
        ],
    )
    def test_a_line_holds_where_it_was_fitted(self, hamd: float, made: bool) -> None:
        scores = scored(answers_to("hamd17", {0: hamd}), "pmc3809821_hamd17_ids_sr30").scores
        assert ("ids_sr30" in scores["instrument"].to_list()) is made

    def test_a_native_score_stands_before_a_linked_one(self) -> None:
        rows = [*answers_to("hamd17", {0: 20}), *answers_to("bdi2", {0: 40})]
        scores = scored(rows, "furukawa_2019_hamd17_bdi2").scores
        assert scores.select("instrument", "score", "origin").rows() == [
            ("bdi2", 40.0, "total"),
            ("hamd17", 20.0, "total"),
        ]

    def test_nothing_is_linked_without_a_declaration(self) -> None:
        assert scored(answers_to("hamd17", {0: 20})).scores["instrument"].to_list() == ["hamd17"]

    def test_native_scores_alone_are_found_by_the_flag(self) -> None:
        rows = answers_to("hamd17", {0: 20})
        linked = scored(rows, "furukawa_2019_hamd17_bdi2").scores
        assert linked.filter(~pl.col("flags").cast(pl.String).str.contains("score.linked")).equals(scored(rows).scores)

    def test_a_table_of_the_study_makes_its_link_usable(self) -> None:
        registry = with_points(CHOI, [(raw, 37 + 1.5 * raw) for raw in range(28)])
        scores = scored(answers_to("phq9", {0: 10}), CHOI, registry=registry).scores
        row = scores.filter(pl.col("instrument") == "promis_d8a_t").row(0, named=True)
        assert (row["score"], row["link_error_sd"]) == (52.0, 6.73)

    def test_without_the_table_the_link_is_refused(self) -> None:
        with pytest.raises(EmberError, match="its table is not shipped"):
            scored(answers_to("phq9", {0: 10}), CHOI)
