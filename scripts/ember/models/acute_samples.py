"""What becomes of an exposure above the acute cut: kept, left out, or counted only through a valid repeat."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from ember.endotypes.cuts import BoolArray, place
from ember.endotypes.results import PERSON, censored, results_at, values
from ember.endotypes.samples import Samples, numbered, samples_of
from ember.endotypes.scheme import scheme_rules
from ember.endotypes.sequence import NONE, Sequences, sequences
from ember.registry.model import Study
from ember.registry.ways import AT_MOST, REPEAT


@dataclass(frozen=True)
class Chosen:
    """The result that stands for each participant's exposure, and who leaves this way of the analysis."""

    results: pl.DataFrame
    reason: str | None
    leaves: BoolArray


def chosen_results(
    people: pl.DataFrame, measurements: pl.DataFrame, scores: pl.DataFrame, study: Study, analysis: Mapping[str, Any]
) -> Chosen:
    """Return the exposure's results in the way in which the analysis uses values above the acute cut.

    Parameters
    ----------
    people : DataFrame
        `site_id` and `participant_id` in the order of the rows.

    Notes
    -----
    A repeat is the last valid sample before treatment, as the scheme defines it: in its window, far enough apart from
    the high one, without a reported infection and not above the cut itself.
    """
    declared = analysis["exposure"]
    found = results_at(people, measurements, declared["analyte"], declared["visit"])
    nobody = np.zeros(people.height, dtype=np.bool_)
    way = analysis.get("acute_way")
    if way is None:
        return Chosen(found, None, nobody)
    scheme = scheme_rules(study.schemes[analysis["acute_samples"]["scheme"]])
    above = place(values(found), censored(found, "left"), censored(found, "right"), scheme.cuts[-1:]) == 1
    if way == AT_MOST:
        return Chosen(found, "above_acute", above)
    assert way == REPEAT, way
    samples = samples_of(numbered(people), measurements, scheme, study.visits, scores)
    order = sequences(samples, people.height, scheme.samples.apart)
    repeated = above & (order.last != NONE) & _counted(found, samples, order)
    at = samples.at[order.last[repeated]]
    rest = [name for name in found.columns if name not in PERSON]
    own = people.select(PERSON).filter(pl.Series(repeated))
    repeats = pl.concat([own, measurements[at].select(rest)], how="horizontal")
    replaced = pl.concat([found.filter(pl.Series(~repeated)), repeats])
    ordered = people.select(PERSON).join(replaced, on=PERSON, how="left", maintain_order="left")
    return Chosen(ordered.select(found.columns), "no_repeat", above & ~repeated)


def _counted(found: pl.DataFrame, samples: Samples, order: Sequences) -> BoolArray:
    """Return whose result is itself a sample that counts, so that the others that count lie far enough from it."""
    row = found["row_id"].fill_null(0).to_numpy().astype(np.int64)
    width = int(max(row.max(initial=0), samples.row_id.max(initial=0))) + 1
    counted = samples.person[order.counted] * width + samples.row_id[order.counted]
    return np.isin(np.arange(row.size) * width + row, counted)
