"""What happens to rows between the file and the raw table: corrected cells, and people who did not agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from ember.consent.rows import RULES, consent_rules
from ember.errors import EmberError
from ember.extract.claims import Claim
from ember.extract.corrections import Corrections, corrections_path, read_corrections
from ember.registry.model import Site, Source, TableMap
from ember.validate.ledger import entries, join_entries

STAGE = "read_source"


@dataclass(frozen=True)
class Conditions:
    """What a study says about its rows beside the mapping.

    Attributes
    ----------
    folder : Path
        The data folder, in which files of corrections lie.
    register : DataFrame or None
        Who agreed to what, contract consent; None where the study asks for no consent.
    required : tuple of str
        Purposes that the study needs.
    """

    folder: Path
    register: pl.DataFrame | None = None
    required: tuple[str, ...] = ()


@dataclass
class Admission:
    """The conditions applied to one source while its batches pass.

    Attributes
    ----------
    listed : list of DataFrame
        Ledger entries so far.
    left : Counter
        Rows that left, by site.
    """

    source: Source
    claims: Sequence[Claim]
    conditions: Conditions
    sheet: str | None
    listed: list[pl.DataFrame] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    corrections: dict[int, Corrections] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place, (site, table) in enumerate(self.claims):
            listed = corrections_of(site, table, self.conditions.folder, self.source.file, self.sheet)
            if listed is not None:
                self.corrections[place] = listed

    def corrected(self, frame: pl.DataFrame, owner: pl.Series) -> pl.DataFrame:
        """Return a batch with the corrections of every claim applied."""
        for place, corrections in self.corrections.items():
            frame, listed = corrections.apply(frame, owner == place)
            self.listed.append(listed)
        return frame

    def admitted(self, frames: Iterator[tuple[str, pl.DataFrame]]) -> Iterator[tuple[str, pl.DataFrame]]:
        """Yield the rows of each site of the people who agreed; an erased person leaves no trace but a count."""
        register = self.conditions.register
        for site, rows in frames:
            if register is None:
                yield site, rows
                continue
            own = register.filter(pl.col("site_id") == site)
            rules = consent_rules(rows["_participant"], own, self.conditions.required)
            self._list(site, rows["_row"], rules)
            yield site, rows.filter(rules.is_null())

    def finish(self) -> None:
        """Hold every correction against what was met.

        Raises
        ------
        EmberError
            A correction does not fit the extract any more.
        """
        unfit = []
        for corrections in self.corrections.values():
            try:
                corrections.finish()
            except EmberError as error:
                unfit.append(str(error))
        if unfit:
            raise EmberError("\n".join(unfit))

    @property
    def ledger(self) -> pl.DataFrame:
        """Return the entries; a corrected cell in a row that left is the row's reason alone."""
        whole = join_entries(self.listed)
        gone = whole.filter(pl.col("rule_id").is_in(RULES))["row_number"]
        return whole.filter((pl.col("action") != "corrected") | ~pl.col("row_number").is_in(gone.implode()))

    def _list(self, site: str, numbers: pl.Series, rules: pl.Series) -> None:
        self.left[site] += rules.len() - rules.null_count()
        for rule in RULES:
            met = numbers.filter((rules == rule).fill_null(False))
            if met.len():
                place = {"source_file": pl.lit(self.source.file), "sheet": pl.lit(self.sheet, dtype=pl.String)}
                where = pl.DataFrame({"row_number": met}).with_columns(**place)
                self.listed.append(entries(where, rule, site=site, stage=STAGE))


def corrections_of(site: Site, table: TableMap, folder: Path, file: str, sheet: str | None) -> Corrections | None:
    """Return the corrections of a table, None where it names no file of them.

    Raises
    ------
    EmberError
        The file is not there, lies outside the data folder, or is not as it has to be.
    """
    if table.corrections is None:
        return None
    path = corrections_path(folder, table.corrections, f"sites/{site.id}.yaml  corrections")
    return Corrections(read_corrections(path, table.corrections), table.corrections, site.id, table, file, sheet)
