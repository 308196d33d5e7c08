"""An endotype scheme as a table of verdicts that has exactly one answer for every participant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise, takewhile
from typing import Any

from ember.endotypes.cuts import Cut, cut_of, points_up
from ember.errors import EmberError

INDETERMINATE = "indeterminate"
SCREEN_ALONE = "inflamed_single"
"""The state of a raised screening analyte when nothing is known of the composite."""


@dataclass(frozen=True)
class Verdict:
    """A state and the rule that gives it."""

    rule: str
    state: str


@dataclass(frozen=True)
class Band:
    """What holds between two cuts of the screening analyte.

    Without a composite condition `alone` is the verdict. With one, `low` and `high` are the verdicts below and
    above `cut`, and `alone` is that of a participant whose composite is missing.
    """

    alone: Verdict
    cut: Cut | None = None
    low: Verdict | None = None
    high: Verdict | None = None


@dataclass(frozen=True)
class SchemeRules:
    """A checked scheme: one more band than cuts, the last cut being the acute one, above which `acute` holds."""

    cuts: tuple[Cut, ...]
    bands: tuple[Band, ...]
    acute: Verdict

    @property
    def classes(self) -> tuple[str, ...]:
        """States in the order of the scheme, then the acute one and indeterminate."""
        rising = [v.state for band in self.bands for v in (band.low, band.high, band.alone) if v]
        return tuple(dict.fromkeys([*rising, self.acute.state, INDETERMINATE]))


def check_scheme(scheme: Mapping[str, Any]) -> None:
    """Refuse a scheme whose bands overlap, leave a gap or do not rise.

    Raises
    ------
    EmberError
        Says which rule and what is wrong.
    """
    scheme_rules(scheme)


def scheme_rules(scheme: Mapping[str, Any]) -> SchemeRules:
    """Return the checked rules of a scheme (content of endotypes/<scheme>.yaml).

    Raises
    ------
    EmberError
        The bands do not cover every value exactly once.
    """
    where = f"endotypes/{scheme['scheme']}.yaml  states"
    states = scheme["states"]
    grouped = [list(rows) for _, rows in groupby(states, key=lambda row: (row.get("above"), row.get("below")))]
    _check_directions(states, where)
    if "above" in grouped[0][0] or "below" in grouped[-1][0]:
        raise EmberError(
            "The first band must reach down to nothing and the last one up without end.",
            where=where,
            fix="Leave `above` out of the first state and `below` out of the last.",
        )
    cuts = [_shared_cut(lower[0], upper[0], where) for lower, upper in pairwise(grouped)]
    acute = scheme["acute"]
    cuts.append(cut_of(acute["operator"], acute["value"]))
    for lower_cut, upper_cut in pairwise(cuts):
        if lower_cut.value >= upper_cut.value:
            raise EmberError(
                f"The cut {upper_cut.value:g} does not lie above the cut {lower_cut.value:g} before it.",
                where=where,
                fix="List the bands in rising order; the acute threshold lies above them all.",
            )
    bands = tuple(_band(rows, scheme, where) for rows in grouped)
    return SchemeRules(tuple(cuts), bands, Verdict("acute", acute["state"]))


def _check_directions(states: Sequence[Mapping[str, Any]], where: str) -> None:
    for row in states:
        for key, upward in (("above", True), ("below", False)):
            if key in row and points_up(row[key]["operator"]) != upward:
                raise EmberError(
                    f"The `{key}` of rule '{row['rule']}' has the operator {row[key]['operator']}.",
                    where=where,
                    allowed=(">", ">=") if upward else ("<", "<="),
                )


def _shared_cut(lower: Mapping[str, Any], upper: Mapping[str, Any], where: str) -> Cut:
    names = f"'{lower['rule']}' and '{upper['rule']}'"
    if "below" not in lower or "above" not in upper:
        raise EmberError(f"The bands {names} overlap: one of them has no bound where they meet.", where=where)
    end, start = lower["below"], upper["above"]
    if end["value"] != start["value"]:
        fault = "overlap" if end["value"] > start["value"] else "leave a gap"
        raise EmberError(f"The bands {names} {fault} between {end['value']:g} and {start['value']:g}.", where=where)
    if cut_of(**end) != cut_of(**start):
        fault = "both contain" if {end["operator"], start["operator"]} == {"<=", ">="} else "both leave out"
        raise EmberError(
            f"The bands {names} {fault} {end['value']:g}.", where=where, fix="Pair `<` with `>=`, or `<=` with `>`."
        )
    return cut_of(**start)


def _band(rows: Sequence[Mapping[str, Any]], scheme: Mapping[str, Any], where: str) -> Band:
    plain = [Verdict(row["rule"], row["state"]) for row in rows if "composite" not in row]
    split = [row for row in rows if "composite" in row]
    names = " and ".join(f"'{row['rule']}'" for row in rows)
    if len(plain) > 1:
        raise EmberError(f"The rules {names} hold for the same values.", where=where)
    if not split:
        return Band(plain[0])
    if "composite" not in scheme:
        raise EmberError(f"The rules {names} use the composite, which the scheme does not declare.", where=where)
    by_side = {points_up(row["composite"]["operator"]): row for row in split}
    if len(split) != 2 or len(by_side) != 2 or len({cut_of(**row["composite"]) for row in split}) != 1:
        raise EmberError(
            f"The composite conditions of {names} do not cover every composite exactly once.",
            where=where,
            fix="Give one rule for each side of one value: `>` with `<=`, or `>=` with `<`.",
        )
    low, high = (Verdict(by_side[side]["rule"], by_side[side]["state"]) for side in (False, True))
    return Band(_alone(plain, rows, scheme), cut_of(**split[0]["composite"]), low, high)


def _alone(plain: Sequence[Verdict], rows: Sequence[Mapping[str, Any]], scheme: Mapping[str, Any]) -> Verdict:
    if scheme["composite"].get("missing") != "crp_only":
        return Verdict(f"{INDETERMINATE}:no_composite", INDETERMINATE)
    if plain:
        return Verdict(f"{plain[0].rule}:crp_only", plain[0].state)
    return Verdict(f"{_shared_words([row['rule'] for row in rows])}:crp_only", SCREEN_ALONE)


def _shared_words(names: Sequence[str]) -> str:
    """Return the words with which all names begin, or the first name: above_3_with_x, above_3_without_x: above_3."""
    split = [name.split("_") for name in names]
    shared = [words[0] for words in takewhile(lambda words: len(set(words)) == 1, zip(*split, strict=False))]
    return "_".join(shared) or names[0]
