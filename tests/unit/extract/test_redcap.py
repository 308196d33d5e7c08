"""The REDCap data dictionary gives labels to columns and codes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ember.errors import EmberError
from ember.extract.readers import read_table

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
