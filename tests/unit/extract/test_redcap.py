"""The REDCap data dictionary gives labels to columns and codes."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from ember.errors import EmberError
from ember.extract.readers import read_table
from ember.extract.redcap import (
    column_infos,
    dictionary_fields,
    identifiers,
    identifiers_of,
    refuse_labels,
    repeat_counts,
    repeat_findings,
)
from ember.registry.model import RowFilter, TableMap

HEADER = '"Variable / Field Name","Form Name","Field Type","Field Label","Choices, Calculations, OR Slider Labels"\n'
ROWS = (
    "record_id,f,text,Record,\n"
    'sex,f,radio,"Sex, at birth","0, Male | 1, Female, or other"\n'
    'drugs,f,checkbox,Drugs,"1, SSRI | -9, None"\n'
    "smoker,f,yesno,Smoker,\n"
    'bmi,f,calc,BMI,"round([weight],1)"\n'
)


@pytest.fixture
def dictionary(tmp_path):
    def write(text):
        path = tmp_path / "dictionary.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_labels(make_source, dictionary):
    source = make_source(b"record_id,sex,drugs___1,drugs____9,smoker,bmi,other\n1,0,1,0,1,22,x\n")
    table = read_table(replace(source, dictionary=dictionary(HEADER + ROWS)))
    assert table.columns["sex"].label == "Sex, at birth"
    assert table.columns["sex"].value_labels == {"0": "Male", "1": "Female, or other"}
    assert table.columns["drugs___1"].label == "Drugs: SSRI"
    assert table.columns["drugs____9"].label == "Drugs: None"
    assert table.columns["smoker"].value_labels == {"1": "Yes", "0": "No"}
    assert table.columns["bmi"].value_labels == {}
    assert table.columns["other"].label == ""


@pytest.mark.parametrize(
    ("text", "word"),
    [
        pytest.param("a,b\n1,2\n", "lacks the column Variable / Field Name", id="not-a-dictionary"),
        pytest.param(HEADER + "zzz,f,text,Z,\n", "none of the columns", id="of-another-project"),
        pytest.param(HEADER + 'sex,f,radio,Sex,"Male | Female"\n', "choices cannot be read", id="choices"),
    ],
)
def test_refused(make_source, dictionary, text, word):
    source = make_source(b"record_id,sex\n1,0\n")
    with pytest.raises(EmberError, match=word):
        read_table(replace(source, dictionary=dictionary(text)))


FULL = (
    '"Variable / Field Name","Form Name","Field Type","Field Label","Choices, Calculations, OR Slider Labels",'
    '"Field Note","Text Validation Type OR Show Slider Number","Identifier?",'
    '"Branching Logic (Show field only if...)"\n'
    "record_id,demography,text,Record,,,,,\n"
    "name,demography,text,Name,,,,y,\n"
    "born,demography,text,Born,,YYYY-MM-DD,date_ymd,y,\n"
    'sex,demography,radio,Sex,"1, Male | 2, Female",,,,\n'
    "phones,demography,checkbox,Phones,\"1, Home | -1, Work\",,,y,[sex] <> ''\n"
    "crp,labs,text,CRP,,mg/L,number,,\n"
    "done,labs,truefalse,Done,,,,,\n"
)


def fields(dictionary, text=FULL):
    return dictionary_fields(dictionary(text), "data/dictionary.csv")


def test_types_notes_and_branching_are_told(dictionary):
    infos = column_infos(fields(dictionary))
    assert infos["born"].type == "text date_ymd"
    assert infos["born"].label == "Born (YYYY-MM-DD)"
    assert infos["crp"].label == "CRP (mg/L)"
    assert infos["done"].value_labels == {"1": "True", "0": "False"}
    assert infos["phones____1"].branch == "[sex] <> ''"
    assert infos["phones____1"].content()["branch"] == "[sex] <> ''"
    assert "branch" not in infos["crp"].content()


def test_identifiers_are_all_columns_of_marked_fields(dictionary):
    assert identifiers(fields(dictionary)) == {"name", "born", "phones___1", "phones____1"}


def test_identifiers_of_a_source(make_source, dictionary):
    source = make_source(b"record_id\n1\n")
    assert identifiers_of(source) == set()
    assert "name" in identifiers_of(replace(source, dictionary=dictionary(FULL)))


def test_a_dictionary_as_the_api_writes_it(dictionary):
    header = "field_name,form_name,field_type,field_label,select_choices_or_calculations,identifier,branching_logic\n"
    (field,) = fields(dictionary, header + "crp,labs,text,CRP,,y,[a]=1\n")
    assert (field.form, field.identifier, field.branch) == ("labs", True, "[a]=1")


@pytest.mark.parametrize(
    ("cells", "counts"),
    [
        pytest.param([("1", "1"), ("2", "0")], None, id="codes"),
        pytest.param([("Male", "True"), ("Female", "False")], "4 cells hold the label of a choice and 0", id="labels"),
        pytest.param([("Male", "1"), ("2", "0")], None, id="a-stray-label-is-left-to-the-ledger"),
        pytest.param(
            [("Male", ""), ("", "")], "1 cells hold the label of a choice and 0", id="empty-cells-do-not-count"
        ),
        pytest.param([("", ""), ("", "")], None, id="nothing-answered"),
    ],
)
def test_a_label_export_is_refused_with_counts(dictionary, cells, counts):
    frame = pl.DataFrame(cells, schema=["sex", "done"], orient="row")
    described = column_infos(fields(dictionary))
    if counts is None:
        refuse_labels(frame, described, "data/export.csv")
        return
    with pytest.raises(EmberError, match=counts) as error:
        refuse_labels(frame, described, "data/export.csv")
    assert "raw data" in str(error.value)
    assert "Male" not in str(error.value)


def test_reading_a_label_export_is_refused(make_source, dictionary):
    source = make_source(b"record_id,sex,done\n1,Male,True\n2,Female,False\n")
    with pytest.raises(EmberError, match="Export raw data"):
        read_table(replace(source, dictionary=dictionary(FULL)))


def repeating(*equals):
    rows = [RowFilter("redcap_repeat_instrument", value) for value in equals] or [None]
    return [TableMap("export", "record_id", rows=row, name=str(place)) for place, row in enumerate(rows)]


EXPORT = pl.DataFrame({"record_id": ["1", "1", "1", "1"], "redcap_repeat_instrument": ["", "labs", "labs", "drugs"]})


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        pytest.param(
            repeating(), ["3 rows repeat an instrument (labs, drugs)", "equals: labs"], id="all-rows-in-one-table"
        ),
        pytest.param(repeating("", "labs"), ["1 rows belong", "(drugs)", "equals: drugs"], id="one-is-left"),
        pytest.param(repeating(""), ["3 rows belong", "(labs, drugs)"], id="only-what-does-not-repeat"),
        pytest.param(repeating("", "labs", "drugs"), None, id="each-has-its-table"),
    ],
)
def test_repeating_rows_that_no_table_takes(tables, words):
    found = repeat_findings(repeat_counts(EXPORT), tables, "data/export.csv", {"labs", "drugs"})
    if words is None:
        assert found == []
    else:
        (finding,) = found
        assert all(word in str(finding) for word in words)


def test_a_cell_that_is_no_form_is_never_shown():
    (finding,) = repeat_findings(repeat_counts(EXPORT), repeating(), "data/export.csv")
    assert "labs" not in str(finding)


def test_an_export_without_repeating_instruments_has_no_finding():
    assert repeat_findings(repeat_counts(EXPORT.drop("redcap_repeat_instrument")), repeating(), "data/export.csv") == []
