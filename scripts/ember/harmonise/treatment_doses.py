"""Doses in the unit of the treatment's kind, and names that carry their dose with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ember.harmonise.numbers import number, number_pattern
from ember.registry.registry import Registry
from ember.registry.treatment_model import TreatmentMap

FORMULATION = r"(?i)\s+(?:xr|er|sr|cr|xl|la|pr|mr|dr|retard|ret)\.?$"
"""Words after a name that say how a drug is released: they change neither the drug nor the dose of a day."""
PER_DAY = r"\s*(?:/|per\s+|a\s+)?\s*(?:day|d|24\s*h)"


@dataclass(frozen=True)
class DoseUnits:
    """Exact factors between units of doses, and the unit of each kind.

    Attributes
    ----------
    factors : DataFrame
        `mapping` (position; null for the registry's own), `dose_unit_reported`, `dose_unit`, `factor`.
    kinds : DataFrame
        `kind` and `kind_unit`, null where a kind has no dose.
    """

    factors: pl.DataFrame
    kinds: pl.DataFrame

    @classmethod
    def of(cls, registry: Registry, mappings: Sequence[TreatmentMap | None]) -> DoseUnits:
        """Return the factors of the registry for every mapping, and those that a mapping declares itself."""
        rows: list[tuple[int, str, str, float]] = []
        for index, mapping in enumerate(mappings):
            if mapping is None or mapping.dose is None:
                continue
            conversion = mapping.dose.conversion
            declared = mapping.dose.unit if conversion and mapping.dose.unit else ""
            if conversion:
                rows.append((index, declared, conversion.to, conversion.numerator / conversion.denominator))
            for row in registry.rows("dose_units"):
                if row["unit"] != declared:
                    rows.append((index, row["unit"], row["to_unit"], int(row["numerator"]) / int(row["denominator"])))
        schema = {"mapping": pl.Int16, "dose_unit_reported": pl.String, "dose_unit": pl.String, "factor": pl.Float64}
        kinds = [(row["kind"], row["dose_unit"] or None) for row in registry.rows("treatment_kinds")]
        return cls(
            pl.DataFrame(rows, schema=schema, orient="row"),
            pl.DataFrame(kinds, schema={"kind": pl.String, "kind_unit": pl.String}, orient="row"),
        )

    def converted(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return treatments with `dose` and `dose_unit`, and `dose_refused`: the rule under which a dose was refused.

        Parameters
        ----------
        rows : DataFrame
            `mapping`, `kind`, `dose_number`, `dose_unit_reported`, `n_names` (treatments that its cell names).

        Notes
        -----
        A dose is kept in the unit of the treatment's kind or not at all: sessions of a drug or milligrams of a
        psychotherapy are a slip of the row. Of one dose beside two names nobody can say which it belongs to. A name
        that the registry does not know has no kind and therefore no dose.
        """
        keys = ["mapping", "dose_unit_reported"]
        told = rows.join(self.factors, on=keys, how="left", maintain_order="left")
        told = told.join(self.kinds, on="kind", how="left", maintain_order="left")
        given = pl.col("dose_number").is_not_null()
        shared = given & (pl.col("n_names") > 1)
        fits = pl.col("dose_unit").eq_missing(pl.col("kind_unit")) & pl.col("kind_unit").is_not_null()
        other = given & pl.col("kind").is_not_null() & ~fits
        kept = given & ~shared & fits
        return told.with_columns(
            pl.when(kept).then(pl.col("dose_number") * pl.col("factor")).alias("dose"),
            pl.when(kept).then("dose_unit").alias("dose_unit"),
            pl.when(shared)
            .then(pl.lit("treatment.dose_shared"))
            .when(other)
            .then(pl.lit("treatment.dose_unit"))
            .alias("dose_refused"),
        ).drop("factor", "kind_unit")


def with_named_doses(cells: pl.DataFrame, mapping: TreatmentMap, known: pl.Series, decimal: str) -> pl.DataFrame:
    """Take names apart that carry their dose ("Sertraline 100 mg", "venlafaxine XR 75mg/d") where the site says so.

    Parameters
    ----------
    cells : DataFrame
        `text` and the columns of `treatment_cells.SCHEMA`.
    known : Series of str
        Names of the registry in small letters; such a name is taken as it stands.
    decimal : str
        The declared decimal mark.

    Returns
    -------
    DataFrame
        With `named`, the text to be looked up. A text that is not a name and one dose in the declared unit stays whole.
    """
    cells = cells.with_columns(pl.col("text").alias("named"))
    dose = mapping.dose
    if dose is None or not dose.in_name or dose.unit is None:
        return cells
    amount = dose.unit.split("/")[0].strip()
    digits = number_pattern(decimal).removeprefix("^-?").removesuffix("$")
    whole = rf"(?i)^(.*[^\s\d.,/+-])[\s,:]+({digits})\s*{amount}(?:{PER_DAY})?\.?$"
    text = pl.col("text").str.strip_chars()
    name = text.str.extract(whole, 1).str.replace(FORMULATION, "")
    value = number(text.str.extract(whole, 2), decimal)
    taken = value.is_not_null() & ~text.str.to_lowercase().is_in(known.implode())
    return cells.with_columns(
        pl.when(taken).then(name).otherwise("named").alias("named"),
        pl.when(taken).then(value).otherwise("dose_number").alias("dose_number"),
        pl.when(taken).then(pl.lit(dose.unit)).otherwise("dose_unit_reported").alias("dose_unit_reported"),
        pl.when(taken).then(text).otherwise("dose_reported").alias("dose_reported"),
    )
