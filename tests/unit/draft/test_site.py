"""Extracts made on the spot, drafted as a site: what is stated, what is open, what is refused."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
import yaml

from ember.draft.proposal import Proposal
from ember.draft.site import SiteDraft
from ember.draft.study import StudyDraft, study_files
from ember.errors import EmberError
from tests.unit.draft.conftest import DraftFiles

HEADER = "Patient-ID;Geschlecht;Termin;Datum der Randomisierung;CRP [mg/dl];Klinik\n"


def german(value: float, day: int = 1) -> str:
    rows = (
        f"D{n // 2:03d};{'wm'[n // 2 % 2]};{'V0' if n % 2 else 'W4'};{n % 9 + day:02d}/03/2023;"
        f"{value * ((n * 37) % 41 + 1) / 20:.3f};{'KHM'[n // 2 % 2]}\n".replace(".", ",")
        for n in range(160)
    )
    return HEADER + "".join(rows)


@pytest.fixture
def drafted(tmp_path: Path, draft_files: DraftFiles):  # type: ignore[no-untyped-def]
    def make(content: str | bytes, name: str = "extract.csv") -> SiteDraft:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return draft_files(path)

    return make


def of(draft: SiteDraft, kind: str, column: str | None = None) -> list[Proposal]:
    return [one for one in draft.proposals if one.kind == kind and column in (None, one.column)]


def test_a_date_that_two_orders_read_is_left_open(drafted):
    found = of(drafted(german(0.15)), "date_format")
    assert [(one.proposal, one.is_open) for one in found] == [("%d/%m/%Y | %m/%d/%Y", True)]
    assert "time_zero" not in drafted(german(0.15)).tables[0].mapping


def test_a_day_above_twelve_settles_the_order(drafted):
    draft = drafted(german(0.15, day=10))
    assert draft.tables[0].mapping["time_zero"] == {"column": "Datum der Randomisierung", "date": "%d/%m/%Y"}


def test_a_unit_of_the_header_stands_where_the_values_agree(drafted):
    assert drafted(german(0.15)).tables[0].mapping["measurements"]["hscrp"]["unit"] == "mg/dL"


def test_a_unit_of_the_header_that_the_values_contradict_is_open_with_both(drafted):
    draft = drafted(german(1.8))
    unit = of(draft, "unit")[0]
    assert "unit" not in draft.tables[0].mapping["measurements"]["hscrp"]
    assert unit.is_open
    assert unit.proposal.split(" | ")[:2] == ["mg/dL", "mg/L"]


def test_values_alone_state_no_unit(drafted):
    draft = drafted(german(0.15).replace(" [mg/dl]", ""))
    unit = of(draft, "unit")[0]
    assert unit.is_open
    assert "look like mg/dL" in unit.evidence


def test_several_sites_in_one_file_are_asked_about(drafted):
    rows = of(drafted(german(0.15)), "rows")[0]
    assert rows.is_open
    assert rows.proposal == "{column: Klinik, equals: H} | {column: Klinik, equals: K}"


def test_a_column_of_visits_is_known_by_its_texts(drafted):
    visits = drafted(german(0.15)).tables[0].mapping["visits"]
    assert visits["long"] == {"column": "Termin", "codes": {"V0": "baseline", "W4": "week_4"}}


def test_numeric_codes_of_sex_are_not_guessed(drafted):
    draft = drafted("id,sex\n" + "".join(f"P{n},{n % 2 + 1}\n" for n in range(40)))
    assert [one.is_open for one in of(draft, "code")] == [True, True]
    assert draft.tables[0].mapping["columns"]["sex"] == {"column": "sex"}


def test_a_column_of_units_is_named(drafted):
    units = ("pg/mL", "ng/L")
    rows = "".join(f"P{n},{n % 7 + 0.5},{units[n % 2]}\n" for n in range(60))
    mapping = drafted("id,il6,il6_unit\n" + rows).tables[0].mapping
    assert mapping["measurements"]["il6"]["unit"] == {"column": "il6_unit"}


def test_crp_whose_values_do_not_tell_the_assay_is_left_open(drafted):
    # A heap at the lowest value, as an assay with a limit of 3 mg/L leaves it.
    draft = drafted("id,CRP (mg/L)\n" + "".join(f"P{n},{max(3, n % 12)}\n" for n in range(60)))
    analyte = of(draft, "analyte")[0]
    assert (analyte.is_open, analyte.proposal) == (True, "hscrp | crp_standard")


def test_a_dictionary_is_no_extract(tmp_path, draft_files):
    (tmp_path / "data.csv").write_text("record_id,il6\n" + "".join(f"{n},{n % 9 + 0.5}\n" for n in range(40)))
    (tmp_path / "fields.csv").write_text(
        "Variable / Field Name,Form Name,Field Type,Field Label,"
        '"Choices, Calculations, OR Slider Labels"\nrecord_id,a,text,Number,\nil6,a,text,"Interleukin-6, pg/mL",\n'
    )
    draft = draft_files(tmp_path / "data.csv", tmp_path / "fields.csv")
    assert [table.file.shown for table in draft.tables] == ["data.csv"]
    assert draft.tables[0].file.shown_dictionary == "fields.csv"
    assert of(draft, "unit")[0].evidence.startswith("the label says 'pg/mL'")


def test_the_sample_is_said(drafted):
    draft = drafted("id,age (y)\n" + "".join(f"P{n},{n % 60 + 20}\n" for n in range(25_000)))
    assert of(draft, "sample")[0].proposal == "20000"


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"id,crp\n1,\x002\n", id="NUL"),
        pytest.param(b"id,age,sex\n", id="a header alone"),
        pytest.param(b"<!DOCTYPE html><html><body>x,y</body></html>\n", id="a web page"),
        pytest.param(b'id,note\n1,"open\n2,x\n', id="a quote that is not closed"),
        pytest.param(bytes(range(128, 256)) * 40, id="no text at all"),
        pytest.param(b"id,id\n1,2\n", id="a name twice"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_open_point(content, drafted):
    draft = drafted(content)
    assert draft.tables[0].mapping == {} or draft.open_points
    assert "file" in [one.kind for one in draft.open_points]


def test_a_lying_name_is_refused(drafted):
    with pytest.raises(EmberError, match="does not start like one"):
        drafted(b"id,age\n1,2\n", "extract.xlsx")


def test_a_packed_file_is_unpacked(tmp_path, draft_files):
    with zipfile.ZipFile(tmp_path / "extract.zip", "w") as archive:
        archive.writestr("extract.csv", "id,age (y)\n" + "".join(f"P{n},{n % 60 + 20}\n" for n in range(40)))
    draft = draft_files(tmp_path / "extract.zip")
    assert draft.tables[0].file.entries()["compression"] == "zip"
    assert draft.tables[0].mapping["columns"]["age"] == {"column": "age (y)", "unit": "a"}


def test_a_first_row_of_a_participant_is_never_shown(drafted):
    draft = drafted("".join(f"NN{n:04d};{'MF'[n % 2]};K{n % 7}\n" for n in range(60)))
    shown = " ".join(f"{one.column} {one.proposal} {one.evidence}" for one in draft.proposals)
    assert "NN0000" not in shown
    assert "header_row" in [one.kind for one in draft.open_points]


def test_a_hostile_name_stays_within_its_line(drafted):
    draft = drafted('"crp\nfrom: nowhere",=cmd()\n' + "".join(f"{n % 9 + 0.5},{n}\n" for n in range(60)))
    study = StudyDraft("trial", "data", (draft,))
    files = study_files(study)
    for name, text in files.items():
        if name.endswith(".yaml"):
            assert yaml.safe_load(text)
    assert yaml.safe_load(files["sites/site.yaml"])["from"] == "site"
    assert "\n=" not in files["draft.csv"] and ",=" not in files["draft.csv"]
