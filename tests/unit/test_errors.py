"""What a user reads when something can be mended."""

from __future__ import annotations

import pytest

from ember.errors import EmberError, nearest_name


def test_everything_in_its_line():
    error = EmberError("No such unit.", where="a.yaml:3", allowed=["mg/L", "ug/L"], nearest="mg/L", fix="Write mg/L.")
    assert str(error) == "a.yaml:3\n  No such unit.\n  Allowed: mg/L, ug/L. Nearest: mg/L.\n  Write mg/L."


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param({}, "What.", id="nothing_else"),
        pytest.param({"where": "here"}, "here\n  What.", id="where"),
        pytest.param({"nearest": "a"}, "What.\nNearest: a.", id="nearest_alone"),
        pytest.param({"fix": "Do."}, "What.\nDo.", id="fix_alone"),
        pytest.param({"allowed": ()}, "What.", id="nothing_allowed"),
    ],
)
def test_parts_that_are_absent_leave_no_trace(arguments, text):
    assert str(EmberError("What.", **arguments)) == text


@pytest.mark.parametrize(
    ("count", "ending"),
    [pytest.param(12, "n11.", id="twelve_are_listed"), pytest.param(13, "n11 and 1 more.", id="more_are_counted")],
)
def test_a_long_list_is_shortened(count, ending):
    assert str(EmberError("What.", allowed=[f"n{index}" for index in range(count)])).endswith(ending)


def test_an_iterator_of_names_is_kept():
    error = EmberError("What.", allowed=(name for name in "ab"))
    assert error.allowed == ("a", "b") and "Allowed: a, b." in str(error) and str(error) == str(error)


@pytest.mark.parametrize(
    ("given", "found"),
    [
        pytest.param("hscrb", "hscrp", id="one_letter"),
        pytest.param("HSCRP", "hscrp", id="case"),
        pytest.param("albumin", None, id="nothing_close"),
        pytest.param("", None, id="empty"),
    ],
)
def test_nearest_name(given, found):
    assert nearest_name(given, ["il6", "hscrp", "tnf"]) == found


def test_nearest_of_nothing():
    assert nearest_name("a", []) is None


def test_the_nearest_name_does_not_depend_on_the_order():
    assert nearest_name("ab", ["aa", "bb"]) == nearest_name("ab", ["bb", "aa"])
