"""Units: from the spelling in a file to an exact factor to the canonical unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from ember.errors import EmberError
from ember.registry.declared_factor import ACTIVITY, FIGURES, MOLAR, declared_for
from ember.registry.model import Site, Study
from ember.registry.registry import Registry

SI_EXPONENTS: Mapping[str, int] = {"": 0, "k": 3, "d": -1, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
AMOUNT_PER_VOLUME = re.compile(r"(?P<amount>[munpf]?)mol/(?P<volume>[dmun]?)L")
ACTIVITY_PER_VOLUME = re.compile(r"(?P<amount>[kmu]?)\[IU\]/(?P<volume>[dmun]?)L")
MASS_PER_VOLUME = re.compile(r"(?P<amount>[dmunpf]?)g/(?P<volume>[dmun]?)L")
DECLARABLE = {MOLAR: AMOUNT_PER_VOLUME, ACTIVITY: ACTIVITY_PER_VOLUME}

Figures = Mapping[str, str]
"""What a site declares for an analyte: {"nmol_per_mg": "9.524"}, {"pg_per_iu": "10"}, both or neither."""
DeclaredFactors = Mapping[tuple[str, str], Figures]
NO_FIGURES: Figures = {}


@dataclass(frozen=True)
class Conversion:
    """How a reported unit becomes the canonical one: canonical = reported x factor.

    `declared` is the figure of the site on which the factor rests, "nmol_per_mg=9.524"; empty where it rests on none.
    """

    analyte: str
    from_unit: str
    to_unit: str
    factor: Fraction
    declared: str = ""

    @property
    def id(self) -> str:
        """Return `analyte:from:to`, followed by the declared figure if there is one."""
        plain = f"{self.analyte}:{self.from_unit}:{self.to_unit}"
        return f"{plain}:{self.declared}" if self.declared else plain


def find_conversion(
    registry: Registry, analyte: str, reported: str, figures: Figures | None = None
) -> Conversion | None:
    """Return the conversion of a reported unit, or None if no registry row converts it.

    Parameters
    ----------
    reported : str
        The unit as the file spells it; it is read by the table of spellings and never guessed.
    figures : mapping of str to str, optional
        What the site declares for the analyte, as decimal text. Without it an amount of substance and an
        international unit have no conversion: more than one molar mass, and more than one standard, is in use.

    Raises
    ------
    EmberError
        The registry row asks for a declared figure between units that it does not join.
    """
    unit = registry.ucum(reported, analyte)
    if unit is None:
        return None
    row = registry.row("units", analyte, unit)
    needs = row["needs"]
    if not needs:
        return Conversion(analyte, unit, row["to_unit"], Fraction(int(row["numerator"]), int(row["denominator"])))
    name = FIGURES[needs]
    if not figures or name not in figures:
        return None
    scale, figure = declared_scale(needs, unit, row["to_unit"]), Fraction(figures[name])
    factor = scale / figure if needs == MOLAR else scale * figure
    return Conversion(analyte, unit, row["to_unit"], factor, f"{name}={figures[name]}")


def conversion_of(registry: Registry, conversion_id: str) -> Conversion | None:
    """Return the conversion that an id in the table of measurements names."""
    analyte, unit, _, *declared = conversion_id.split(":")
    return find_conversion(registry, analyte, unit, dict(figure.split("=") for figure in declared))


def declared_scale(needs: str, from_unit: str, to_unit: str) -> Fraction:
    """Return what 1 `from_unit` is in `to_unit` where the declared figure is 1.

    Parameters
    ----------
    needs : str
        "molar_factor": a substance with 1 nmol per mg, of which one nmol/L is one mg/L.
        "iu_factor": a standard with 1 pg per international unit, of which one [IU]/mL is one pg/mL.

    Notes
    -----
    The prefixes of both units come on top.
    """
    source, target = DECLARABLE[needs].fullmatch(from_unit), MASS_PER_VOLUME.fullmatch(to_unit)
    if source is None or target is None:
        what = "moles" if needs == MOLAR else "international units"
        raise EmberError(
            f"A declared factor leads from {what} to grams a volume, not from '{from_unit}' to '{to_unit}'.",
            where="config/registry/units.csv",
        )
    exponents = [
        SI_EXPONENTS[part] for part in (source["amount"], source["volume"], target["amount"], target["volume"])
    ]
    amount, volume, to_amount, to_volume = exponents
    grams = 6 if needs == MOLAR else -12  # of one mole with 1 nmol per mg, and of one unit with 1 pg per unit
    return Fraction(10) ** (amount + grams - volume - to_amount + to_volume)


def declared_factors(study: Study, site: Site) -> dict[tuple[str, str], Figures]:
    """Return the declared figures by source (its shown path) and analyte.

    Raises
    ------
    EmberError
        Two tables over one file declare different figures for an analyte.
    """
    found: dict[tuple[str, str], dict[str, str]] = {}
    for table in site.tables:
        file = study.sources[table.source].shown_path
        declared = {name: declared_for(mapping, name) for name, mapping in table.measurements.items()}
        if table.laboratory:
            analytes = dict.fromkeys(table.laboratory.analyte.codes.values())
            declared |= {name: declared_for(table.laboratory, name) for name in analytes}
        for analyte, figures in declared.items():
            before = found.setdefault((file, analyte), {})
            if any(before.get(name, text) != text for name, text in figures.items()):
                raise EmberError(
                    f"Two tables of {site.id} over one file declare different factors for {analyte}.",
                    where=f"sites/{site.id}.yaml",
                )
            before |= figures
    return {key: figures for key, figures in found.items() if figures}


def declared_figures(declared: DeclaredFactors, source_file: str, analyte: str) -> Figures:
    """Return what is declared for an analyte in a file, which is named relative to the data folder."""
    shown = [file for file, name in declared if name == analyte and f"/{file}".endswith(f"/{source_file}")]
    # Of "data/x.csv" and "data/a/x.csv" only the shorter is the file "x.csv" of the data folder.
    return declared[min(shown, key=len), analyte] if shown else NO_FIGURES


def with_conversions(measurements: pl.DataFrame, registry: Registry, declared: DeclaredFactors) -> pl.DataFrame:
    """Return measurements with `from_unit`, `unit`, `conversion_id`, `numerator`, `denominator` and `unit_needs`.

    The first five are null where no registry row converts the unit; `unit_needs` then says what the site would have to
    declare ("molar_factor", "iu_factor"), and is null otherwise. Rows and their order stay.
    """
    keys = ["analyte", "unit_reported", "source_file"]
    distinct = measurements.select(keys).unique(maintain_order=True)
    rows: list[tuple[str | float | None, ...]] = []
    for analyte, reported, source_file in distinct.iter_rows():
        found = find_conversion(registry, analyte, reported, declared_figures(declared, source_file, analyte))
        if found is not None:
            numbers = (float(found.factor.numerator), float(found.factor.denominator))
            rows.append((found.from_unit, found.to_unit, found.id, *numbers, None))
        else:
            unit = registry.ucum(reported, analyte)
            rows.append((*[None] * 5, registry.row("units", analyte, unit)["needs"] if unit else None))
    texts = dict.fromkeys(("from_unit", "unit", "conversion_id"), pl.Categorical())
    schema = {**texts, "numerator": pl.Float64(), "denominator": pl.Float64(), "unit_needs": pl.Categorical()}
    # The keys come from the measurements themselves: whatever type they have there, it is the same on both sides.
    table = distinct.with_columns(pl.DataFrame(rows, schema=schema, orient="row").get_columns())
    return measurements.join(table, on=keys, how="left", maintain_order="left")


def in_canonical_unit(column: str) -> pl.Expr:
    """Return a column of reported numbers in the canonical unit.

    Notes
    -----
    The product is formed before the quotient: whole factors and divisors then give the float64 nearest to the
    exact result wherever the product is exact, while a ready-made 0.001 would add its own rounding error.
    """
    return pl.col(column) * pl.col("numerator") / pl.col("denominator")


def unit_factors(registry: Registry, analyte: str, declared: DeclaredFactors) -> dict[str, Fraction]:
    """Return the factor of every unit of an analyte that needs no declared figure, or whose figure is declared."""
    figures: dict[str, str] = {}
    for (_, name), own in declared.items():
        figures |= {key: text for key, text in own.items() if name == analyte and key not in figures}
    found = {unit: find_conversion(registry, analyte, unit, figures) for unit in registry.units_of(analyte)}
    return {unit: conversion.factor for unit, conversion in found.items() if conversion is not None}
