"""Units: from the spelling in a file to an exact factor to the canonical unit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

import polars as pl

from ember.errors import EmberError
from ember.registry.model import Site, Study
from ember.registry.registry import Registry

SI_EXPONENTS: Mapping[str, int] = {"": 0, "d": -1, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
AMOUNT_PER_VOLUME = re.compile(r"(?P<amount>[munpf]?)mol/(?P<volume>[dmu]?)L")
MASS_PER_VOLUME = re.compile(r"(?P<amount>[dmunpf]?)g/(?P<volume>[dmu]?)L")

DeclaredFactors = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Conversion:
    """How a reported unit becomes the canonical one: canonical = reported x factor."""

    analyte: str
    from_unit: str
    to_unit: str
    factor: Fraction
    nmol_per_mg: str | None = None

    @property
    def id(self) -> str:
        """Return `analyte:from:to`, followed by the molar factor where the site declares one."""
        plain = f"{self.analyte}:{self.from_unit}:{self.to_unit}"
        return plain if self.nmol_per_mg is None else f"{plain}:nmol_per_mg={self.nmol_per_mg}"


def find_conversion(
    registry: Registry, analyte: str, reported: str, nmol_per_mg: str | None = None
) -> Conversion | None:
    """Return the conversion of a reported unit, or None if no registry row converts it.

    Parameters
    ----------
    reported : str
        The unit as the file spells it; aliases are resolved to UCUM first.
    nmol_per_mg : str, optional
        Decimal text of the factor that the site declares; without it an amount of substance has no conversion,
        because more than one molar mass is in use.

    Raises
    ------
    EmberError
        The registry row asks for a molar factor between units that are no amount and mass of substance.
    """
    unit = registry.ucum(reported, analyte)
    if unit is None:
        return None
    row = registry.row("units", analyte, unit)
    if row["needs"] != "molar_factor":
        return Conversion(analyte, unit, row["to_unit"], Fraction(int(row["numerator"]), int(row["denominator"])))
    if nmol_per_mg is None:
        return None
    factor = molar_scale(unit, row["to_unit"]) / Fraction(nmol_per_mg)
    return Conversion(analyte, unit, row["to_unit"], factor, nmol_per_mg)


def molar_scale(from_unit: str, to_unit: str) -> Fraction:
    """Return what 1 `from_unit` is in `to_unit` for a substance with 1 nmol per mg.

    One nmol/L divided by nmol per mg is one mg/L; the prefixes of both units come on top.
    """
    source, target = AMOUNT_PER_VOLUME.fullmatch(from_unit), MASS_PER_VOLUME.fullmatch(to_unit)
    if source is None or target is None:
        raise EmberError(
            f"A molar factor leads from moles to grams a volume, not from '{from_unit}' to '{to_unit}'.",
            where="config/registry/units.csv",
        )
    exponents = [
        SI_EXPONENTS[part] for part in (source["amount"], source["volume"], target["amount"], target["volume"])
    ]
    amount, volume, to_amount, to_volume = exponents
    power = (amount + 9) - volume - (to_amount + 3) + to_volume
    return Fraction(10) ** power


def declared_factors(study: Study, site: Site) -> dict[tuple[str, str], str]:
    """Return nmol per mg as decimal text by source (its shown path) and analyte.

    Raises
    ------
    EmberError
        Two tables over one file declare different factors for an analyte.
    """
    found: dict[tuple[str, str], str] = {}
    for table in site.tables:
        file = study.sources[table.source].shown_path
        declared = {name: mapping.molar_factor for name, mapping in table.measurements.items()}
        if table.laboratory:
            declared |= dict.fromkeys(table.laboratory.analyte.codes.values(), table.laboratory.molar_factor)
        for analyte, molar in declared.items():
            # The text that YAML showed, not the binary fraction nearest to it: 9.524 is 2381/250.
            text = None if molar is None else str(molar.nmol_per_mg)
            if text is not None and found.setdefault((file, analyte), text) != text:
                raise EmberError(
                    f"Two tables of {site.id} over one file declare different molar factors for {analyte}.",
                    where=f"sites/{site.id}.yaml",
                )
    return found


def declared_factor(declared: DeclaredFactors, source_file: str, analyte: str) -> str | None:
    """Return the factor declared for an analyte in a file, which is named relative to the data folder."""
    shown = [file for file, name in declared if name == analyte and f"/{file}".endswith(f"/{source_file}")]
    # Of "data/x.csv" and "data/a/x.csv" only the shorter is the file "x.csv" of the data folder.
    return declared[min(shown, key=len), analyte] if shown else None


def with_conversions(measurements: pl.DataFrame, registry: Registry, declared: DeclaredFactors) -> pl.DataFrame:
    """Return measurements with `from_unit`, `unit`, `conversion_id`, `numerator` and `denominator`.

    All five are null where no registry row converts the unit. Rows and their order stay.
    """
    keys = ["analyte", "unit_reported", "source_file"]
    rows = []
    for key in measurements.select(keys).unique(maintain_order=True).iter_rows():
        analyte, reported, source_file = key
        found = find_conversion(registry, analyte, reported, declared_factor(declared, source_file, analyte))
        if found is not None:
            factor = found.factor
            numbers = (float(factor.numerator), float(factor.denominator))
            rows.append((*key, found.from_unit, found.to_unit, found.id, *numbers))
    names = [*keys, "from_unit", "unit", "conversion_id"]
    schema = {**dict.fromkeys(names, pl.String()), "numerator": pl.Float64(), "denominator": pl.Float64()}
    table = pl.DataFrame(rows, schema=schema, orient="row")
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
    """Return the factor of every unit of an analyte that needs no molar factor, or whose factor the site declares."""
    factors = {}
    for unit in registry.units_of(analyte):
        texts = [text for (_, name), text in declared.items() if name == analyte]
        found = find_conversion(registry, analyte, unit, texts[0] if texts else None)
        if found is not None:
            factors[unit] = found.factor
    return factors
