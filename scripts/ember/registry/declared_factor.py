"""Factors that a site declares where a unit has no single one: an amount of substance, an international unit."""

from __future__ import annotations

from ember.registry.model import ActivityFactor, LaboratoryMap, MeasurementMap, MolarFactor

MOLAR, ACTIVITY = "molar_factor", "iu_factor"
"""What the column `needs` of units.csv says, and the key of a site file that answers it."""
FIGURES = {MOLAR: "nmol_per_mg", ACTIVITY: "pg_per_iu"}
"""The figure under that key; it stands in the id of every conversion that rests on it."""
NAMES = {MOLAR: "molar factor", ACTIVITY: "activity factor"}
WHY = {
    MOLAR: "more than one molar mass is in use",
    ACTIVITY: "an international unit is what the laboratory's standard says it is",
}


def declared_for(mapping: MeasurementMap | LaboratoryMap, analyte: str) -> dict[str, str]:
    """Return the figures that a mapping declares for an analyte as decimal text: {"nmol_per_mg": "9.524"}.

    Notes
    -----
    The text is what YAML showed, not the binary fraction nearest to it: 9.524 is 2381/250.
    """
    molar, activity = _factors(mapping, analyte)
    found = {}
    if molar is not None:
        found[FIGURES[MOLAR]] = str(molar.nmol_per_mg)
    if activity is not None:
        found[FIGURES[ACTIVITY]] = str(activity.pg_per_iu)
    return found


def _factors(mapping: MeasurementMap | LaboratoryMap, analyte: str) -> tuple[MolarFactor | None, ActivityFactor | None]:
    if isinstance(mapping, MeasurementMap):
        return mapping.molar_factor, mapping.iu_factor
    return mapping.molar_factors.get(analyte, mapping.molar_factor), mapping.iu_factors.get(analyte)
