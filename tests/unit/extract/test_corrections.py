from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ember.errors import EmberError
from ember.extract.corrections import Correction, Corrections, corrections_path, read_corrections
from ember.registry.model import CodedColumn, LaboratoryMap, RowFilter, TableMap, VisitMap
from ember.tables.store import conform
from ember.validate.ledger import join_entries

HEADER = "id,participant,visit,column,expect,value,reason,provider,date,query"
LONG = TableMap("clinic", "id", visits=VisitMap(long=CodedColumn("visit", {"V1": "baseline"})))
WIDE = TableMap("clinic", "id")
FRAME = pl.DataFrame(
    {
        "_row": [2, 3, 4, 5, 6],
        "id": ["P1", " P2 ", "P2", "P3", ""],
        "visit": ["V1", "V1", "V2", "V1 ", "V1"],
        "crp": ["1.5", "210", "3", "", "5"],
    }
)


def correction(name: str = "C1", participant: str = "P2", visit: str = "V1", **more: str | int) -> Correction:
    given: dict[str, str | int] = {"column": "crp", "expect": "210", "value": "2.10", "line": 2, **more}
    return Correction(name, participant, visit, reason="decimal point lost", provider="lab", date="2025-06-30", **given)  # type: ignore[arg-type]


def corrections(*listed: Correction, table: TableMap = LONG) -> Corrections:
    return Corrections(listed, "corrections.csv", "graz", table, "clinic.csv", "Sheet1")


def written(tmp_path: Path, *lines: str, header: str = HEADER) -> Path:
    path = tmp_path / "corrections.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


class TestReading:
    def test_reads_lines_without_outer_white_space(self, tmp_path: Path) -> None:
        path = written(tmp_path, 'C1, P2 ,V1,crp,210,2.10,"point, lost",lab,2025-06-30,Q7', "", header=HEADER)
        [read] = read_corrections(path, "corrections.csv")
        assert (read.participant, read.reason, read.query, read.entry, read.line) == ("P2", "point, lost", "Q7", "", 2)

    def test_query_may_be_left_out(self, tmp_path: Path) -> None:
        path = written(tmp_path, "C1,P2,,crp,,2.10,found on paper,lab,2025-06-30", header=HEADER.removesuffix(",query"))
        assert read_corrections(path, "corrections.csv")[0].query == ""

    def test_everything_is_found_at_once_and_no_value_is_shown(self, tmp_path: Path) -> None:
        path = written(
            tmp_path,
            "C1,SECRET,V1,crp,210,2.10,why it is so,lab,30.06.2025,",
            "C1,SECRET,V1,crp,210,2.10,why it is so,lab,2025-02-30,",
            ",,V1,crp,77.7,77.7,,lab,2025-06-30,",
            "SECRET 1,P9,V1,crp,1,2,why,lab,2025-06-30",
            "7SECRET,P9,V1,crp,1,2,why,lab,2025-06-30,",
        )
        with pytest.raises(EmberError) as error:
            read_corrections(path, "corrections.csv")
        lines = str(error.value).splitlines()
        places = [line.split()[0] for line in lines if line.startswith("corrections.csv:")]
        assert sorted(places) == sorted(f"corrections.csv:{n}" for n in (2, 3, 3, 3, 4, 4, 5, 6))
        assert "needs its id and participant and reason" in str(error.value)
        assert not any(value in str(error.value) for value in ("SECRET", "77.7", "210", "30.06"))

    @pytest.mark.parametrize(
        ("header", "words"),
        [
            pytest.param(HEADER + ",comment", "Column 11 of the header", id="unknown"),
            pytest.param(HEADER.replace("expect", "expected"), "Nearest: expect", id="misspelled"),
            pytest.param(HEADER.replace("expect,", ""), "lacks the column expect", id="absent"),
            pytest.param(HEADER + ",id", "stands 2 times", id="twice"),
        ],
    )
    def test_the_header_is_closed(self, tmp_path: Path, header: str, words: str) -> None:
        with pytest.raises(EmberError, match=r"corrections\.csv:1") as error:
            read_corrections(written(tmp_path, header=header), "corrections.csv")
        assert words in str(error.value)

    def test_a_file_without_header_does_not_show_its_cells(self, tmp_path: Path) -> None:
        path = written(tmp_path, header="C1,SECRET,V1,crp,210,2.10,why,lab,2025-06-30,")
        with pytest.raises(EmberError) as error:
            read_corrections(path, "corrections.csv")
        assert "SECRET" not in str(error.value)

    def test_other_encodings_are_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "corrections.csv"
        path.write_bytes(HEADER.encode() + b"\nC\xfc")
        with pytest.raises(EmberError, match="not UTF-8"):
            read_corrections(path, "corrections.csv")


class TestPath:
    def test_is_within_the_data_folder(self, tmp_path: Path) -> None:
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "c.csv").touch()
        assert corrections_path(tmp_path, "sub/c.csv", "site.yaml").name == "c.csv"

    @pytest.mark.parametrize("name", ["../c.csv", "/etc/hostname", "sub/../../c.csv", "..\\c.csv", "link/c.csv"])
    def test_leads_nowhere_else(self, tmp_path: Path, name: str) -> None:
        data = tmp_path / "data"
        data.mkdir()
        (tmp_path / "c.csv").touch()
        (data / "link").symlink_to(tmp_path)
        with pytest.raises(EmberError, match="outside the data folder"):
            corrections_path(data, name, "site.yaml")

    def test_has_to_exist(self, tmp_path: Path) -> None:
        with pytest.raises(EmberError, match="does not exist"):
            corrections_path(tmp_path, "c.csv", "site.yaml")


class TestApplying:
    def test_changes_the_cell_and_says_so(self) -> None:
        applied = corrections(correction(), correction("C2", "P3", expect="", value="4", line=3))
        frame, ledger = applied.apply(FRAME)
        applied.finish()
        assert frame["crp"].to_list() == ["1.5", "2.10", "3", "4", "5"]
        assert frame.drop("crp").equals(FRAME.drop("crp"))
        conform(ledger, "ledger")
        told = ledger.select("site_id", "source_file", "sheet", "row_number", "column", "rule_id", "reason", "message")
        assert told.row(0) == (
            "graz", "clinic.csv", "Sheet1", 3, "crp", "value.corrected", "decimal point lost", "Correction C1.",
        )  # fmt: skip
        assert (ledger["action"].to_list(), ledger["unit"].to_list()) == (["corrected"] * 2, ["value"] * 2)

    def test_other_sites_rows_are_left_alone(self) -> None:
        applied = corrections(correction())
        frame, ledger = applied.apply(FRAME, pl.Series([True, None, True, True, False]))
        assert frame.equals(FRAME) and ledger.is_empty()
        with pytest.raises(EmberError, match="no row of the site"):
            applied.finish()

    @pytest.mark.parametrize(
        ("listed", "words"),
        [
            pytest.param(correction(participant="P9"), "no row of the site", id="no participant"),
            pytest.param(correction(visit="V9"), "no row of the site", id="no visit"),
            pytest.param(correction(expect="2.1"), "no longer what it expects", id="source was fixed"),
            pytest.param(correction(participant="P3"), "no longer what it expects", id="cell is empty now"),
        ],
    )
    def test_the_guard_fires_without_a_value(self, listed: Correction, words: str) -> None:
        applied = corrections(listed)
        frame, ledger = applied.apply(FRAME)
        assert frame.equals(FRAME) and ledger.is_empty()
        with pytest.raises(EmberError, match=r"corrections\.csv:2\n  Correction C1 does not fit") as error:
            applied.finish()
        assert words in str(error.value)
        assert not any(value in str(error.value) for value in ("P2", "P3", "P9", "210", "2.1"))

    def test_several_rows_are_refused_and_all_faults_listed(self) -> None:
        applied = corrections(correction(visit="", line=2), correction("C2", "P9", "", line=3), table=WIDE)
        applied.apply(FRAME)
        with pytest.raises(EmberError) as error:
            applied.finish()
        assert "C1 does not fit: 2 rows" in str(error.value) and "C2 does not fit: no row" in str(error.value)

    def test_an_entry_tells_rows_of_one_visit_apart(self) -> None:
        laboratory = LaboratoryMap(CodedColumn("test", {}), "value", "mg/L")
        table = TableMap("lab", "id", laboratory=laboratory)
        frame = pl.DataFrame({"_row": [2, 3], "id": ["P2", "P2"], "test": ["CRP", "IL6"], "value": ["210", "210"]})
        applied = corrections(correction(visit="", column="value", entry="IL6"), table=table)
        assert applied.apply(frame)[0]["value"].to_list() == ["210", "2.10"]
        applied.finish()

    @pytest.mark.parametrize(
        ("table", "listed", "words"),
        [
            pytest.param(LONG, correction(visit=""), "needs the text of the visit column", id="visit missing"),
            pytest.param(WIDE, correction(), "has no visit column", id="visit where there is none"),
            pytest.param(WIDE, correction(visit="", entry="CRP"), "for `entry`", id="entry where there is none"),
            pytest.param(
                TableMap("clinic", "id", rows=RowFilter("site", "G")),
                correction(visit="", column="site"),
                "whose the row is",
                id="whose row it is",
            ),
        ],
    )
    def test_what_the_table_cannot_have_is_refused_at_once(
        self, table: TableMap, listed: Correction, words: str
    ) -> None:
        with pytest.raises(EmberError) as error:
            corrections(listed, table=table)
        assert words in str(error.value)

    def test_an_absent_column_names_the_nearest(self) -> None:
        with pytest.raises(EmberError, match="Nearest: crp"):
            corrections(correction(column="crpp")).apply(FRAME)

    def test_the_participant_id_can_be_corrected(self) -> None:
        applied = corrections(correction(column="id", expect="P2", value="P4"), correction("C2", line=3))
        frame, _ = applied.apply(FRAME)
        applied.finish()
        assert frame.row(1) == (3, "P4", "V1", "2.10")


@given(st.sets(st.integers(1, 4)))
def test_batches_split_anywhere_give_the_same_result(cuts: set[int]) -> None:
    listed = (correction(), correction("C2", "P3", expect="", value="4", line=3), correction("C3", "P9", line=4))
    whole, parts = corrections(*listed), corrections(*listed)
    frame, ledger = whole.apply(FRAME)
    ends = [0, *sorted(cuts), FRAME.height]
    pieces = [parts.apply(FRAME[start:end]) for start, end in pairwise(ends)]
    assert pl.concat([piece for piece, _ in pieces]).equals(frame)
    assert join_entries([entry for _, entry in pieces]).equals(join_entries([ledger]))
    messages = []
    for applied in (whole, parts):
        with pytest.raises(EmberError) as error:
            applied.finish()
        messages.append(str(error.value))
    assert messages[0] == messages[1]
