"""Maximum likelihood of the variance components: between persons by site, within persons, acute illness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize

from ember.endotypes.composites.censored_normal import fit_normals
from ember.endotypes.cuts import FloatArray
from ember.endotypes.usual_level.likelihood import Components, log_likelihoods, site_sums
from ember.endotypes.usual_level.persons import Persons, Samples

STEP = 1e-5
LEAST_LOG, MOST_LOG = float(np.log(1e-3)), float(np.log(50.0))
LEAST_LOGIT, MOST_LOGIT = -12.0, 3.0
MOST_STEPS = 500


@dataclass(frozen=True)
class Fit:
    """Estimates, the log-likelihood at them, and whether the search ended at a maximum."""

    components: Components
    log_likelihood: float
    converged: bool


def fit_components(samples: Samples, persons: Persons, sites: int, within: float | None = None) -> Fit:
    """Return the maximum likelihood estimates.

    Parameters
    ----------
    samples, persons : Samples, Persons
        Of sites whose spread is identified (two different exact values at least).
    sites : int
        Number of sites; mean and SD between persons are those of each site.
    within : float, optional
        SD within persons, where it is published and not estimated. It is common to all sites.

    Notes
    -----
    Every person's likelihood holds the mean and SD of one site only, so the gradient over all sites costs no more
    than that of one: each kind of parameter is moved at all sites together and the change is added up by site.
    Between and within persons are told apart by persons with two samples or more; without any, and without a
    published value, the likelihood is flat along their sum and this function must not be called.
    """
    search = _Search(persons, sites, within, acute=bool((persons.n_above > 0).any()))
    start = search.packed(_start(samples, persons, sites, within))
    found = minimize(
        search.objective,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=search.bounds,
        options={"maxiter": MOST_STEPS, "ftol": 1e-13, "gtol": 1e-7, "maxcor": 20},
    )
    at = np.asarray(found.x, dtype=np.float64)
    return Fit(search.unpacked(at), float(search.told(at).sum()), bool(found.success))


@dataclass(frozen=True)
class _Search:
    """Parameters in one row: means, ln SDs between persons, then ln SD within and the logit of the acute share."""

    persons: Persons
    sites: int
    within: float | None
    acute: bool

    @property
    def bounds(self) -> list[tuple[float | None, float | None]]:
        ends: list[tuple[float | None, float | None]] = [(None, None)] * self.sites
        ends += [(LEAST_LOG, MOST_LOG)] * (self.sites + (self.within is None))
        return ends + [(LEAST_LOGIT, MOST_LOGIT)] * self.acute

    def packed(self, components: Components) -> FloatArray:
        within = [np.log(components.within)] if self.within is None else []
        acute = [np.log(components.acute / (1 - components.acute))] if self.acute else []
        return np.concatenate([components.mean, np.log(components.between), within, acute])

    def unpacked(self, at: FloatArray) -> Components:
        rest = at[2 * self.sites :]
        return Components(
            mean=at[: self.sites],
            between=np.exp(at[self.sites : 2 * self.sites]),
            within=float(np.exp(rest[0])) if self.within is None else self.within,
            acute=float(1 / (1 + np.exp(-rest[-1]))) if self.acute else 0.0,
        )

    def told(self, at: FloatArray) -> FloatArray:
        """Return the log-likelihood of each site."""
        return site_sums(log_likelihoods(self.persons, self.unpacked(at)), self.persons.group, self.sites)

    def objective(self, at: FloatArray) -> tuple[float, FloatArray]:
        """Return minus the mean log-likelihood of a person, and its gradient by central differences."""
        scale = max(int((self.persons.n_samples > 0).sum()), 1)
        gradient = np.empty(at.size)
        own = [slice(0, self.sites), slice(self.sites, 2 * self.sites)]
        for block in [*own, *(slice(place, place + 1) for place in range(2 * self.sites, at.size))]:
            move = np.zeros(at.size)
            move[block] = STEP
            slope = (self.told(at + move) - self.told(at - move)) / (2 * STEP)
            gradient[block] = slope if block in own else slope.sum()
        return -float(self.told(at).sum()) / scale, -gradient / scale


def at_least(between: FloatArray) -> FloatArray:
    """Return where the SD between persons is not at the lower end of the search: there is a spread between them."""
    return np.asarray(between > 2 * np.exp(LEAST_LOG))


def _start(samples: Samples, persons: Persons, sites: int, within: float | None) -> Components:
    """Return a start: the samples of each site as one normal distribution, the pairs for the spread within persons."""
    whole = fit_normals(samples.value, samples.below, samples.above, persons.group[samples.person], sites)
    degrees = np.maximum(persons.n_exact - 1, 0).sum()
    spread = np.nan_to_num(whole.sd, nan=1.0)
    if within is None:
        within = float(np.sqrt(persons.squares.sum() / degrees)) if degrees else 0.5 * float(np.median(spread))
        within = max(within, 0.05)
    between = np.sqrt(np.maximum(spread**2 - within**2, 0.1 * spread**2))
    share = (persons.n_above.sum() + 1) / (persons.n_samples.sum() + 2)
    return Components(np.nan_to_num(whole.mean), between, within, float(min(share / 2, 0.3)))
