"""Instruments: answers to items become scores, by the rule of the registry; totals are held against them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from ember.errors import EmberError
from ember.harmonise.crosswalks import FLAG, Choices, linked_scores
from ember.harmonise.instrument_answers import added_up, judged_answers
from ember.harmonise.instrument_rules import ITEM_RULES, InstrumentRule, scoring_rules
from ember.harmonise.order import in_order
from ember.registry.registry import Registry
from ember.tables.store import arranged, category, empty_table
from ember.validate.ledger import entries, join_entries

QUESTIONNAIRE = ["participant_id", "visit", "instrument"]
PLACE = ["site_id", *QUESTIONNAIRE, "study_day", "source_file", "row_number"]
NOTHING_DECLARED = Choices()


@dataclass(frozen=True)
class Scored:
    """Scores of one site, the ledger of their answers, and what became of the answers that no ledger line lists."""

    scores: pl.DataFrame
    ledger: pl.DataFrame
    n_collapsed: int
    n_unscored: int


def score_instruments(
    items: pl.DataFrame, registry: Registry, site: str, stage: str, choices: Choices = NOTHING_DECLARED
) -> Scored:
    """Return the scores of each questionnaire of a participant's visit.

    Parameters
    ----------
    items : DataFrame
        Contract `standard_items` of one site, or of all rows of some of its participants; item 0 is a total given
        by the source.
    choices : Choices
        What the site declares: value sets and links to other instruments.

    Returns
    -------
    Scored
        `scores` meets the contract `scores`; `n_collapsed` counts the answers and totals that make a score,
        `n_unscored` the usable answers of questionnaires that miss too many (`score.incomplete`). All four add up
        over shares of participants.

    Raises
    ------
    EmberError
        The registry has no such instrument or item, no such combination of scoring and missing rule, or the items
        of a questionnaire and of its subscale are both given.

    Notes
    -----
    Sums are of integers and therefore exact. `sum` adds the scored items, reversed ones as low + high - answer;
    `qids_domains` adds the highest item of each domain (Rush et al. 2003), an item without a domain standing for
    itself; `mean_domains` stretches the mean of the items from the item range to the range of the total
    (WHOQOL-BREF manual); `raw_table` looks the raw sum up (PROMIS). `all_required` wants every
    scored item, under `qids_domains` an answer in every domain: its items on appetite and on weight are
    alternatives of which a respondent answers one. `discard_assessment` drops every subscale of a questionnaire that
    misses more items than allowed. `prorate` is the person mean times the number of items, not
    rounded: rounding serves look-up tables and adds up to half a point of error (Fairclough and Cella 1996, the
    half rule; textbook). It fails where items differ much in difficulty. Where items make a score, the score stands
    and a total that differs is flagged; a total counts where the items do not make one.
    """
    if not items.height:
        return Scored(empty_table("scores"), empty_table("ledger"), 0, 0)
    rules = scoring_rules(registry, items["instrument"].unique(maintain_order=True).to_list())
    book = _Book(items, rules, site, stage)
    whole = _numbered(items, rules)
    answers = book.usable_answers(whole.filter(pl.col("item") > 0), registry)
    totals = book.usable_totals(whole.filter(pl.col("item") == 0))
    if answers.height:
        _refuse_twice(answers, rules, site)
        judged = with_agreement(_beside_totals(added_up(answers, registry, rules), totals, rules))
        n_unscored = book.incomplete(judged)
        book.disagreements(judged)
    else:
        judged, n_unscored = _totals_alone(totals), 0
    native = _score_table(judged, items, rules, choices)
    scores = linked_scores(native, choices, registry)
    book.linked(scores)
    n_collapsed = answers.height - n_unscored + totals.height + book.n_repeats
    return Scored(_as_table(scores, items), join_entries(book.listed), n_collapsed, n_unscored)


def _numbered(items: pl.DataFrame, rules: Mapping[str, InstrumentRule]) -> pl.DataFrame:
    """Return order, instrument `code`, `person_visit`, item and value: numbers, because names join and group slowly."""
    person = pl.col("participant_id").cast(category("participant_id")).to_physical().cast(pl.Int64)
    visit = pl.col("visit").cast(pl.Categorical).to_physical().cast(pl.Int64)
    code = pl.col("instrument").cast(pl.Enum(list(rules))).to_physical().cast(pl.Int64)
    return (
        items.select(person.alias("person"), visit.alias("visit"), code.alias("code"), "item", "value")
        .with_columns((pl.col("person") * (pl.col("visit").max() + 1) + pl.col("visit")).alias("person_visit"))
        .drop("person", "visit")
        .with_row_index("order")
    )


class _Book:
    """The ledger lines of one call, and the answers that collapse into equal ones."""

    def __init__(self, items: pl.DataFrame, rules: Mapping[str, InstrumentRule], site: str, stage: str) -> None:
        self.items, self.rules, self.names = items, rules, list(rules)
        self.site, self.stage = site, stage
        self.listed: list[pl.DataFrame] = []
        self.n_repeats = 0

    def _list(self, rows: pl.DataFrame, rule_id: str, message: str, column: str | None = "column") -> None:
        where = ["source_file", "sheet", "row_number", *([column] if column else [])]
        places = self.items.select(where)[rows["order"]]
        self.listed.append(entries(places, rule_id, site=self.site, stage=self.stage, message=message))

    def usable_answers(self, answers: pl.DataFrame, registry: Registry) -> pl.DataFrame:
        """Return the answers that carry points, one an item of a questionnaire."""
        if not answers.height:
            return answers
        usable, others = judged_answers(answers, registry, self.rules, self.site)
        for rule_id in ITEM_RULES:
            for (code,), part in others.filter(pl.col("verdict") == rule_id).group_by("code", maintain_order=True):
                self._list(
                    part, rule_id, f"{self.names[int(str(code))]}: whole codes of the item in instrument_items.csv"
                )
        return self._without_repeats(usable)

    def usable_totals(self, totals: pl.DataFrame) -> pl.DataFrame:
        """Return the totals that are possible for their instrument, one a questionnaire."""
        kept = totals
        for code in totals["code"].unique(maintain_order=True).to_list() if totals.height else ():
            rule = self.rules[self.names[code]]
            own, value = pl.col("code") == code, pl.col("value")
            unknown = own & value.is_in(rule.missing_totals)
            inside = value.is_between(rule.total_low, rule.total_high) if rule.total_low is not None else pl.lit(False)
            for leaving, rule_id in ((unknown, "item.missing_code"), (own & ~inside, "score.outside_range")):
                rows = kept.filter(leaving)
                if rows.height:
                    self._list(rows, rule_id, rule.range_in_words)
                    kept = kept.filter(~leaving)
        return self._without_repeats(kept)

    def _without_repeats(self, answers: pl.DataFrame) -> pl.DataFrame:
        """Return the answers with one row an item of a questionnaire.

        Two tables of a site may hold the same questionnaire. Equal answers collapse into the first; answers that
        differ are all refused, because none can be chosen.
        """
        keys = ["person_visit", "code", "item"]
        codes = len(self.names)
        one_number = (pl.col("person_visit") * codes + pl.col("code")) * 1000 + pl.col("item").cast(pl.Int64)
        if answers.select(one_number.n_unique()).item() == answers.height:
            return answers
        contradicted = answers.select(pl.col("value").n_unique().over(keys) > 1).to_series()
        message = "another row gives another answer for the same participant, visit and item"
        self._list(answers.filter(contradicted), "value.conflict", message)
        agreed = answers.filter(~contradicted)
        kept = agreed.unique(keys, keep="first", maintain_order=True)
        self.n_repeats += agreed.height - kept.height
        return kept

    def incomplete(self, judged: pl.DataFrame) -> int:
        """List the scores that miss too many answers; return the usable answers of which no score is made."""
        from_items = judged.filter(pl.col("source").is_not_null())
        unscored = pl.col("items_score").is_null()
        # A discarded assessment is one reason for all its subscales, so it is listed once.
        told = from_items.filter(unscored & (pl.col("has_score") ^ pl.col("discarded")))
        groups = told.group_by("code", pl.col("total_value").is_not_null().alias("given"), maintain_order=True)
        for (code, given), part in groups:
            words = self.rules[self.names[int(str(code))]].missing_in_words
            self._list(part, "score.incomplete", words + ("; the total given stands" if given else ""), None)
        fates = from_items.group_by("person_visit", "source").agg(
            unscored.all().alias("none"), pl.col("n_usable").sum()
        )
        return int(fates.filter("none")["n_usable"].sum())

    def disagreements(self, judged: pl.DataFrame) -> None:
        """List the totals that differ from the score of the items."""
        for (code,), part in judged.filter("disagrees").group_by("code", maintain_order=True):
            rows = part.select(pl.col("total_order").alias("order"))
            self._list(rows, "score.total_disagrees", f"{self.names[int(str(code))]}: the score of the items")

    def linked(self, scores: pl.DataFrame) -> None:
        """List the scores that a declared link makes."""
        for (name,), part in scores.filter(pl.col("origin") == "linked").group_by("crosswalk", maintain_order=True):
            self._list(part, FLAG, f"crosswalk {name}", None)


def _refuse_twice(answers: pl.DataFrame, rules: Mapping[str, InstrumentRule], site: str) -> None:
    """Refuse items that are mapped for a questionnaire and for its subscale."""
    names = list(rules)
    mapped = {names[code] for code in answers["code"].unique().to_list()}
    for name in sorted(mapped):
        if rules[name].parent in mapped:
            raise EmberError(
                f"{name} is scored from the items of {rules[name].parent}; its items are mapped a second time.",
                where=f"sites/{site}.yaml  instruments.{name}",
                fix=f"Map the items under {rules[name].parent} alone.",
            )


def _beside_totals(scored: pl.DataFrame, totals: pl.DataFrame, rules: Mapping[str, InstrumentRule]) -> pl.DataFrame:
    given = totals.select("person_visit", "code", pl.col("order", "value").name.prefix("total_"))
    has_score = pl.DataFrame({"code": range(len(rules)), "has_score": [rule.has_score for rule in rules.values()]})
    joined = scored.join(given, on=["person_visit", "code"], how="full", coalesce=True)
    return joined.join(has_score, on="code", how="left").sort(
        pl.coalesce("order", "total_order"), "code", maintain_order=True
    )


def _totals_alone(totals: pl.DataFrame) -> pl.DataFrame:
    """Return the totals in the shape of judged questionnaires, where no item was mapped."""
    nothing = {"order": pl.UInt32(), "items_score": pl.Float64(), "n": pl.Int64()}
    return totals.select(
        "code",
        pl.col("order").alias("total_order"),
        pl.col("value").alias("total_value"),
        *[pl.lit(None, dtype=kind).alias(name) for name, kind in nothing.items()],
        pl.lit(False).alias("disagrees"),
    )


def with_agreement(questionnaires: pl.DataFrame) -> pl.DataFrame:
    """Return questionnaires with `disagrees`: a total was given beside items that make another score.

    A complete sum is compared exactly. A score that can be a fraction is compared to half a point, because a source
    gives such totals rounded.
    """
    whole = ~pl.col("stretched") & (pl.col("scoring") != "raw_table") & (pl.col("n_parts") == pl.col("required_parts"))
    tolerance = pl.when(whole).then(0.0).otherwise(0.5)
    apart = (pl.col("items_score") - pl.col("total_value")).abs() > tolerance
    return questionnaires.with_columns(apart.fill_null(False).alias("disagrees"))


def _word(text: str) -> pl.Expr:
    return pl.lit(text, pl.Categorical())


def _score_table(
    judged: pl.DataFrame, items: pl.DataFrame, rules: Mapping[str, InstrumentRule], choices: Choices
) -> pl.DataFrame:
    """Return the scores of judged questionnaires, in no particular order."""
    from_items = pl.col("items_score").is_not_null()
    made = judged.filter(from_items | pl.col("total_value").is_not_null()).select(
        "code",
        pl.when(from_items).then("order").otherwise("total_order").alias("order"),
        pl.when(from_items).then("items_score").otherwise("total_value").alias("score"),
        pl.when(from_items).then(_word("items")).otherwise(_word("total")).alias("origin"),
        pl.when(from_items).then(pl.col("n")).otherwise(0).alias("n_items"),
        pl.when("disagrees").then(_word("score.total_disagrees")).otherwise(_word("")).alias("flags"),
    )
    names = pl.DataFrame(
        {
            "code": range(len(rules)),
            "instrument": list(rules),
            "construct": [rule.construct for rule in rules.values()],
            "version": [choices.value_sets.get(name) for name in rules],
        },
        schema={"code": pl.Int64(), **dict.fromkeys(("instrument", "construct", "version"), pl.Categorical())},
    )
    places = items.select([name for name in PLACE if name != "instrument"])[made["order"]]
    return pl.concat(
        [places, made.join(names, on="code", how="left", maintain_order="left").drop("code")], how="horizontal"
    )


def _as_table(scores: pl.DataFrame, items: pl.DataFrame) -> pl.DataFrame:
    """Return scores as the contract `scores` has them, in its order."""
    ordered = in_order(scores, "instrument", files=items["source_file"], tie="order")
    return arranged(ordered.select([c for c in empty_table("scores").columns if c in ordered.columns]), "scores")
