"""Instruments: answers to items become one score a questionnaire, by the rule of the registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ember.errors import EmberError
from ember.harmonise.instrument_rules import ITEM_RULES, InstrumentRule, instrument_rules, item_table
from ember.registry.registry import Registry
from ember.tables.store import conform, empty_table
from ember.validate.ledger import entries, join_entries

QUESTIONNAIRE = ["participant_id", "visit", "instrument"]
PLACE = ["site_id", *QUESTIONNAIRE, "study_day", "source_file", "sheet", "row_number", "order"]


@dataclass(frozen=True)
class Scored:
    """Scores of one site, the ledger of their answers, and what became of the answers that no ledger line lists."""

    scores: pl.DataFrame
    ledger: pl.DataFrame
    n_collapsed: int
    n_unscored: int


def score_instruments(items: pl.DataFrame, registry: Registry, site: str, stage: str) -> Scored:
    """Return one score for each questionnaire of a participant's visit.

    Parameters
    ----------
    items : DataFrame
        Contract `standard_items` of one site; item 0 is a total given by the source.

    Returns
    -------
    Scored
        `scores` meets the contract `scores`; `n_collapsed` counts the answers and totals that make a score,
        `n_unscored` the usable answers of questionnaires that miss too many (`score.incomplete`).

    Raises
    ------
    EmberError
        The registry has no such instrument or item, or no such combination of scoring and missing rule.

    Notes
    -----
    Sums are of integers and therefore exact. `sum` adds the scored items, reversed ones as low + high - answer;
    `qids_domains` adds the highest item of each domain (Rush et al. 2003); `mean_domains` stretches the mean of
    the items from the item range to the range of the total (WHOQOL-BREF manual). `all_required` wants every
    scored item, under `qids_domains` an answer in every domain: its items on appetite and on weight are
    alternatives of which a respondent answers one. `prorate` is the person mean times the number of items, not
    rounded: rounding serves look-up tables and adds up to half a point of error (Fairclough and Cella 1996, the
    half rule; textbook). It fails where items differ much in difficulty. Where items make a score, the score stands
    and a total that differs is flagged; a total counts where the items do not make one.
    """
    if not items.height:
        return Scored(empty_table("scores"), empty_table("ledger"), 0, 0)
    instruments = items["instrument"].unique(maintain_order=True).to_list()
    rules = {name: instrument_rules(registry, name) for name in instruments}
    ordered = numbered(items)
    answers, answers_ledger = usable_answers(ordered.filter(pl.col("item") > 0), registry, rules, site, stage)
    totals, totals_ledger = usable_totals(ordered.filter(pl.col("item") == 0), rules, site, stage)
    answers, answer_conflicts, answer_repeats = without_repeats(answers, site, stage)
    totals, total_conflicts, total_repeats = without_repeats(totals, site, stage)
    given = totals.select("questionnaire", pl.col(*PLACE, "value", "column").name.prefix("total_"))
    questionnaires = add_up(answers, rules).join(
        given, on="questionnaire", how="full", coalesce=True, maintain_order="left_right"
    )
    judged = with_agreement(questionnaires)
    unscored = judged.filter(pl.col("n_usable").is_not_null() & pl.col("items_score").is_null())
    n_unscored = int(unscored["n_usable"].sum())
    listed = [answers_ledger, totals_ledger, answer_conflicts, total_conflicts]
    listed.extend([_incomplete(unscored, rules, site, stage), _disagreements(judged, site, stage)])
    n_collapsed = answers.height - n_unscored + totals.height + answer_repeats + total_repeats
    return Scored(_score_table(judged, items, rules), join_entries(listed), n_collapsed, n_unscored)


def numbered(items: pl.DataFrame) -> pl.DataFrame:
    """Return items with `order` and the number of their `questionnaire`, by which grouping is faster than by names."""
    names = items.select(QUESTIONNAIRE).unique(maintain_order=True).with_row_index("questionnaire")
    return items.join(names, on=QUESTIONNAIRE, how="left", maintain_order="left").with_row_index("order")


def usable_answers(
    answers: pl.DataFrame, registry: Registry, rules: dict[str, InstrumentRule], site: str, stage: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the answers that carry points, with their item's columns, and the ledger of the others."""
    known = answers.join(
        item_table(registry, list(rules)), on=["instrument", "item"], how="left", maintain_order="left"
    )
    strangers = known.filter(pl.col("item_low").is_null()).select("instrument", "item").unique(maintain_order=True)
    if strangers.height:
        instrument, item = strangers.row(0)
        raise EmberError(
            f"Item {item} of {instrument} has no row in config/registry/instrument_items.csv.",
            where=f"sites/{site}.yaml  instruments.{instrument}",
            fix="Map only items that the registry knows; an instrument without item rows takes its total alone.",
        )
    value = pl.col("value")
    whole_and_inside = value.is_between(pl.col("item_low"), pl.col("item_high")) & (value == value.floor())
    verdict = (
        pl.when(value.is_in(pl.col("missing_codes")))
        .then(pl.lit("item.missing_code"))
        .when(value.is_in(pl.col("not_points")))
        .then(pl.lit("item.no_points"))
        .when(~whole_and_inside)
        .then(pl.lit("item.outside_range"))
    )
    judged = known.with_columns(verdict.alias("verdict"))
    listed = []
    for rule_id in ITEM_RULES:
        for (instrument,), part in judged.filter(pl.col("verdict") == rule_id).group_by(
            "instrument", maintain_order=True
        ):
            message = f"{instrument}: whole codes of the item in instrument_items.csv"
            listed.append(entries(part, rule_id, site=site, stage=stage, message=message))
    return judged.filter(pl.col("verdict").is_null()), join_entries(listed)


def usable_totals(
    totals: pl.DataFrame, rules: dict[str, InstrumentRule], site: str, stage: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the totals that are possible for their instrument, and the ledger of the others."""
    bounds = [(name, rule.total_low, rule.total_high) for name, rule in rules.items()]
    schema = {"instrument": pl.String(), "total_low": pl.Float64(), "total_high": pl.Float64()}
    table = pl.DataFrame(bounds, schema=schema, orient="row")
    known = totals.join(table, on="instrument", how="left", maintain_order="left")
    possible = pl.col("value").is_between(pl.col("total_low"), pl.col("total_high"))
    listed = [
        entries(part, "score.outside_range", site=site, stage=stage, message=rules[str(name)].range_in_words)
        for (name,), part in known.filter(~possible).group_by("instrument", maintain_order=True)
    ]
    return known.filter(possible), join_entries(listed)


def without_repeats(answers: pl.DataFrame, site: str, stage: str) -> tuple[pl.DataFrame, pl.DataFrame, int]:
    """Return the answers with one row an item of a questionnaire, the ledger of contradictions, and the repeats.

    Two tables of a site may hold the same questionnaire. Equal answers collapse into the first; answers that
    differ are all refused, because none can be chosen.
    """
    keys = ["questionnaire", "item"]
    if answers.select(pl.struct(keys).n_unique()).item() == answers.height:
        return answers, empty_table("ledger"), 0
    contradicted = answers.select(pl.col("value").n_unique().over(keys) > 1).to_series()
    message = "another row gives another answer for the same participant, visit and item"
    listed = entries(answers.filter(contradicted), "value.conflict", site=site, stage=stage, message=message)
    agreed = answers.filter(~contradicted)
    kept = agreed.unique(keys, keep="first", maintain_order=True)
    return kept, listed, agreed.height - kept.height


def add_up(answers: pl.DataFrame, rules: dict[str, InstrumentRule]) -> pl.DataFrame:
    """Return a row for each questionnaire with usable answers: place, counts and `items_score`, null if incomplete."""
    low, high, value = (pl.col(name).cast(pl.Int64) for name in ("item_low", "item_high", "value"))
    points = pl.when("reverse").then(low + high - value).otherwise(value)
    by_domain = [name for name, rule in rules.items() if rule.by_domain]
    prepared = answers.with_columns(
        pl.col("instrument").is_in(by_domain).alias("by_domain"),
        points.alias("points"),
        (points - low).alias("above"),
        (high - low).alias("span"),
    )
    places = prepared.group_by("questionnaire", maintain_order=True).agg(
        pl.col(PLACE).first(), pl.len().alias("n_usable")
    )
    scored = prepared.filter("scored")
    domains = (
        scored.filter("by_domain")
        .group_by("questionnaire", "domain", maintain_order=True)
        .agg(pl.col("points", "above", "span").max(), pl.len().alias("n"))
    )
    columns = ["questionnaire", "points", "above", "span", "n"]
    single = scored.filter(~pl.col("by_domain")).with_columns(pl.lit(1, dtype=pl.UInt32).alias("n"))
    sums = (
        pl.concat([single.select(columns), domains.select(columns).cast({"n": pl.UInt32})])
        .group_by("questionnaire", maintain_order=True)
        .agg(pl.col("points", "above", "span", "n").sum(), pl.len().alias("n_parts"))
    )
    joined = places.join(sums, on="questionnaire", how="left", maintain_order="left")
    return joined.join(_rule_table(rules), on="instrument", how="left", maintain_order="left").with_columns(
        _items_score().alias("items_score")
    )


def _items_score() -> pl.Expr:
    """Return the score by the instrument's rule; null where too few parts are answered."""
    parts, required = pl.col("n_parts"), pl.col("required_parts")
    enough = (parts > 0) & (parts + pl.col("may_miss") >= required)
    stretched = pl.col("total_low") + (pl.col("total_high") - pl.col("total_low")) * pl.col("above") / pl.col("span")
    prorated = pl.col("points") * required / parts
    score = pl.when("stretched").then(stretched).when(parts == required).then("points").otherwise(prorated)
    return pl.when(enough.fill_null(False)).then(score.cast(pl.Float64))


def _rule_table(rules: dict[str, InstrumentRule]) -> pl.DataFrame:
    rows = [
        (name, rule.required_parts, rule.may_miss, rule.stretched, rule.total_low, rule.total_high)
        for name, rule in rules.items()
    ]
    types = (pl.String(), pl.Int64(), pl.Int64(), pl.Boolean(), pl.Float64(), pl.Float64())
    names = ("instrument", "required_parts", "may_miss", "stretched", "total_low", "total_high")
    return pl.DataFrame(rows, schema=dict(zip(names, types, strict=True)), orient="row")


def with_agreement(questionnaires: pl.DataFrame) -> pl.DataFrame:
    """Return questionnaires with `disagrees`: a total was given beside items that make another score.

    A complete sum is compared exactly. A score that can be a fraction is compared to half a point, because a source
    gives such totals rounded.
    """
    whole = ~pl.col("stretched") & (pl.col("n_parts") == pl.col("required_parts"))
    tolerance = pl.when(whole).then(0.0).otherwise(0.5)
    apart = (pl.col("items_score") - pl.col("total_value")).abs() > tolerance
    return questionnaires.with_columns(apart.fill_null(False).alias("disagrees"))


def _incomplete(unscored: pl.DataFrame, rules: dict[str, InstrumentRule], site: str, stage: str) -> pl.DataFrame:
    listed = []
    for (name, given), part in unscored.group_by(
        "instrument", pl.col("total_value").is_not_null().alias("given"), maintain_order=True
    ):
        message = rules[str(name)].missing_in_words + ("; the total given stands" if given else "")
        where = part.select("source_file", "sheet", "row_number")
        listed.append(entries(where, "score.incomplete", site=site, stage=stage, message=message))
    return join_entries(listed)


def _disagreements(judged: pl.DataFrame, site: str, stage: str) -> pl.DataFrame:
    listed: Sequence[pl.DataFrame] = [
        entries(
            part.select(
                pl.col("total_source_file").alias("source_file"),
                pl.col("total_sheet").alias("sheet"),
                pl.col("total_row_number").alias("row_number"),
                pl.col("total_column").alias("column"),
            ),
            "score.total_disagrees",
            site=site,
            stage=stage,
            message=f"{name}: the score of the items",
        )
        for (name,), part in judged.filter("disagrees").group_by("instrument", maintain_order=True)
    ]
    return join_entries(listed)


def _score_table(judged: pl.DataFrame, items: pl.DataFrame, rules: dict[str, InstrumentRule]) -> pl.DataFrame:
    from_items = pl.col("items_score").is_not_null()
    files = items.select("source_file").unique(maintain_order=True).with_row_index("file_order")
    construct = pl.col("instrument").replace_strict({name: rule.construct for name, rule in rules.items()})
    scores = (
        judged.filter(from_items | pl.col("total_value").is_not_null())
        .with_columns(
            pl.when(from_items).then(pl.col(name)).otherwise(pl.col(f"total_{name}")).alias(name) for name in PLACE
        )
        .with_columns(
            construct.alias("construct"),
            pl.when(from_items).then("items_score").otherwise("total_value").alias("score"),
            pl.when(from_items).then(pl.lit("items")).otherwise(pl.lit("total")).alias("origin"),
            pl.when(from_items).then(pl.col("n")).otherwise(0).alias("n_items"),
            pl.when("disagrees").then(pl.lit("score.total_disagrees")).otherwise(pl.lit("")).alias("flags"),
        )
        .join(files, on="source_file", how="left", maintain_order="left")
        .sort("file_order", "row_number", "instrument", "order", maintain_order=True)
    )
    return conform(scores.select(empty_table("scores").columns), "scores")
