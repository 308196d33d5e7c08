"""No spelling near a unit is misread: what is accepted means what an independent reading says, all else is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ember.registry.registry import read_registry
from ember.registry.unit_spelling import folded
from tests.ucum import ucum
from tests.unit_reader import meanings

REGISTRY = read_registry(Path(__file__).parents[2] / "config" / "registry")
ANALYTES = [row["analyte"] for row in REGISTRY.rows("analytes")]
CODES = sorted({row["from_unit"] for row in REGISTRY.rows("units")})
SPELLINGS = [*CODES, *REGISTRY.aliases]
PREFIXES = "kMGTPdcmunpfa\u00b5\u03bc"
LOOK_ALIKES = {
    "g": "\u0261\u0581\uff47\u24d6", "m": "\u043c\uff4d\u217f", "L": "\u2112\uff2c\u216c", "l": "1I|\u2113\uff4c",
    "u": "\u00b5\u03bc\u1d1c\uff55", "p": "\u0440\uff50\u2374", "n": "\u0578\uff4e", "d": "\u0501\uff44\u217e",
    "/": "\u2044\u2215\uff0f\\|", "1": "lI\u00b9\u2081\uff11", "0": "oO\u2070\u2080\uff10", "9": "\u2079\u2089\uff19",
    "3": "\u00b3\u2083\uff13", "^": "\u02c6\uff3e*", "*": "\u00d7\u22c5\u2217.", "x": "\u00d7\u0445",
    "%": "\u2030\uff05", "U": "\u222a\uff35",
    "I": "l1\u0406\uff29", " ": "\u00a0\u2009\u200b\u3000\t", "-": "\u2212\u2013",
}  # fmt: skip
EXTRAS = [
    "{FEU}",
    "{creat}",
    "/L",
    " ",
    ".",
    "x",
    "10^3",
    "*",
    "(",
    ")",
    "-1",
    "^2",
    "0",
    "9",
    "%",
    "mg",
    "\u0301",
    "²",
]


def _one_sign(text: str, draw: Callable[..., int]) -> str:
    place = draw(st.integers(0, max(len(text) - 1, 0)))
    sign = text[place : place + 1]
    kind = draw(st.integers(0, 6))
    others = {
        0: sign.swapcase(),
        1: "",
        2: sign * 2,
        3: draw(st.sampled_from(LOOK_ALIKES.get(sign, sign or " "))),
        4: draw(st.sampled_from(PREFIXES)) + sign,
        5: sign + draw(st.sampled_from(EXTRAS)),
        6: draw(st.sampled_from(EXTRAS)) + sign,
    }
    return text[:place] + others[kind] + text[place + 1 :]


@st.composite
def near_units(draw: Callable[..., str]) -> str:
    """Return a spelling of the tables, changed in up to three places or as a whole."""
    text = draw(st.sampled_from(SPELLINGS))
    whole: list[Callable[[str], str]] = [str, str.upper, str.lower, str.title, str.swapcase]
    text = draw(st.sampled_from(whole))(text)
    for _ in range(draw(st.integers(0, 3))):
        text = _one_sign(text, draw)
    return text


def read_as(text: str) -> set[str]:
    """Return what our tables take a spelling for, over all analytes."""
    return {unit for analyte in ANALYTES if (unit := REGISTRY.ucum(text, analyte)) is not None}


@given(text=near_units())
@settings(max_examples=600, deadline=None)
@example("Mg/L")
@example("Pg/mL")
@example("mg//L")
@example("m g/L")
@example("10\u2089/L")
@example("109/L")
@example("10 9/L")
@example("mg/L{FEU}")
@example("\u043cg/L")
@example("Mmol/L")
@example("Meq/L")
@example("MU/L")
@example("mg/dL/L")
@example("mm")
@example("gauss/L")
def test_what_is_accepted_means_what_an_independent_reading_says(text: str) -> None:
    possible = meanings(text)
    for unit in read_as(text):
        assert ucum().quantity(unit) in possible, (text, unit)


@given(left=st.sampled_from(SPELLINGS), right=st.sampled_from(SPELLINGS), cut=st.integers(1, 8))
@settings(max_examples=250, deadline=None)
def test_a_piece_of_one_unit_and_a_piece_of_another_are_not_guessed(left: str, right: str, cut: int) -> None:
    text = left[:cut] + right[-cut:]
    for unit in read_as(text):
        assert ucum().quantity(unit) in meanings(text), (text, unit)


@given(text=st.text(max_size=12))
@settings(max_examples=250, deadline=None)
def test_other_text_is_refused_or_understood_alike(text: str) -> None:
    for unit in read_as(text):
        assert ucum().quantity(unit) in meanings(text), (text, unit)


@given(text=st.text(max_size=20))
@settings(deadline=None)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)


@given(
    unit=st.sampled_from(SPELLINGS), left=st.sampled_from(["", " ", "\t", "\u00a0"]), right=st.sampled_from(["", "  "])
)
@settings(deadline=None)
def test_blanks_around_a_unit_change_nothing(unit: str, left: str, right: str) -> None:
    assert read_as(left + unit + right) == read_as(unit)


@given(unit=st.sampled_from(SPELLINGS))
@settings(deadline=None)
def test_full_width_signs_change_nothing(unit: str) -> None:
    wide = "".join(chr(ord(sign) + 0xFEE0) if "!" <= sign <= "~" else sign for sign in unit)
    assert read_as(wide) == read_as(unit)


@pytest.mark.parametrize("alias", [pytest.param(alias, id=alias) for alias in REGISTRY.aliases])
def test_every_spelling_of_the_table_reads_alike_independently(alias: str) -> None:
    assert ucum().quantity(REGISTRY.aliases[alias]) in meanings(alias)


def test_no_two_spellings_that_look_alike_mean_two_units() -> None:
    units: dict[str, set[str]] = {}
    for alias, unit in REGISTRY.aliases.items():
        units.setdefault(folded(alias), set()).add(unit)
    assert [key for key, found in units.items() if len(found) > 1] == []
    assert [unit for unit in CODES if folded(unit) != unit or REGISTRY.spellings.get(unit, unit) != unit] == []
