"""The whole synthetic consortium: draw it in memory, write it to a folder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ember.errors import EmberError
from ember.registry.registry import Registry
from ember.simulate.cohort import Cohort, draw_cohort, scale_of
from ember.simulate.cork import make_cork
from ember.simulate.design import CLASSES, SHAPES, SITES, Shape, SiteDesign, Truth
from ember.simulate.draft import LEDGER_COLUMNS, Extract, Line
from ember.simulate.files import ledger_frame, write_extracts
from ember.simulate.graz import make_graz
from ember.simulate.lund import make_lund
from ember.simulate.porto import make_porto
from ember.simulate.questionnaires import items_of
from ember.simulate.truth import consortium_truth
from ember.tables.store import write_frame, write_json, write_text

FEWEST_PARTICIPANTS = {"all": 90, "few": 20}
"""Below this the planted faults do not find enough participants."""

POPULATION = 1_000_000

README = """# Synthetic data

No person stands behind any row here. `ember simulate` draws every value from random numbers (seed {seed}, shape
`{shape}`); the sites and their names are invented, and so are all identifiers.

- `truth.json`: what a correct analysis has to find, with the method by which it was computed.
- `planted_faults.csv`: every line that the ledger of the stages read_source, standardise_site and harmonise_site
  has to hold, and nothing else. `row_number` counts as a person does: the header line of a CSV file is row 1, Excel
  rows are those of the sheet, the first record of an SPSS or Parquet file is row 1. An empty `column` means the whole
  row, or in `score.incomplete` the questionnaire in that row. `sheet` is empty from harmonise_site on, where a value
  carries its file, row and column only.

| site | files | what is awkward about it |
|---|---|---|
{table}
"""

AWKWARD = {
    "porto": "| porto | `porto/estudo.csv` | wide; Latin-1, semicolons, decimal commas, CRP in mg/dL{batch} |",
    "lund": "| lund | `lund/quest.sav` | SPSS: value labels, user-missing codes, a flag for results below the limit |",
    "graz": (
        "| graz | `graz/redcap_export.csv`, `graz/redcap_dictionary.csv` | long REDCap export, CRP in nmol/L, "
        "an item that is not scored |"
    ),
    "cork": (
        "| cork | `cork/trial.xlsx`, `cork/laboratory.parquet` | two sheets with title rows; one row a result, "
        "CRP capped at 10 mg/L |"
    ),
}


@dataclass(frozen=True)
class Consortium:
    """Files of all sites, the ledger lines they must give, and the cohorts they came from."""

    shape: Shape
    seed: int
    sites: tuple[SiteDesign, ...]
    extracts: tuple[Extract, ...]
    lines: tuple[Line, ...]
    cohorts: dict[str, Cohort]
    truth: Truth = CLASSES


def simulate_consortium(
    seed: int,
    registry: Registry,
    shape: str = "demo",
    participants_per_site: int | None = None,
    truth: Truth = CLASSES,
) -> Consortium:
    """Draw a consortium.

    Parameters
    ----------
    seed : int
        Each site has its own stream from it, so that one site does not depend on another's size.
    shape : str
        A name of `SHAPES`.
    participants_per_site : int, optional
        Default the shape's, or the sizes of the shipped demonstration.
    truth : Truth
        What stands behind the markers.

    Raises
    ------
    EmberError
        There are too few participants for the planted faults.
    """
    chosen = SHAPES[shape]
    fewest = FEWEST_PARTICIPANTS[chosen.faults]
    size = participants_per_site if participants_per_site is not None else chosen.participants_per_site
    if size is not None and size < fewest:
        raise EmberError(f"The shape '{shape}' needs at least {fewest} participants per site.", where="--participants")
    extracts: list[Extract] = []
    lines: list[Line] = []
    cohorts = {}
    for name in chosen.sites:
        site = SITES[name]
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(site.number, 0)))
        scale, n = scale_of(site.instrument, registry), size or site.participants
        cohort = draw_cohort(rng, site, scale, n, truth.effects, truth.classes)
        site_extracts, site_lines = _make_site(rng, cohort, site, registry, chosen.faults)
        cohorts[name] = cohort
        extracts += site_extracts
        lines += site_lines
    sites = tuple(SITES[name] for name in chosen.sites)
    return Consortium(chosen, seed, sites, tuple(extracts), tuple(lines), cohorts, truth)


def _make_site(
    rng: np.random.Generator, cohort: Cohort, site: SiteDesign, registry: Registry, faults: str
) -> tuple[list[Extract], list[Line]]:
    items = items_of(site.instrument, registry)
    acute_above = float(registry.row("analytes", "hscrp")["acute_above"])
    if site.id == "porto":
        return make_porto(rng, cohort, site, items, acute_above, faults)
    if site.id == "graz":
        return make_graz(rng, cohort, site, items, acute_above, faults)
    make = {"lund": make_lund, "cork": make_cork}[site.id]
    return make(rng, cohort, site, items, acute_above)


def expected_ledger(lines: Sequence[Line]) -> list[tuple[str | int, ...]]:
    """Return the expected lines in the order of site, file, row, column and rule."""
    return sorted((line.cells() for line in lines), key=lambda cells: (cells[0], *cells[2:]))


def write_consortium(consortium: Consortium, folder: Path, registry: Registry, population: int = POPULATION) -> None:
    """Write extracts, truth.json, planted_faults.csv and README.md below a folder."""
    write_extracts(consortium.extracts, folder)
    frame = ledger_frame(expected_ledger(consortium.lines), LEDGER_COLUMNS)
    write_frame(frame, folder / "planted_faults.csv")
    truth = consortium_truth(consortium.seed, consortium.sites, registry, population, consortium.truth)
    write_json(truth | {"drawn": _drawn(consortium)}, folder / "truth.json")
    batch = ", one batch in mg/L under that header" if consortium.shape.faults == "all" else ""
    table = "\n".join(AWKWARD[site.id].format(batch=batch) for site in consortium.sites)
    text = README.format(seed=consortium.seed, shape=consortium.shape.name, table=table)
    write_text(text, folder / "README.md")


def _drawn(consortium: Consortium) -> dict[str, Any]:
    """Return what was drawn in this sample: counts by site."""
    return {
        name: {
            "participants": cohort.n,
            "active_arm": int(cohort.active.sum()),
            "inflamed_class": int(cohort.inflamed.sum()),
            "came_at_week_12": int(cohort.attended[:, 2].sum()),
        }
        for name, cohort in consortium.cohorts.items()
    }
