"""What each witness says of one panel: likelihood ratios, MAMBAC and L-Mode against comparison data, sites."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ember.endotypes.cuts import FloatArray, IntArray
from ember.endotypes.discreteness.comparison import categorical_samples, dimensional_samples, upper_class
from ember.endotypes.discreteness.curves import beyond_cuts, beyond_points, l_mode, mambac
from ember.endotypes.discreteness.likelihood_ratio import (
    Ratio,
    composite_ratio,
    draw,
    filled,
    fit_dimension,
    marker_ratios,
)
from ember.endotypes.discreteness.panel import Panel, complete

CURVES: Mapping[str, Callable[[FloatArray], FloatArray]] = {"mambac": mambac, "l_mode": l_mode}
BEYOND: Mapping[str, Callable[[FloatArray], IntArray]] = {"mambac": beyond_cuts, "l_mode": beyond_points}


@dataclass(frozen=True)
class Needs:
    """How much data the witnesses need, and how many samples they are judged by.

    Attributes
    ----------
    markers, people : int
        Fewest indicators and people for MAMBAC and L-Mode.
    site_people : int
        Fewest people of a site that speaks for itself.
    site_p_value : float
        A site stands for two components if its own p value is at most this.
    base_rate : tuple of float
        Least and greatest share of the upper class in the categorical comparison data.
    bootstrap, sites, comparison : int
        Samples of the likelihood ratio, of that of a single site, and of each kind of comparison data.
    """

    markers: int
    people: int
    site_people: int
    site_p_value: float
    base_rate: tuple[float, float]
    bootstrap: int
    sites: int
    comparison: int


@dataclass(frozen=True)
class Comparison:
    """A curve of the data, and the same of every dimensional and categorical comparison sample.

    `beyond` is the number of people beyond each point of the curve, on the side where fewer are.
    """

    data: FloatArray
    dimensional: FloatArray
    categorical: FloatArray
    beyond: IntArray

    @property
    def fit_index(self) -> float:
        """The comparison-curve fit index (CCFI): 0 as a dimension, 1 as two classes, 0.5 as well the one as the other.

        Notes
        -----
        Ruscio, Ruscio and Meron (2007, Multivariate Behavioral Research 42:349): the root mean square distance to
        the mean curve of the dimensional samples, over the sum of both distances.
        """
        distance = [
            float(np.sqrt(np.mean((self.data - curves.mean(axis=0)) ** 2)))
            for curves in (self.dimensional, self.categorical)
        ]
        return distance[0] / sum(distance) if sum(distance) > 0 else 0.5


@dataclass(frozen=True)
class Witnesses:
    """What was seen in one variant of the data.

    Attributes
    ----------
    n : int
        People with every marker.
    composite : Ratio or None
        Of the mean of the markers; None where nothing can be fitted.
    markers : dict of int to Ratio
        Of single markers, by their number.
    sites : dict of int to Ratio
        Of the composite in each site with enough people.
    comparisons : dict of str to Comparison
        By "mambac" and "l_mode"; empty where they are not available.
    """

    n: int
    composite: Ratio | None
    markers: dict[int, Ratio]
    sites: dict[int, Ratio]
    comparisons: dict[str, Comparison]

    def told(self, needs: Needs) -> dict[str, float | None]:
        """Return the number of every witness of the rule, None where it is not available."""
        indices: dict[str, float | None] = {
            name: self.comparisons[name].fit_index if name in self.comparisons else None for name in CURVES
        }
        known = [index for index in indices.values() if index is not None]
        seen = [site.p_value <= needs.site_p_value for site in self.sites.values()]
        return {
            **indices,
            "fit_index": sum(known) / len(known) if known else None,
            "p_value": None if self.composite is None else self.composite.p_value,
            "upper_share": None if self.composite is None else self.composite.upper_share,
            "sites_with_two": sum(seen) / len(seen) if len(seen) > 1 else None,
        }


def look(scores: Panel, needs: Needs, rng: np.random.Generator, markers: bool = True) -> Witnesses:
    """Return what the witnesses say of scores that are standardised within site and assay.

    Parameters
    ----------
    markers : bool
        Whether every marker is judged by itself as well.
    """
    people = complete(scores)
    if people.n < needs.site_people:
        return Witnesses(people.n, None, {}, {}, {})
    model = fit_dimension(people)
    value = filled(people, model)
    drawn, left, right = draw(rng, people, model, needs.bootstrap)
    single = marker_ratios(people, drawn, left, right) if markers or people.markers == 1 else {}
    sampled = np.where(left, model.below, np.where(right, model.above, drawn))
    composite = single[0] if people.markers == 1 else composite_ratio(value, sampled)
    sites = _sites(people, value, sampled, needs) if people.markers > 1 else {}
    taxometric = people.markers >= needs.markers and people.n >= needs.people
    compared = compare_curves(value, composite.upper_share, needs, rng) if taxometric else {}
    return Witnesses(people.n, composite, single, sites, compared)


def _sites(people: Panel, value: FloatArray, sampled: FloatArray, needs: Needs) -> dict[int, Ratio]:
    found = {}
    for site in np.unique(people.site):
        rows = people.site == site
        if rows.all():
            return {}
        if rows.sum() >= needs.site_people:
            found[int(site)] = composite_ratio(value[rows], sampled[: needs.sites, rows])
    return found


def compare_curves(
    value: FloatArray, upper_share: float, needs: Needs, rng: np.random.Generator
) -> dict[str, Comparison]:
    """Return the curves of complete data (n, k) and of comparison samples with the same shapes and correlations."""
    people = rng.permutation(value.shape[0])  # so that ties are in no order
    data = _standard(value[people][None])
    base_rate = float(np.clip(upper_share, *needs.base_rate))
    upper = upper_class(data[0], base_rate)
    dimensional = _standard(dimensional_samples(rng, data[0], needs.comparison, data.shape[1]))
    categorical = _standard(categorical_samples(rng, data[0], upper, needs.comparison))
    return {
        name: Comparison(curve(data)[0], curve(dimensional), curve(categorical), BEYOND[name](data))
        for name, curve in CURVES.items()
    }


def _standard(value: FloatArray) -> FloatArray:
    centred = value - value.mean(axis=1, keepdims=True)
    return np.asarray(centred / value.std(axis=1, ddof=1, keepdims=True))
