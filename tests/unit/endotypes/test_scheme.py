"""Schemes that are not total, or that do not mean what they say, are refused with the rule that is at fault."""

from __future__ import annotations

from typing import Any

import pytest

from ember.endotypes.scheme import check_scheme, scheme_rules
from ember.errors import EmberError
from tests.unit.endotypes.frames import BANDS, SUPPORTED

HIGH, MIDDLE, LOW = BANDS["rules"]


def test_good_schemes_are_accepted() -> None:
    check_scheme(BANDS)
    check_scheme(SUPPORTED)


def test_cuts_rise_and_keep_their_operators() -> None:
    scheme = scheme_rules(BANDS)
    assert [(cut.value, cut.belongs_above) for cut in scheme.cuts] == [(1.0, True), (3.0, False), (10.0, False)]
    assert [band.rule for band in scheme.bands] == ["low", "middle", "high"]
    assert scheme.raised == 2


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        pytest.param({"rules": [HIGH, MIDDLE]}, "has a condition, so that a value may meet no rule", id="gap below"),
        pytest.param({"rules": [HIGH, LOW, MIDDLE]}, "has a condition", id="rest before the end"),
        pytest.param({"rules": [LOW, HIGH, dict(LOW, rule="rest")]}, "'low' takes everything", id="rest first"),
        pytest.param({"rules": [MIDDLE, HIGH, LOW]}, "does not lie below", id="rising"),
        pytest.param({"rules": [HIGH, dict(HIGH, rule="again"), LOW]}, "does not lie below", id="one cut twice"),
        pytest.param({"rules": [HIGH, dict(MIDDLE, rule="high"), LOW]}, "carry one name", id="one name twice"),
        pytest.param({"rules": [HIGH, dict(MIDDLE, when="above_2"), LOW]}, "'above_2' does not stand", id="unlisted"),
        pytest.param({"acute": "at_least_1", "rules": [HIGH, LOW]}, "does not lie below", id="acute in the middle"),
        pytest.param({"rules": [dict(HIGH, state="intermediate"), MIDDLE, LOW]}, "do not fall", id="nobody inflamed"),
        pytest.param({"rules": [HIGH, dict(LOW, state="inflamed")]}, "do not fall", id="everybody inflamed"),
        pytest.param({"rules": [HIGH, dict(MIDDLE, state="not_inflamed"), dict(LOW, state="intermediate")]},
                     "do not fall", id="states cross"),
        pytest.param({"rules": [HIGH, LOW]}, "Nothing uses at_least_1", id="unused threshold"),
        pytest.param({"samples": {"from": 0, "to": -1, "apart": 14}}, "ends before it begins", id="window"),
        pytest.param({"inflamed": ["inflamed_supported"]}, "not a state of the scheme", id="state never given"),
        pytest.param({"thresholds": {**BANDS["thresholds"], "above_3": "il6 > 3"}}, "is about il6", id="analyte"),
        pytest.param({"symptoms": {"profile": "x"}}, "Nothing uses symptoms", id="symptoms unused"),
    ],
)  # fmt: skip
def test_a_scheme_that_is_not_total_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(EmberError, match=what):
        check_scheme({**BANDS, **changes})


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        pytest.param({"all_of": ["above_3"]}, "supports nothing", id="screen as support"),
        pytest.param({"all_of": ["other"]}, "does not stand", id="unlisted"),
        pytest.param({"not_met": {"rule": "high_with", "state": "inflamed_unsupported"}}, "the same", id="one rule"),
        pytest.param({"not_met": {"rule": "x", "state": "inflamed_supported"}}, "the same", id="one state"),
    ],
)
def test_a_support_that_decides_nothing_is_refused(changes: dict[str, Any], what: str) -> None:
    with pytest.raises(EmberError, match=what):
        check_scheme({**SUPPORTED, "support": {**SUPPORTED["support"], **changes}})


def test_a_support_needs_its_block() -> None:
    bare = {key: value for key, value in SUPPORTED.items() if key != "composite"}
    with pytest.raises(EmberError, match="needs the block `composite:`"):
        check_scheme(bare)


def test_at_one_value_at_least_lies_below_above() -> None:
    thresholds = {"at_least_1": "hscrp >= 3", "above_3": "hscrp > 3", "above_10": "hscrp > 10"}
    assert len(scheme_rules({**BANDS, "thresholds": thresholds}).cuts) == 3


def test_classes_of_bands() -> None:
    assert scheme_rules(BANDS).classes == (
        "not_inflamed", "intermediate", "discordant", "inflamed_single", "inflamed_persistent", "acute_suspect",
        "persistent_above_10", "indeterminate",
    )  # fmt: skip


@pytest.mark.parametrize("unknown", ["crp_only", "indeterminate"])
def test_classes_hold_the_state_without_support_only_where_it_can_occur(unknown: str) -> None:
    scheme = {**SUPPORTED, "support": {**SUPPORTED["support"], "unknown": unknown}}
    found = scheme_rules(scheme).classes
    assert {"inflamed_supported", "inflamed_unsupported"} < set(found)
    assert ("inflamed_single" in found) == ("inflamed_persistent" in found) == (unknown == "crp_only")
