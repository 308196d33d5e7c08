"""LOINC codes: check digit, and what the registry knows of them."""

from __future__ import annotations

import pytest

from ember.registry.load import PROJECT
from ember.registry.loinc import check_digit, is_valid, known_codes, looks_like_loinc
from ember.registry.registry import Registry, read_registry


@pytest.fixture(scope="module")
def registry() -> Registry:
    return read_registry(PROJECT / "config" / "registry")


@pytest.mark.parametrize(
    "code",
    [
        pytest.param(code, id=code)
        for code in ("30522-7", "1988-5", "76485-2", "26881-3", "3074-2", "13629-1", "6690-2", "770-8", "33762-6")
    ],
)  # fmt: skip
def test_codes_of_the_literature_are_valid(code: str) -> None:
    assert is_valid(code)


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("3236-2", id="seen in the wild for TNF"),
        pytest.param("2293-7", id="seen in the wild for leptin"),
        pytest.param("49246-0", id="seen in the wild"),
        pytest.param("30522-8", id="the digit beside"),
        pytest.param("30252-7", id="two digits changed places"),
        pytest.param("30522", id="no check digit"),
        pytest.param("LP1234-5", id="a part, no code"),
        pytest.param("30522-77", id="two check digits"),
        pytest.param("\uff13\uff10\uff15\uff12\uff12-7", id="full-width digits"),
        pytest.param("", id="empty"),
    ],
)
def test_other_codes_are_not(code: str) -> None:
    assert not is_valid(code)


@pytest.mark.parametrize(("number", "digit"), [("1988", 5), ("30522", 7), ("0", 0), ("5", 9), ("9", 1)])
def test_check_digit_by_hand(number: str, digit: int) -> None:
    assert check_digit(number) == digit


def test_one_digit_that_changes_is_always_seen() -> None:
    wrong = [f"{'30522'[:place]}{digit}{'30522'[place + 1 :]}-7" for place in range(5) for digit in range(10)]
    assert {code for code in wrong if is_valid(code)} == {"30522-7"}


@pytest.mark.parametrize(
    ("text", "looks"),
    [
        pytest.param("1988-5", True, id="LOINC"),
        pytest.param("3236-2", True, id="LOINC with a wrong digit"),
        pytest.param("CRP", False, id="a word"),
        pytest.param("12-3", False, id="a code of the house"),
        pytest.param("3010156", False, id="OMOP"),
    ],
)
def test_what_looks_like_loinc(text: str, looks: bool) -> None:
    assert looks_like_loinc(text) is looks


def test_every_code_of_the_registry_is_valid_and_known_by_name(registry: Registry) -> None:
    known = known_codes(registry)
    assert [code for code in known if not is_valid(code)] == []
    for row in registry.rows("analytes"):
        for code in filter(None, [*row["loinc"].split(";"), *row["loinc_accepted"].split(";")]):
            assert known[code].analyte == row["analyte"], code
    analytes = {row["analyte"] for row in registry.rows("analytes")}
    assert {meant.analyte for meant in known.values()} <= analytes | {""}
    assert all(meant.name for meant in known.values())


@pytest.mark.parametrize(
    ("code", "analyte"),
    [
        pytest.param("770-8", "neutrophils_share", id="percent"),
        pytest.param("751-8", "neutrophils", id="count"),
        pytest.param("736-9", "lymphocytes_share", id="percent of lymphocytes"),
        pytest.param("33762-6", "", id="a test that the registry does not have"),
    ],
)
def test_a_share_is_another_analyte_than_a_count(registry: Registry, code: str, analyte: str) -> None:
    assert known_codes(registry)[code].analyte == analyte
