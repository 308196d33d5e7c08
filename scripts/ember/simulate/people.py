"""Texts that every site writes of its cohort, each in its own spelling, and the choice of rows to spoil."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from ember.errors import EmberError
from ember.simulate.cohort import Cohort
from ember.simulate.design import Reporting
from ember.simulate.laboratory import Reported, report_results, result_texts

FIRST_DAY = datetime.date(2024, 1, 8)


def identifiers(prefix: str, n: int, width: int = 4) -> list[str]:
    """Return the participant numbers of a site."""
    return [f"{prefix}{number:0{width}d}" for number in range(1, n + 1)]


def day_text(day: int, order: str) -> str:
    """Return a day of the consortium in a site's order of date parts."""
    return (FIRST_DAY + datetime.timedelta(days=int(day))).strftime(order)


def zero_dates(cohort: Cohort, order: str) -> list[str]:
    """Return the dates of randomisation."""
    return [day_text(day, order) for day in cohort.time_zero.tolist()]


def visit_dates(cohort: Cohort, visit: int, order: str) -> list[str]:
    """Return the dates of a visit, "" where it did not take place."""
    days = (cohort.time_zero + cohort.days[:, visit]).tolist()
    return [
        day_text(day, order) if there else ""
        for day, there in zip(days, cohort.attended[:, visit].tolist(), strict=True)
    ]


def coded(flags: NDArray[np.bool_], yes: str, no: str) -> list[str]:
    """Return a site's two codes."""
    return [yes if flag else no for flag in flags.tolist()]


def results(
    cohort: Cohort, analyte: str, sample: int, reporting: Reporting, decimal: str = "."
) -> tuple[Reported, list[str]]:
    """Return the results of an analyte at a sample and their texts, "" where there is no result."""
    reported = report_results(cohort.samples[analyte][:, sample], reporting)
    texts = result_texts(reported, reporting, decimal)
    drawn = cohort.sampled[:, sample].tolist()
    return reported, [text if there else "" for text, there in zip(texts, drawn, strict=True)]


def answers_at(answers: NDArray[np.int64], attended: NDArray[np.bool_]) -> list[list[str]]:
    """Return the texts of all items at a visit, item by item, "" where the visit did not take place."""
    there = attended.tolist()
    return [
        [str(answer) if attends else "" for answer, attends in zip(column, there, strict=True)]
        for column in answers.T.tolist()
    ]


class Chooser:
    """Hands out participants for faults, each at most once, in a random order."""

    def __init__(self, rng: np.random.Generator, n: int) -> None:
        self._left: list[int] = rng.permutation(n).tolist()

    def take(self, suits: Callable[[int], bool]) -> int:
        """Return the next participant who suits.

        Raises
        ------
        EmberError
            Nobody is left who suits.
        """
        chosen = next((person for person in self._left if suits(person)), None)
        if chosen is None:
            raise EmberError("Too few participants for all planted faults.", where="--participants")
        self._left.remove(chosen)
        return chosen

    def several(self, count: int, suits: Callable[[int], bool]) -> Iterator[int]:
        """Yield `count` participants who suit."""
        for _ in range(count):
            yield self.take(suits)
