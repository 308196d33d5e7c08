"""The dictionary of a run: every column of every extract and what became of it, and every harmonised variable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from ember.registry.model import Site, Study
from ember.registry.questionnaires import in_framework_order, scores_of
from ember.registry.registry import Registry
from ember.reporting.raw_columns import ALL, Meaning, RawColumns, meanings
from ember.tables.contract import Column, contract

RAW, DERIVED, HARMONISED = "raw", "derived", "harmonised"
DICTIONARY = {
    "level": pl.String, "source": pl.String, "variable": pl.String, "label": pl.String, "type": pl.String,
    "unit": pl.String, "codes": pl.String, "missing": pl.String, "shown_if": pl.String, "mapped_to": pl.String,
    "sites": pl.String, "n_present": pl.Int64, "n_at_least": pl.Int64,
}  # fmt: skip
OPEN_END = 1e300

Row = dict[str, Any]


def dictionary(
    study: Study, registry: Registry, sources: Mapping[str, RawColumns], quality: pl.DataFrame
) -> pl.DataFrame:
    """Return one row a column of an extract, a derived column and a harmonised variable.

    Parameters
    ----------
    sources : mapping of str to RawColumns
        What each source says of its columns.
    quality : DataFrame
        The table of completeness, whose counts of values that are present are added up.

    Notes
    -----
    Metadata of the extracts: names, labels, value labels and codes of missing values. Never a cell.
    """
    rows: list[Row] = []
    for name, columns in sources.items():
        found = meanings(study, registry, name, columns.names)
        ids = [column for column in found if column not in columns.names and column not in _derived(study, name)]
        for column in [*ids, *columns.names]:
            rows.append(_raw(study, name, column, columns.said.get(column, {}), found.get(column)))
        rows.extend(_derived_rows(study, name, found))
    rows.extend(_harmonised(study, registry))
    return with_presence(pl.DataFrame(rows, schema=DICTIONARY), quality)


def with_presence(table: pl.DataFrame, quality: pl.DataFrame) -> pl.DataFrame:
    """Return the dictionary with the values present of each harmonised variable, over all sites and visits.

    `n_present` is there only if each of the counts that make it up is shown; `n_at_least` adds up those that are. Both
    are sums of the table of completeness, so they say nothing that it does not.
    """
    whole = pl.when(pl.col("n_present").is_null().any()).then(None).otherwise(pl.col("n_present").sum())
    sums = (
        quality.filter(pl.col("n_expected").is_not_null() | pl.col("n_present").is_not_null())
        .group_by("table", "variable", maintain_order=True)
        .agg(whole.alias("whole"), pl.col("n_present").sum().alias("shown"))
        .select(pl.col("table").alias("source"), "variable", "whole", "shown", pl.lit(HARMONISED).alias("level"))
    )
    joined = table.join(sums, on=["level", "source", "variable"], how="left", maintain_order="left")
    counts = [pl.col("whole").alias("n_present"), pl.col("shown").cast(pl.Int64).alias("n_at_least")]
    return joined.with_columns(counts).select(list(DICTIONARY))


def _derived(study: Study, source: str) -> dict[str, dict[str, str]]:
    """Return the formula of each derived column of a source by site."""
    found: dict[str, dict[str, str]] = {}
    for site in study.sites_of(source):
        for table in (table for table in site.tables if table.source == source):
            for name, derived in table.derived.items():
                found.setdefault(name, {})[site.id] = derived.formula
    return found


def _raw(study: Study, source: str, column: str, said: Mapping[str, Any], meaning: Meaning | None) -> Row:
    known = meaning or Meaning()
    return {
        "level": RAW,
        "source": source,
        "variable": column,
        "label": said.get("label", ""),
        "type": said.get("type", ""),
        "unit": "; ".join(known.units),
        "codes": "; ".join(f"{code} = {label}" for code, label in said.get("value_labels", {}).items()),
        "missing": "; ".join(dict.fromkeys([*_missing(said), *known.missing])),
        "shown_if": said.get("branch", ""),
        "mapped_to": _mapped_to(study, source, known),
        "sites": ";".join(site for site in known.words if site != ALL),
        "n_present": None,
        "n_at_least": None,
    }


def _missing(said: Mapping[str, Any]) -> Iterator[str]:
    yield from said.get("missing_values", ())
    for low, high in said.get("missing_ranges", ()):
        low_end, high_end = f"{low:.12g}", f"{high:.12g}"
        if low < -OPEN_END:
            yield f"up to {high_end}"
        elif high > OPEN_END:
            yield f"from {low_end}"
        else:
            yield low_end if low == high else f"{low_end} to {high_end}"


def _mapped_to(study: Study, source: str, meaning: Meaning) -> str:
    """Return what a column becomes; sites are named where they differ."""
    by_words: dict[str, list[str]] = {}
    for site, words in meaning.words.items():
        by_words.setdefault(", ".join(words), []).append(site)
    if len(by_words) == 1 and len(meaning.words) == len(study.sites_of(source)):
        return next(iter(by_words))
    return "; ".join(words if sites == [ALL] else f"{', '.join(sites)}: {words}" for words, sites in by_words.items())


def _derived_rows(study: Study, source: str, found: Mapping[str, Meaning]) -> Iterator[Row]:
    for name, formulas in _derived(study, source).items():
        for formula in dict.fromkeys(formulas.values()):
            sites = [site for site, own in formulas.items() if own == formula]
            known = found.get(name, Meaning())
            own = Meaning({site: words for site, words in known.words.items() if site in sites})
            yield {
                "level": DERIVED, "source": source, "variable": name, "label": formula, "type": "formula",
                "unit": "; ".join(known.units), "codes": "", "missing": "; ".join(known.missing), "shown_if": "",
                "mapped_to": _mapped_to(study, source, own), "sites": ";".join(sites),
                "n_present": None, "n_at_least": None,
            }  # fmt: skip


def _harmonised(study: Study, registry: Registry) -> Iterator[Row]:
    sites = [site for site in study.sites.values() if site.id not in study.excluded_sites]
    for name, column in contract("participants").mapped.items():
        having = [site for site in sites if any(name in table.columns for table in site.tables)]
        if having:
            codes = "; ".join(_codes(column, having, registry))
            yield _variable("participants", name, column.label or name, column.unit or "", codes, having)
    for row in registry.rows("analytes"):
        having = [site for site in sites if row["analyte"] in _analytes(site)]
        if having:
            yield _variable("measurements", row["analyte"], row["label"], row["canonical_unit"], "", having)
    scores = {site.id: scores_of(site, registry) for site in sites}
    for row in in_framework_order(registry):
        having = [site for site in sites if row["instrument"] in scores[site.id]]
        if having:
            span = f"{row['total_low']} to {row['total_high']}" if row["total_high"] else ""
            yield _variable("scores", row["instrument"], row["label"], "points", span, having)
    having = [site for site in sites if any(table.treatments for table in site.tables)]
    if having:
        yield _variable("treatments", "treatment", "Treatment taken", "", "", having)


def _variable(table: str, name: str, label: str, unit: str, codes: str, sites: Sequence[Site]) -> Row:
    return {
        "level": HARMONISED, "source": table, "variable": name, "label": label,
        "type": "code" if codes and table == "participants" else "number" if unit or table == "scores" else "text",
        "unit": unit, "codes": codes, "missing": "", "shown_if": "", "mapped_to": "",
        "sites": ";".join(site.id for site in sites), "n_present": None, "n_at_least": None,
    }  # fmt: skip


def _codes(column: Column, sites: Sequence[Site], registry: Registry) -> list[str]:
    if column.allowed:
        return list(column.allowed)
    maps = [table.columns[column.name] for site in sites for table in site.tables if column.name in table.columns]
    given = [code for mapping in maps for code in mapping.codes.values()]
    listed = [row["code"] for row in registry.rows("codelists") if row["codelist"] == column.name]
    if any(mapping.codelist for mapping in maps):
        given += listed
    return [code for code in listed if code in given] or list(dict.fromkeys(given))


def _analytes(site: Site) -> set[str]:
    found = {analyte for table in site.tables for analyte in table.measurements}
    return found | {a for table in site.tables if table.laboratory for a in table.laboratory.analyte.codes.values()}
