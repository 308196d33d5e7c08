"""Build the mapping of treatments from schema-valid YAML content."""

from __future__ import annotations

from typing import Any

from ember.registry.treatment_model import (
    CompleteList,
    DoseConversion,
    DoseMap,
    TreatmentMap,
    TrialColumn,
    TrialDay,
    TrialDuration,
)

DAYS = ("start", "end")
CODED = ("frequency", "outcome", "adherence")


def build_treatments(entry: dict[str, Any]) -> TreatmentMap:
    """Return the mapping under `treatments:` of a table."""
    plain: dict[str, Any] = {key: entry[key] for key in ("name", "role", "split") if key in entry}
    plain["missing"] = tuple(entry.get("missing", ()))
    plain["trials"] = tuple(str(trial) for trial in entry.get("trials", ()))
    plain |= {key: _day(entry[key]) for key in DAYS if key in entry}
    plain |= {key: TrialColumn(**entry[key]) for key in CODED if key in entry}
    if "dose" in entry:
        plain["dose"] = _dose(entry["dose"])
    if "duration" in entry:
        plain["duration"] = TrialDuration(**entry["duration"])
    if "complete" in entry:
        plain["complete"] = CompleteList(**{**entry["complete"], "kinds": tuple(entry["complete"]["kinds"])})
    if "episode" in entry:
        whole = isinstance(entry["episode"], str)
        plain["episode" if whole else "episode_column"] = entry["episode"] if whole else TrialColumn(**entry["episode"])
    return TreatmentMap(**plain)


def _dose(entry: dict[str, Any]) -> DoseMap:
    unit = entry["unit"]
    told = {"unit": unit} if isinstance(unit, str) else {"unit_column": unit["column"]}
    codes = {} if isinstance(unit, str) else unit.get("codes", {})
    conversion = DoseConversion(**entry["conversion"]) if "conversion" in entry else None
    plain = {key: entry[key] for key in ("column", "in_name") if key in entry}
    return DoseMap(**plain, **told, unit_codes=codes, conversion=conversion)


def _day(entry: dict[str, Any]) -> TrialDay:
    plain = {key: value for key, value in entry.items() if key not in {"unit", "ongoing"}}
    return TrialDay(**plain, ongoing=tuple(entry.get("ongoing", ())))
