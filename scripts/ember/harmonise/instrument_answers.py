"""Answers to items: which carry points, to which scores they belong, and what they add up to."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from ember.errors import EmberError
from ember.harmonise.instrument_rules import InstrumentRule, code_table, item_table, raw_table, rule_table
from ember.registry.registry import Registry


def judged_answers(
    answers: pl.DataFrame, registry: Registry, rules: Mapping[str, InstrumentRule], site: str
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the answers that carry points, and the others with `verdict`, the rule that refuses them.

    Parameters
    ----------
    answers : DataFrame
        `code` of the instrument, `item` and `value` among other columns.

    Raises
    ------
    EmberError
        The registry has no such item of the instrument.
    """
    ranges = item_table(registry, rules).select("code", "item", "item_low", "item_high")
    known = answers.join(ranges, on=["code", "item"], how="left", maintain_order="left")
    _refuse_strangers(known, list(rules), site)
    value = pl.col("value")
    usable = value.is_between(pl.col("item_low"), pl.col("item_high")) & (value == value.floor())
    others = known.filter(~usable)
    if others.height:
        codes = code_table(registry, rules)
        others = others.join(codes, on=["code", "item", "value"], how="left", maintain_order="left")
        others = others.with_columns(pl.col("verdict").fill_null("item.outside_range"))
    else:
        others = others.with_columns(pl.lit(None, dtype=pl.String).alias("verdict"))
    return known.filter(usable).drop("item_low", "item_high"), others


def _refuse_strangers(known: pl.DataFrame, names: list[str], site: str) -> None:
    strangers = known.filter(pl.col("item_low").is_null()).select("code", "item").unique(maintain_order=True)
    if strangers.height:
        code, item = strangers.row(0)
        raise EmberError(
            f"Item {item} of {names[code]} has no row in config/registry/instrument_items.csv.",
            where=f"sites/{site}.yaml  instruments.{names[code]}",
            fix="Map only items that the registry knows; an instrument without item rows takes its total alone.",
        )


def added_up(answers: pl.DataFrame, registry: Registry, rules: Mapping[str, InstrumentRule]) -> pl.DataFrame:
    """Return a row for each score that usable answers belong to, with `items_score`, null where too few are answered.

    Parameters
    ----------
    answers : DataFrame
        `order`, `person_visit`, `code`, `item` and `value`, one row an item of a questionnaire.

    Returns
    -------
    DataFrame
        `person_visit`, `code`, `source` (code of the questionnaire that was mapped), `order` (of its first answer),
        `n_usable` (answers of the questionnaire; null for a subscale, whose answers are counted with it), `n`
        (scored items answered), `n_parts`, `items_score` and `discarded`, in order of first answer and code.
    """
    own = answers.group_by("person_visit", "code").agg(pl.col("order").min(), pl.len().cast(pl.Int64).alias("n_usable"))
    table = rule_table(rules)
    placed = pl.concat([own.with_columns(pl.col("code").alias("source")), _subscale_rows(own, table)])
    sums = _sums(answers, registry, rules, table)
    joined = placed.join(sums, on=["person_visit", "code"], how="left").join(table, on="code", how="left")
    scored = _with_scores(joined, registry, rules)
    return _without_discarded(scored).sort("order", "code")


def _subscale_rows(own: pl.DataFrame, table: pl.DataFrame) -> pl.DataFrame:
    """Return a row for each subscale of the questionnaires."""
    children = table.filter(pl.col("parent") >= 0).select(pl.col("parent").alias("source"), "code")
    rows = own.rename({"code": "source"}).join(children, on="source", how="inner")
    return rows.select("person_visit", "code", "order", pl.lit(None, dtype=pl.Int64).alias("n_usable"), "source")


def _sums(
    answers: pl.DataFrame, registry: Registry, rules: Mapping[str, InstrumentRule], table: pl.DataFrame
) -> pl.DataFrame:
    """Return points, distance above the lowest answers, span, items and parts of each score; sums of integers."""
    items = item_table(registry, rules)
    counted = items.filter("scored")
    parents = table.select("code", "parent")
    children = counted.join(parents.filter(pl.col("parent") >= 0), on="code").rename({"code": "child"})
    shared = answers.select("person_visit", "code", "item", "value")
    parts = [shared.join(counted, on=["code", "item"], how="inner")]
    if children.height:
        from_parents = shared.join(children.rename({"parent": "code"}), on=["code", "item"], how="inner")
        parts.append(from_parents.drop("code").rename({"child": "code"}).select(parts[0].columns))
    low, high, value = (pl.col(name).cast(pl.Int64) for name in ("item_low", "item_high", "value"))
    points = pl.when("reverse").then(low + high - value).otherwise(value)
    columns = ["person_visit", "code", "part"]
    counting = pl.concat(parts).select(
        *columns, points.alias("points"), (points - low).alias("above"), (high - low).alias("span")
    )
    domains = [code for code, rule in enumerate(rules.values()) if rule.by_domain]
    in_domains = pl.col("code").is_in(domains)
    single = counting.filter(~in_domains).with_columns(pl.lit(1, dtype=pl.Int64).alias("n"))
    highest = (
        counting.filter(in_domains)
        .group_by(columns)
        .agg(pl.col("points", "above", "span").max(), pl.len().cast(pl.Int64).alias("n"))
    )
    together = pl.concat([single, highest.select(single.columns)]) if highest.height else single
    return together.group_by("person_visit", "code").agg(
        pl.col("points", "above", "span", "n").sum(), pl.len().cast(pl.Int64).alias("n_parts")
    )


def _with_scores(joined: pl.DataFrame, registry: Registry, rules: Mapping[str, InstrumentRule]) -> pl.DataFrame:
    """Return rows with `items_score` by the instrument's rule; null where too few parts are answered."""
    raw = raw_table(registry, rules)
    rows = joined.with_columns(pl.col("n", "n_parts").fill_null(0))
    rows = rows.join(raw, on=["code", "points"], how="left") if raw.height else rows.with_columns(table_score=None)
    parts, required = pl.col("n_parts"), pl.col("required_parts")
    enough = (parts > 0) & (parts + pl.col("may_miss") >= required)
    stretched = pl.col("total_low") + (pl.col("total_high") - pl.col("total_low")) * pl.col("above") / pl.col("span")
    prorated = pl.col("points") * required / parts
    by_rule = (
        pl.when(pl.col("scoring") == "subscales")
        .then(None)
        .when(pl.col("scoring") == "raw_table")
        .then("table_score")
        .when("stretched")
        .then(stretched)
        .when(parts == required)
        .then("points")
        .otherwise(prorated)
    )
    return rows.with_columns(
        pl.when(enough).then(by_rule.cast(pl.Float64)).alias("items_score"), enough.alias("enough")
    ).drop("table_score")


def _without_discarded(rows: pl.DataFrame) -> pl.DataFrame:
    """Return rows with `discarded`: the assessment misses too many items, so none of its subscales has a score."""
    discarding = (pl.col("scoring") == "subscales") & ~pl.col("enough")
    gone = rows.filter(discarding).select("person_visit", pl.col("code").alias("source"), pl.lit(True).alias("gone"))
    if not gone.height:
        return rows.with_columns(pl.lit(False).alias("discarded"))
    judged = rows.join(gone, on=["person_visit", "source"], how="left")
    discarded = pl.col("gone").fill_null(False)
    return judged.with_columns(
        discarded.alias("discarded"), pl.when(~discarded).then("items_score").alias("items_score")
    ).drop("gone")
