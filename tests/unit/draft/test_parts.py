"""Small parts of a draft: items, LOINC, codes, groups of files, YAML text, presets."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from ember.draft.codes import abbreviated_arms, codes_of
from ember.draft.grouping import common_folder, group_extracts
from ember.draft.instruments import instrument_of, numbered_series, total_of
from ember.draft.loinc import loinc_guesses
from ember.draft.preset import preset_of
from ember.draft.profile import profile_of
from ember.draft.words import identifier, words_of
from ember.draft.yaml_text import block, flow
from ember.errors import EmberError
from ember.extract.table import ColumnInfo


def profile(texts, name="x", **info):
    return profile_of(pl.Series(name, texts, dtype=pl.String), ColumnInfo(**info), frozenset({"NA", "na"}))


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        pytest.param([f"HAMD{item:02d}" for item in range(1, 18)], "HAMD{item:02d}", id="two digits"),
        pytest.param([f"phq9_{item}" for item in range(1, 10)], "phq9_{item}", id="a number in the name"),
        pytest.param([f"DPQ{item:02d}0" for item in range(1, 11)], "DPQ{item:02d}0", id="a zero behind"),
        pytest.param([f"Item{item}_num" for item in range(1, 10)], "Item{item}_num", id="a word behind"),
    ],
)
def test_series_of_items(names, pattern):
    assert [series.pattern for series in numbered_series(names)] == [pattern]


def test_two_columns_are_no_series():
    assert numbered_series(["q1", "q2", "x7"]) == []


def test_an_instrument_is_named_and_its_answers_fit(lexicon, registry):
    series = numbered_series([f"MADRS {item}" for item in range(1, 11)])[0]
    fits = instrument_of(series, lambda name: profile(["0", "6"] * 9, name), lexicon, registry, [])
    assert fits[0].target == "madrs"
    wrong = instrument_of(series, lambda name: profile(["0", "60"] * 9, name), lexicon, registry, [])
    assert wrong == []


def test_a_total_is_told_by_name_and_range(lexicon, registry):
    totals = total_of("HAMDTL17", profile([str(n % 40) for n in range(60)]), lexicon, registry)
    assert totals[0].target == "hamd17"
    assert total_of("HAMDTL17", profile(["400", "500", "600", "700"] * 9), lexicon, registry) == []


def test_a_total_without_version_is_faint(lexicon, registry):
    assert total_of("bdi", profile([str(n % 40) for n in range(60)]), lexicon, registry)[0].confidence < 0.5


@pytest.mark.parametrize(
    ("text", "analytes"),
    [
        pytest.param("26881-3", ["il6"], id="a code"),
        pytest.param("LBX_30522-7", ["hscrp"], id="within a name"),
        pytest.param("26881-4", [], id="a wrong check digit"),
        pytest.param("2024-01-31", [], id="a date"),
    ],
)
def test_loinc(text, analytes, registry):
    assert [guess.target for guess in loinc_guesses(text, registry)] == analytes


def test_codes_are_told_by_labels_or_by_words(lexicon, registry):
    labelled = profile(["1", "2"] * 9, value_labels={"1": "kvinna", "2": "man"})
    told = codes_of("sex", labelled, lexicon, registry, ()).told
    assert {code: guess.target for code, guess in told.items()} == {"1": "female", "2": "male"}
    bare = codes_of("sex", profile(["1", "2"] * 9), lexicon, registry, ())
    assert (bare.told, bare.untold) == ({}, ("1", "2"))


def test_a_rare_text_is_counted_and_not_shown(lexicon, registry):
    found = codes_of("smoker", profile(["yes", "no"] * 9 + ["only on Sundays"]), lexicon, registry, ())
    assert found.n_other == 1
    assert "only on Sundays" not in [*found.told, *found.untold]


def test_arms_are_abbreviations_of_one_drug_each(registry):
    found = abbreviated_arms(["ESC", "ESC+BUP"], registry)
    assert {code: guess.target for code, guess in found.items()} == {
        "ESC": "escitalopram",
        "ESC+BUP": "escitalopram_bupropion",
    }
    assert abbreviated_arms(["A", "B"], registry) == {}
    assert abbreviated_arms(["DES"], registry) == {}


def test_a_missing_text_is_no_value():
    found = profile(["1.5", "NA", "", "<0.2"])
    assert (found.n_filled, found.n_censored, dict(found.missing_texts)) == (2, 1, {"NA": 1})


def test_files_of_one_folder_are_one_site(tmp_path):
    for name in ("a/x.csv", "a/y.csv", "b/z.csv", "b/.hidden.csv", "b/notes.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a,b\n1,2\n")
    found = group_extracts([tmp_path], ())
    assert {site: [file.name for file in files] for site, files in found.items()} == {
        "a": ["x.csv", "y.csv"],
        "b": ["z.csv"],
    }
    assert common_folder([file for files in found.values() for file in files]) == tmp_path


def test_a_folder_with_extracts_and_folders_is_asked_about(tmp_path):
    (tmp_path / "a").mkdir()
    for name in ("a/x.csv", "y.csv"):
        (tmp_path / name).write_text("a,b\n1,2\n")
    with pytest.raises(EmberError, match="which is a site"):
        group_extracts([tmp_path], ())


@pytest.mark.parametrize(
    "said",
    [pytest.param("north", id="no files"), pytest.param("North Site=x.csv", id="no id")],
)
def test_a_site_is_said_in_one_form(said, tmp_path):
    with pytest.raises(EmberError, match="NAME=EXTRACT"):
        group_extracts([], [said])


def test_an_extract_has_one_site(tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    with pytest.raises(EmberError, match="two sites"):
        group_extracts([], [f"a={tmp_path / 'x.csv'}", f"b={tmp_path / 'x.csv'}"])


def test_only_a_root_in_common_is_refused():
    with pytest.raises(EmberError, match="no folder in common"):
        common_folder([Path("/one/x.csv"), Path("/two/y.csv")])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(
            {"a": "yes", "b": "no", "c": "1", "d": "-9", "e": "k.A."}, id="text that looks like something else"
        ),
        pytest.param({"a": {"column": "Age (y)", "codes": {"1": "x: y", "#2": "{z}"}}}, id="marks of YAML"),
        pytest.param({"a": ["", " x", "é", "null", "~", "1e3", "0x1F", "2024-01-01"]}, id="lists"),
        pytest.param({"a": {"b": {"c": {"d": "e" * 200}}}}, id="long lines"),
        pytest.param({"a": 1, "b": 2.5, "c": True}, id="numbers"),
    ],
)
def test_yaml_reads_back_as_it_was(content):
    assert yaml.safe_load("\n".join(block(content))) == content
    assert yaml.safe_load(flow(content)) == content


def test_a_standard_table_is_known():
    assert preset_of(["USUBJID", "LBDTC", "LBTESTCD", "LBORRES", "LBORRESU", "LBSEQ"]) == "cdisc_lb"
    assert preset_of(["USUBJID", "LBTESTCD"]) is None


def test_words_and_ids():
    assert words_of("HamdTotal_V0") == ("hamd", "total", "v", "0")
    assert identifier("2024 Données", "site") == "site_2024_donnees"
