"""How a participant is shared out among the classes."""

from __future__ import annotations

import numpy as np

from ember.endotypes.mixtures.values import FloatArray


def shared_out(log_densities: FloatArray, counts: FloatArray | None = None) -> tuple[FloatArray, FloatArray]:
    """Return the classes' shares of each participant, and the log-likelihoods.

    Parameters
    ----------
    log_densities : ndarray, shape (s, k, n)
        Log of weight times density; overwritten.
    counts : ndarray, shape (n,), optional
        How many participants each row stands for.

    Returns
    -------
    shares : ndarray, shape (s, k, n)
        They sum to 1 over the classes, times the counts.
    likelihood : ndarray, shape (s,)
    """
    top = log_densities.max(axis=1)
    log_densities -= top[:, None]
    shares = np.exp(log_densities, out=log_densities)
    total = shares.sum(axis=1)
    each = top + np.log(total)
    if counts is None:
        shares /= total[:, None]
        return shares, each.sum(axis=1)
    shares *= (counts / total)[:, None]
    return shares, (each * counts).sum(axis=1)
