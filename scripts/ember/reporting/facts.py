"""What a report is built from: the protected tables, the study and the registry; and the choice of the headline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from ember.errors import EmberError
from ember.registry.model import Study
from ember.registry.registry import Registry
from ember.reporting.numbers import count_text
from ember.reporting.words import PROTECTED, Names

Row = dict[str, Any]
QUANTITY = ("outcome", "instrument", "exposure", "exposure_scale", "term", "contrast", "at", "scheme", "scale")
INTERACTION = "treatment:exposure"
PROPORTIONS = ("proportion", "risk", "risk_difference")
RATIOS = ("log_odds_ratio",)


@dataclass(frozen=True)
class Facts:
    """Protected aggregate tables by name, the study, its registry and the version of the release."""

    tables: Mapping[str, pl.DataFrame]
    study: Study
    registry: Registry
    version: Mapping[str, Any]

    @cached_property
    def names(self) -> Names:
        return Names(self.study, self.registry)

    @cached_property
    def threshold(self) -> int:
        return int(self.registry.row("disclosure", self.study.disclosure)["threshold"])

    @property
    def mark(self) -> str:
        return f"<{self.threshold}"

    @property
    def protection_notes(self) -> list[str]:
        """Return the note on protected counts, if the profile protects any."""
        return [PROTECTED.format(mark=self.mark, last=self.threshold - 1)] if self.threshold > 1 else []

    @cached_property
    def sites(self) -> list[str]:
        """Sites of the study in order, excluded ones included so that colours never move."""
        return list(self.study.sites)

    @cached_property
    def included(self) -> list[str]:
        return [site for site in self.sites if site not in self.study.excluded_sites]

    @cached_property
    def estimates(self) -> list[Row]:
        return self.tables["estimates"].to_dicts()

    @cached_property
    def headline(self) -> Row:
        """Return the estimate of the first page.

        Raises
        ------
        EmberError
            The model that report.yaml names has no estimate.
        """
        wanted = self.study.report["headline"]
        rows = [r for r in self.estimates if r["analysis"] == wanted["analysis"] and r["model_id"] == wanted["model"]]
        if wanted.get("site"):
            rows = [row for row in rows if row["site"] == wanted["site"]]
        else:
            rows = [row for row in rows if row["level"] != "site"] or rows
        if not rows:
            raise EmberError(
                f"The model '{wanted['model']}' of '{wanted['analysis']}' has no estimate for the first page.",
                where="report.yaml  headline",
                allowed=sorted({f"{row['analysis']}/{row['model_id']}" for row in self.estimates}),
            )
        return min(rows, key=lambda row: (interest(row), rows.index(row)))

    def rows_like(self, row: Row) -> list[Row]:
        """Return the estimates of the same quantity in the same fit: the sites and the pooled one."""
        fit = ("analysis", "model_id", "adjustment", "missing_data_method")
        keys = [*fit, *[key for key in QUANTITY if key not in ("instrument", "at")]]
        return [other for other in self.estimates if all(other[key] == row[key] for key in keys)]

    def variants_of(self, row: Row) -> list[Row]:
        """Return every estimate of the same quantity and level in any model or analysis."""
        keys = ("outcome", "exposure", "exposure_scale", "term", "scale")
        return [
            other
            for other in self.estimates
            if all(other[key] == row[key] for key in keys)
            and (other["level"] == "site") == (row["level"] == "site")
            and (row["level"] != "site" or other["site"] == row["site"])
        ]

    def lines(self, table: str, **equals: object) -> list[Row]:
        """Return the rows of a table in which the columns have these values."""
        rows = self.tables[table].to_dicts() if table in self.tables else []
        return [row for row in rows if all(row[key] == value for key, value in equals.items())]

    def size(self, n: int | None) -> str:
        """Return the number of people (or results) behind something; "protected" says less than "<10" would."""
        return "protected" if n is None else f"{n:,}"

    def parts(self, counts: Sequence[int | None], total: int | None) -> list[str]:
        """Return the printed parts of a total: "<10" where all hidden parts may be that small, else "*".

        Two hidden parts that together hold 80 are not both below 10, and a reader can see that.
        """
        hidden = [n for n in counts if n is None]
        rest = None if total is None else total - sum(n for n in counts if n is not None)
        small = rest is None or rest <= len(hidden) * (self.threshold - 1)
        return [self.count(n) if n is not None or small else "*" for n in counts]

    def count(self, n: int | None) -> str:
        return "–" if n is None and self.threshold == 0 else count_text(n, self.threshold)


def interest(row: Row) -> int:
    """Rank terms: an interaction first, then the exposure's own, then the rest."""
    return {INTERACTION: 0, "exposure": 1}.get(row["term"], 2)
