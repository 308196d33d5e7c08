"""Small standard tables and studies for the tests of the harmonise stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import polars as pl

from ember.registry.model import Answer, MeasurementMap, MolarFactor, Site, Study, TableMap
from ember.registry.registry import Registry, read_registry
from ember.tables.store import conform, empty_table

PROJECT = Path(__file__).parents[3]
FILE = "porto/estudo.csv"


@cache
def shared_registry() -> Registry:
    return read_registry(PROJECT / "config" / "registry")


def registry_with(table: str, key: str, **changes: str) -> Registry:
    """Return the shared registry with cells of one row changed, or with a new row."""
    tables = {name: dict(rows) for name, rows in shared_registry().tables.items()}
    tables[table][key] = {**tables[table].get(key, {}), **changes}
    return Registry(tables)


def site_with(molar: Mapping[str, float] | None = None) -> Site:
    """Return the site `porto`, which declares nmol per mg for the given analytes."""
    maps = {
        analyte: MeasurementMap(analyte.upper(), "nmol/L", molar_factor=MolarFactor(factor, "as the laboratory says"))
        for analyte, factor in (molar or {}).items()
    }
    return Site("porto", "Porto", (TableMap("porto", "PATID", measurements=maps),))


def study_with(answers: Sequence[Answer] = ()) -> Study:
    """Return the parts of a study that the harmonise stage reads."""
    source = SimpleNamespace(shown_path=f"resources/demo/{FILE}")

    def answer(finding: str) -> Answer | None:
        return next((one for one in answers if one.finding == finding), None)

    return cast(Study, SimpleNamespace(sources={"porto": source}, answers=tuple(answers), answer=answer))


def measurement_rows(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return standard measurements; what a row does not say is a plain hsCRP of one participant a row."""
    filled = [
        {
            "site_id": "porto",
            "participant_id": f"p{index}",
            "visit": "baseline",
            "study_day": 0,
            "analyte": "hscrp",
            "replicate": 1,
            "specimen": "serum",
            "assay_id": None,
            "batch": None,
            "value_reported": "",
            "number": 1.0,
            "operator": "",
            "limit_reported": None,
            "unit_reported": "mg/L",
            "source_file": FILE,
            "row_number": index + 2,
            "column": "PCR",
            **row,
        }
        for index, row in enumerate(rows)
    ]
    return conform(_frame(filled), "standard_measurements") if filled else empty_table("standard_measurements")


def item_rows(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return standard items; a row says instrument, item and value, and where it differs the participant."""
    filled = [
        {
            "site_id": "porto",
            "participant_id": "p0",
            "visit": "baseline",
            "study_day": 0,
            "source_file": FILE,
            "row_number": 2,
            "column": f"{row['instrument']}_{row['item']}_{row.get('visit', 'baseline')}",
            **row,
        }
        for row in rows
    ]
    return conform(_frame(filled), "standard_items") if filled else empty_table("standard_items")


def answers_to(instrument: str, values: Mapping[int, float], **where: Any) -> list[dict[str, Any]]:
    """Return the rows of one questionnaire: item number to value, item 0 the total given."""
    return [{"instrument": instrument, "item": item, "value": value, **where} for item, value in values.items()]


def _frame(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(rows, infer_schema_length=None)
