"""Contracts: what each table holds, read from the YAML files in `contracts/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml

CONTRACTS_FOLDER = Path(__file__).parent / "contracts"


@dataclass(frozen=True)
class Column:
    """One column of a contract; the fields carry the names of the YAML keys."""

    name: str
    type: str
    nullable: bool = False
    allowed: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    unit: str | None = None
    mapped: bool = False
    label: str | None = None
    registry: str | None = None
    description: str = ""


@dataclass(frozen=True)
class Contract:
    """Names, types, order and limits of the columns of one table.

    `coded` tables keep their text as categories, in memory and in the file: millions of rows repeat few texts.
    """

    table: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    description: str = ""
    must_have_rows: bool = False
    coded: bool = False
    by_name: Mapping[str, Column] = field(default_factory=dict, repr=False, compare=False)

    @property
    def names(self) -> list[str]:
        return [column.name for column in self.columns]

    @property
    def mapped(self) -> dict[str, Column]:
        """Columns that a site file may fill under `columns:`."""
        return {column.name: column for column in self.columns if column.mapped}


@cache
def contract(table: str) -> Contract:
    """Return the contract of `table`.

    Raises
    ------
    FileNotFoundError
        No contract of that name exists.
    """
    text = (CONTRACTS_FOLDER / f"{table}.yaml").read_text(encoding="utf-8")
    content: dict[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
    columns = tuple(
        Column(**{**entry, "allowed": tuple(entry.get("allowed", ()))})  # YAML lists are not hashable
        for entry in content["columns"]
    )
    return Contract(
        table=content["table"],
        columns=columns,
        key=tuple(content.get("key", ())),
        description=content.get("description", ""),
        must_have_rows=content.get("rows") == "required",
        coded=content.get("text") == "coded",
        by_name={column.name: column for column in columns},
    )
