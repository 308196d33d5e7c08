"""Which detection limit is valid for a result: by assay, laboratory, batch and month of sampling."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from ember.errors import EmberError
from ember.harmonise.units import Figures, declared_factors, find_conversion
from ember.registry.model import DeclaredLimit, Site, Study
from ember.registry.registry import Registry

EVER = ("0000-00", "9999-99")
SCHEMA = {
    "assay_class": pl.Categorical(),
    "platform": pl.Categorical(),
    "detection_limit": pl.Float64(),
    "upper_limit": pl.Float64(),
    "limit_doubt": pl.Float64(),
}


@dataclass(frozen=True)
class LimitPeriod:
    """Limits in the canonical unit and the months, both included, and batches (none: all) for which they hold."""

    low: float | None
    high: float | None
    first: str = EVER[0]
    last: str = EVER[1]
    batches: tuple[str, ...] = ()

    def may_hold(self, period: str | None, batch: str | None) -> bool:
        """Return whether the limits hold for a sample as far as anybody can tell."""
        in_time = period is None or self.first <= period <= self.last
        return in_time and (not self.batches or batch is None or batch in self.batches)


SiteLimits = Mapping[tuple[str, str], Sequence[LimitPeriod]]
"""The limits that a site declares, by source (its shown path) and analyte."""


def declared_limits(study: Study, site: Site, registry: Registry) -> dict[tuple[str, str], tuple[LimitPeriod, ...]]:
    """Return the limits that a site file declares, in canonical units.

    Raises
    ------
    EmberError
        Two tables over one file declare different limits for an analyte, or a limit has a unit without conversion.
    """
    factors = declared_factors(study, site)
    found: dict[tuple[str, str], tuple[LimitPeriod, ...]] = {}
    for file, analyte, limits in _declarations(study, site):
        periods = tuple(_period(limit, analyte, factors.get((file, analyte), {}), site, registry) for limit in limits)
        if found.setdefault((file, analyte), periods) != periods:
            raise EmberError(
                f"Two tables of {site.id} over one file declare different limits for {analyte}.",
                where=f"sites/{site.id}.yaml",
            )
    return found


def with_limits(measurements: pl.DataFrame, registry: Registry, declared: SiteLimits) -> pl.DataFrame:
    """Return measurements with `assay_class`, `platform`, `detection_limit`, `upper_limit` and `limit_doubt`.

    Parameters
    ----------
    measurements : DataFrame
        Columns analyte, assay_id, source_file and batch; `period` (month of sampling, "2019-03") where it is known.
    declared : mapping
        Of `declared_limits`.

    Raises
    ------
    EmberError
        An assay has no registry row, or its own unit cannot be converted.

    Notes
    -----
    What the site declares goes before the registry's row of the assay. Where the limit depends on a month or a batch
    that is not known, or no declared period covers it, nobody chooses: `detection_limit` is null and `limit_doubt`
    is the highest limit that may hold, below which a number cannot be judged. An analyte whose assays are all of the
    standard class is of that class without an assay too. Computed once for each distinct key.
    """
    keys = _keys(measurements, registry, declared)
    table = measurements.select(keys).unique(maintain_order=True)
    rows = [_resolved(key, registry, declared) for key in table.iter_rows(named=True)]
    resolved = pl.concat([table, pl.DataFrame(rows, schema=SCHEMA, orient="row")], how="horizontal")
    return measurements.join(resolved, on=keys, how="left", maintain_order="left", nulls_equal=True)


def assay_limits(registry: Registry, assay: str) -> LimitPeriod:
    """Return the limits of an assay's registry row, in the canonical unit of its analyte.

    Raises
    ------
    EmberError
        The assay's unit cannot be converted without a molar factor.
    """
    row = registry.row("assays", assay)
    where = "config/registry/assays.csv"
    low, high = (
        _canonical(_number(row[name]), row["analyte"], row["unit"], {}, registry, f"the assay '{assay}'", where)
        for name in ("limit_low", "limit_high")
    )
    return LimitPeriod(low, high, row["valid_from"][:7] or EVER[0], row["valid_to"][:7] or EVER[1])


def _declarations(study: Study, site: Site) -> Iterator[tuple[str, str, Sequence[DeclaredLimit]]]:
    for table in site.tables:
        file = study.sources[table.source].shown_path
        for analyte, mapping in table.measurements.items():
            if mapping.limits:
                yield file, analyte, mapping.limits
        for analyte, limits in table.laboratory.limits.items() if table.laboratory else ():
            yield file, analyte, limits


def _period(limit: DeclaredLimit, analyte: str, figures: Figures, site: Site, registry: Registry) -> LimitPeriod:
    where = f"sites/{site.id}.yaml"
    low, high = (
        _canonical(number, analyte, limit.unit, figures, registry, "a declared limit", where)
        for number in (limit.low, limit.high)
    )
    return LimitPeriod(low, high, limit.first or EVER[0], limit.last or EVER[1], limit.batches)


def _canonical(
    number: float | None, analyte: str, unit: str, figures: Figures, registry: Registry, of: str, where: str
) -> float | None:
    conversion = find_conversion(registry, analyte, unit, figures)
    if conversion is None:
        raise EmberError(
            f"The unit '{unit}' of {of} cannot be converted for {analyte}.",
            where=where,
            allowed=registry.units_of(analyte),
        )
    numerator, denominator = float(conversion.factor.numerator), float(conversion.factor.denominator)
    return None if number is None else number * numerator / denominator


def _keys(measurements: pl.DataFrame, registry: Registry, declared: SiteLimits) -> list[str]:
    """Return the columns on which the limits depend: the fewer, the smaller the table of distinct keys."""
    keys = ["analyte", "assay_id"]
    if declared:
        keys.append("source_file")
    if any(limit.batches for limits in declared.values() for limit in limits):
        keys.append("batch")
    dated = any((limit.first, limit.last) != EVER for limits in declared.values() for limit in limits)
    named = measurements["assay_id"].drop_nulls().unique()
    if "period" in measurements.columns and (
        dated or any(registry.row("assays", assay)["valid_from"] for assay in named)
    ):
        keys.append("period")
    return keys


def _resolved(
    key: Mapping[str, str | None], registry: Registry, declared: SiteLimits
) -> tuple[str | None, str | None, float | None, float | None, float | None]:
    analyte, assay = key["analyte"] or "", key["assay_id"]
    row = registry.row("assays", assay) if assay else {}
    method = (row.get("assay_class") or _only_standard(analyte, registry), row.get("platform") or None)
    limits = _of_file(declared, key.get("source_file"), analyte) or ([assay_limits(registry, assay)] if assay else [])
    if not limits:
        return (*method, None, None, None)
    period, batch = key.get("period"), key.get("batch")
    possible = [limit for limit in limits if limit.may_hold(period, batch)]
    low, high = _common([limit.low for limit in possible]), _common([limit.high for limit in possible])
    told = len({limit.low for limit in possible}) == 1
    return (*method, low, high, None if told else _highest(possible or limits))


def _only_standard(analyte: str, registry: Registry) -> str | None:
    classes = {row["assay_class"] for row in registry.rows("assays") if row["analyte"] == analyte}
    return "standard" if classes == {"standard"} else None


def _of_file(declared: SiteLimits, source_file: str | None, analyte: str) -> Sequence[LimitPeriod]:
    """Return what is declared for a file, which measurements name relative to the data folder."""
    shown = [file for file, name in declared if name == analyte and f"/{file}".endswith(f"/{source_file}")]
    return declared[min(shown, key=len), analyte] if shown else ()


def _common(limits: Sequence[float | None]) -> float | None:
    return limits[0] if len(set(limits)) == 1 else None


def _highest(limits: Sequence[LimitPeriod]) -> float | None:
    return max((limit.low for limit in limits if limit.low is not None), default=None)


def _number(text: str) -> float | None:
    return float(text) if text.strip() else None
