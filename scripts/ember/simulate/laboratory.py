"""Turn concentrations into what a laboratory reports: rounded, in its unit, below and above its limits."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ember.simulate.design import Reporting

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Reported:
    """Results as a laboratory gives them.

    Parameters
    ----------
    number : ndarray, shape (n,)
        In the unit of the file; the limit where the result is censored.
    operator : ndarray of str, shape (n,)
        "", "<" or ">".
    """

    number: FloatArray
    operator: NDArray[np.str_]


def report_results(values: FloatArray, reporting: Reporting) -> Reported:
    """Return canonical `values` as the laboratory would report them."""
    number = np.round(values * reporting.factor, reporting.decimals)
    below = number < reporting.limit
    above = np.zeros_like(below) if reporting.cap is None else number > reporting.cap
    number = np.where(below, reporting.limit, number)
    if reporting.cap is not None:
        number = np.where(above, reporting.cap, number)
    return Reported(number, np.where(below, "<", np.where(above, ">", "")))


def result_texts(reported: Reported, reporting: Reporting, decimal: str = ".") -> list[str]:
    """Return the text of each result; a censored one carries its sign and the limit without trailing zeros."""
    texts = [
        f"{sign}{number:g}" if sign else f"{number:.{reporting.decimals}f}"
        for number, sign in zip(reported.number.tolist(), reported.operator.tolist(), strict=True)
    ]
    return [text.replace(".", decimal) for text in texts] if decimal != "." else texts


def analysed_values(reported: Reported, reporting: Reporting) -> FloatArray:
    """Return what an analysis with `below_limit: fill_lod_sqrt2` uses, in the canonical unit."""
    canonical = reported.number / reporting.factor
    return np.where(reported.operator == "<", canonical / np.sqrt(2), canonical)
