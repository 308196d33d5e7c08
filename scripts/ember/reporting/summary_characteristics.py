"""What participants were like, by site and by endotype state at baseline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from ember.registry.model import Study
from ember.registry.questionnaires import in_framework_order
from ember.registry.registry import Registry
from ember.tables.contract import Column, contract

if TYPE_CHECKING:
    from ember.reporting.summaries import SiteTables

CHARACTERISTICS = {
    "group_by": pl.String, "group": pl.String, "variable": pl.String, "label": pl.String, "level": pl.String,
    "unit": pl.String, "n": pl.Int64, "share": pl.Float64, "mean": pl.Float64, "sd": pl.Float64,
}  # fmt: skip
LEFT_OUT = ("survey_weight", "survey_stratum", "survey_psu")
MISSING = "missing"
PERSON = ["site_id", "participant_id"]


def characteristics(
    study: Study, registry: Registry, sites: Mapping[str, SiteTables], endotypes: Mapping[str, pl.DataFrame]
) -> pl.DataFrame:
    """Return counts and shares of groups, and means and standard deviations of numbers; nothing is tested.

    Notes
    -----
    A biomarker at baseline is described by the mean and standard deviation of its natural logarithm, because its
    values are skewed; censored results enter at their limit. Shares are of all participants of the group, missing
    ones included, so the levels of a variable add up.
    """
    people = _people(study, sites)
    rows: list[dict[str, Any]] = []
    groups = [("all", people), *[(site, people.filter(pl.col("site_id") == site)) for site in sites]]
    for group, part in groups:
        rows += [{"group_by": "site", "group": group, **line} for line in _lines(registry, people, part)]
    scheme = study.report.get("inflamed_share") or next(iter(endotypes), None)
    if scheme is not None:
        assigned = endotypes[scheme].filter("assigned").select(*PERSON, state="class")
        labelled = people.join(assigned, on=PERSON, how="left", maintain_order="left")
        for state in dict.fromkeys(endotypes[scheme]["class"].to_list()):
            part = labelled.filter(pl.col("state") == state)
            if part.height:
                rows += [{"group_by": "state", "group": state, **line} for line in _lines(registry, people, part)]
    return pl.DataFrame(rows, schema=CHARACTERISTICS)


def _people(study: Study, sites: Mapping[str, SiteTables]) -> pl.DataFrame:
    """Return one row a participant with their biomarkers (ln) and scores at the first visit."""
    first = min(study.visits, key=lambda visit: visit.day).id
    parts = []
    for tables in sites.values():
        people = tables.participants
        for prefix, frame, key, value in (
            ("ln_", tables.measurements, "analyte", "value"),
            ("score_", tables.scores.filter(pl.col("origin") != "linked"), "instrument", "score"),
        ):
            own = frame.filter((pl.col("visit") == first) & pl.col(value).is_not_null())
            for name in own[key].unique(maintain_order=True).to_list():
                number = own.filter(pl.col(key) == name).unique(PERSON, keep="first", maintain_order=True)
                shown = pl.col(value).log() if prefix == "ln_" else pl.col(value)
                people = people.join(
                    number.select(*PERSON, shown.alias(prefix + name)), on=PERSON, how="left", maintain_order="left"
                )
        parts.append(people)
    return pl.concat(parts, how="diagonal")


def _lines(registry: Registry, everyone: pl.DataFrame, part: pl.DataFrame) -> Iterator[dict[str, Any]]:
    yield _line("participants", "Participants", "", "", part.height, part.height / everyone.height)
    for column in contract("participants").mapped.values():
        if column.name in LEFT_OUT or everyone[column.name].null_count() == everyone.height:
            continue
        label, unit = column.label or column.name, column.unit or ""
        if column.type == "float64":
            yield _number(column.name, label, {"a": "years", "kg/m2": "kg/m²"}.get(unit, unit), part[column.name])
        else:
            yield from _levels(registry, column, label, everyone[column.name], part[column.name])
    for name in everyone.columns:
        if name.startswith("ln_"):
            analyte = registry.row("analytes", name.removeprefix("ln_"))
            label = f"{analyte['label']}, natural logarithm"
            yield _number(name, label, analyte["canonical_unit"], part[name])
    for row in in_framework_order(registry):
        name = f"score_{row['instrument']}"
        if name in everyone.columns:
            yield _number(name, row["label"], "points", part[name])


def _number(variable: str, label: str, unit: str, values: pl.Series) -> dict[str, Any]:
    known = values.drop_nulls().to_numpy()
    mean = float(np.mean(known)) if known.size else None
    spread = float(np.std(known, ddof=1)) if known.size > 1 else None
    return _line(variable, label, "", unit, known.size, None, mean, spread)


def _levels(
    registry: Registry, column: Column, label: str, everyone: pl.Series, values: pl.Series
) -> Iterator[dict[str, Any]]:
    levels = list(column.allowed) or sorted(everyone.drop_nulls().unique().to_list())
    for level in levels:
        known = column.registry is not None and registry.has(column.registry, level)
        shown = registry.row(str(column.registry), level)["label"] if known else level
        n = int((values == level).sum())
        yield _line(column.name, label, shown, "", n, n / max(1, len(values)))
    if everyone.null_count():
        yield _line(column.name, label, MISSING, "", values.null_count(), values.null_count() / max(1, len(values)))


def _line(
    variable: str, label: str, level: str, unit: str, n: int, share: float | None, mean: float | None = None,
    sd: float | None = None,
) -> dict[str, Any]:  # fmt: skip
    return {
        "variable": variable, "label": label, "level": level, "unit": unit, "n": int(n), "share": share,
        "mean": mean, "sd": sd,
    }  # fmt: skip
