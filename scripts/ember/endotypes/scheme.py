"""An endotype scheme, checked: named thresholds in order, rules that leave nothing out, and what supports them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ember.endotypes.cut import Cut, cut_of
from ember.errors import EmberError, nearest_name

INDETERMINATE = "indeterminate"
NOT_INFLAMED = "not_inflamed"
INTERMEDIATE = "intermediate"
INFLAMED = "inflamed"
INFLAMED_SINGLE = "inflamed_single"
INFLAMED_PERSISTENT = "inflamed_persistent"
DISCORDANT = "discordant"
ACUTE_SUSPECT = "acute_suspect"
PERSISTENT_ABOVE_10 = "persistent_above_10"
CRP_ONLY = "crp_only"
RANKS = (NOT_INFLAMED, INTERMEDIATE, INFLAMED)
"""What a rule may say of one sample, in rising order; only a person is inflamed once or repeatedly."""
QUANTITIES = ("composite", "bmi", "symptoms")
"""What a supporting condition may be about."""


@dataclass(frozen=True)
class Threshold:
    """A named condition: a quantity, an operator that points up, and a value."""

    name: str
    quantity: str
    operator: str
    value: float

    @property
    def cut(self) -> Cut:
        """The point that it makes on the line of its quantity."""
        return cut_of(self.operator, self.value)


@dataclass(frozen=True)
class Verdict:
    """A state and the rule that gives it."""

    rule: str
    state: str


@dataclass(frozen=True)
class Support:
    """Conditions asked of those whose screening analyte is raised; `unknown` is crp_only or indeterminate."""

    conditions: tuple[Threshold, ...]
    met: Verdict
    not_met: Verdict
    unknown: str


@dataclass(frozen=True)
class Window:
    """Study days of the samples that count, both ends included, and how far apart two of them lie at least."""

    first: int
    last: int
    apart: int


@dataclass(frozen=True)
class Scheme:
    """A checked scheme.

    Attributes
    ----------
    cuts : tuple of Cut
        Of the screening analyte, rising; the last is the acute one.
    bands : tuple of Verdict
        What holds between the cuts, from the lowest up; one for each cut. Above the last cut a sample is acute.
    support : Support or None
        Further conditions of those who are raised.
    """

    id: str
    analyte: str
    visit: str
    cuts: tuple[Cut, ...]
    bands: tuple[Verdict, ...]
    samples: Window
    support: Support | None
    inflamed: tuple[str, ...]

    @property
    def raised(self) -> int:
        """Number of the lowest band that is inflamed."""
        return next(number for number, band in enumerate(self.bands) if band.state == INFLAMED)

    @property
    def classes(self) -> tuple[str, ...]:
        """Every state that the scheme can give, in the order in which it is shown."""
        low = dict.fromkeys(band.state for band in self.bands if band.state != INFLAMED)
        split = (self.support.not_met.state, self.support.met.state) if self.support else ()
        raised = (*split, INFLAMED_SINGLE, INFLAMED_PERSISTENT)
        alone = raised if self.support is None or self.support.unknown == CRP_ONLY else split
        return (*low, DISCORDANT, *alone, ACUTE_SUSPECT, PERSISTENT_ABOVE_10, INDETERMINATE)


def check_scheme(scheme: Mapping[str, Any]) -> None:
    """Refuse a scheme that is not total or does not fit together.

    Raises
    ------
    EmberError
        Says which rule and what is wrong.
    """
    scheme_rules(scheme)


def threshold_of(name: str, text: str) -> Threshold:
    """Return a threshold as a scheme writes it: "hscrp > 3"."""
    quantity, operator, value = text.split()
    return Threshold(name, quantity, operator, float(value))


def scheme_rules(content: Mapping[str, Any]) -> Scheme:
    """Return the checked rules of a scheme (content of its file, resolved).

    Raises
    ------
    EmberError
        A rule names a threshold that the scheme does not list, the thresholds do not fall from rule to rule, the last
        rule does not take the rest, or a state is named that the scheme never gives.
    """
    where = f"endotypes/{content['scheme']}.yaml"
    known = {name: threshold_of(name, text) for name, text in content["thresholds"].items()}
    cuts, bands = _bands(content, known, where)
    window = content["samples"]
    if window["from"] > window["to"]:
        raise EmberError("The window of the samples ends before it begins.", where=f"{where}  samples")
    scheme = Scheme(
        id=content["scheme"],
        analyte=content["analyte"],
        visit=content["visit"],
        cuts=cuts,
        bands=bands,
        samples=Window(window["from"], window["to"], window["apart"]),
        support=_support(content, known, where),
        inflamed=tuple(content["inflamed"]),
    )
    _refuse_strange_states(scheme, where)
    _refuse_unused(content, known, where)
    return scheme


def _bands(
    content: Mapping[str, Any], known: Mapping[str, Threshold], where: str
) -> tuple[tuple[Cut, ...], tuple[Verdict, ...]]:
    """Return cuts and bands from the lowest up; the rules stand from the highest down."""
    rules, place = content["rules"], f"{where}  rules"
    if "when" in rules[-1]:
        raise EmberError(
            f"The last rule, '{rules[-1]['rule']}', has a condition, so that a value may meet no rule.",
            where=place,
            fix="Leave its `when` out: it takes the rest.",
        )
    for rule in rules[:-1]:
        if "when" not in rule:
            raise EmberError(
                f"The rule '{rule['rule']}' takes everything, so that no rule after it can ever hold.", where=place
            )
    names = [rule["rule"] for rule in rules]
    if len(set(names)) < len(names):
        raise EmberError("Two rules carry one name.", where=place)
    falling = [_screen(content["acute"], known, content, f"{where}  acute")]
    falling += [_screen(rule["when"], known, content, place) for rule in rules[:-1]]
    for higher, lower in pairwise(falling):
        if not _below(lower.cut, higher.cut):
            raise EmberError(
                f"'{lower.name}' ({lower.operator} {lower.value:g}) does not lie below '{higher.name}' "
                f"({higher.operator} {higher.value:g}) before it.",
                where=place,
                fix="List the rules from the highest threshold down; the acute threshold lies above them all.",
            )
    ranks = [RANKS.index(rule["state"]) for rule in rules]
    if ranks != sorted(ranks, reverse=True) or rules[0]["state"] != INFLAMED or rules[-1]["state"] == INFLAMED:
        raise EmberError(
            "The states do not fall from rule to rule: from inflamed to something below it.", where=place, allowed=RANKS
        )
    rising = tuple(Verdict(rule["rule"], rule["state"]) for rule in reversed(rules))
    return tuple(threshold.cut for threshold in reversed(falling)), rising


def _below(lower: Cut, higher: Cut) -> bool:
    """Return whether one cut lies below another; at one value ">=" lies below ">"."""
    return lower.value < higher.value or (
        lower.value == higher.value and lower.belongs_above and not higher.belongs_above
    )


def _screen(name: str, known: Mapping[str, Threshold], content: Mapping[str, Any], where: str) -> Threshold:
    threshold = _named(name, known, where)
    if threshold.quantity != content["analyte"]:
        raise EmberError(
            f"'{name}' is about {threshold.quantity}; a rule is about the screening analyte {content['analyte']}.",
            where=where,
            fix="Conditions on anything else belong under `support:`.",
        )
    return threshold


def _named(name: str, known: Mapping[str, Threshold], where: str) -> Threshold:
    if name not in known:
        raise EmberError(
            f"'{name}' does not stand under `thresholds:`.", where=where, allowed=known,
            nearest=nearest_name(name, list(known)),
        )  # fmt: skip
    return known[name]


def _support(content: Mapping[str, Any], known: Mapping[str, Threshold], where: str) -> Support | None:
    declared = content.get("support")
    if declared is None:
        return None
    place = f"{where}  support"
    conditions = tuple(_named(name, known, place) for name in declared["all_of"])
    for condition in conditions:
        if condition.quantity not in QUANTITIES:
            raise EmberError(
                f"'{condition.name}' is about {condition.quantity}, which supports nothing.", where=place,
                allowed=QUANTITIES,
            )  # fmt: skip
        if condition.quantity in ("composite", "symptoms") and condition.quantity not in content:
            raise EmberError(f"'{condition.name}' needs the block `{condition.quantity}:`.", where=place)
    met, not_met = Verdict(**declared["met"]), Verdict(**declared["not_met"])
    if met.state == not_met.state or met.rule == not_met.rule:
        raise EmberError("Met and not met would be the same.", where=place)
    return Support(conditions, met, not_met, declared["unknown"])


def _refuse_strange_states(scheme: Scheme, where: str) -> None:
    for state in scheme.inflamed:
        if state not in scheme.classes:
            raise EmberError(
                f"'{state}' is not a state of the scheme.", where=f"{where}  inflamed", allowed=scheme.classes
            )


def _refuse_unused(content: Mapping[str, Any], known: Mapping[str, Threshold], where: str) -> None:
    """Refuse a threshold or a block that decides nothing: a reader would think that it does."""
    named = {content["acute"], *(rule["when"] for rule in content["rules"][:-1])}
    named |= set(content.get("support", {}).get("all_of", ()))
    unused = [name for name in known if name not in named]
    quantities = {known[name].quantity for name in named if name in known}
    unused += [block for block in ("composite", "symptoms") if block in content and block not in quantities]
    if unused:
        raise EmberError(f"Nothing uses {', '.join(unused)}.", where=where)
