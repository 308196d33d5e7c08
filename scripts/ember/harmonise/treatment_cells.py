"""What stands beside the name of a treatment in its row: dose, days, duration, outcome, adherence and episode.

Nothing of it is a value of its own, as units and batches are none: a text that cannot be read is flagged, and the
treatment stays without what the text would have said.
"""

from __future__ import annotations

from fractions import Fraction

import polars as pl

from ember.harmonise.dates import day_of
from ember.harmonise.numbers import number
from ember.harmonise.reading import Reading, without_blanks
from ember.registry.treatment_model import TreatmentMap, TrialColumn, TrialDay

DAYS_IN = {"weeks": 7.0, "days": 1.0}
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "dose_reported": pl.String,
    "dose_number": pl.Float64,
    "dose_unit_reported": pl.String,
    "start": pl.Int32,
    "start_day": pl.Int32,
    "end": pl.Int32,
    "end_day": pl.Int32,
    "ongoing": pl.Boolean,
    "days": pl.Float64,
    "outcome": pl.String,
    "improvement": pl.Float64,
    "adherence": pl.String,
    "episode": pl.String,
    "unread": pl.List(pl.String),
}
"""`start` and `end` are days since 1970-01-01, `start_day` and `end_day` study days, `days` the declared duration;
`unread` are the columns of the file whose text could not be read."""


def beside_treatment(reading: Reading) -> list[pl.Expr]:
    """Return the columns of `SCHEMA` for the rows of a treatment column; null where nothing is mapped."""
    mapping = reading.table.treatments
    assert mapping is not None
    beside = _Beside(reading, mapping)
    told = {
        **beside.dose(),
        **beside.day("start", mapping.start),
        **beside.day("end", mapping.end),
        "ongoing": beside.ongoing(),
        "days": beside.duration(),
        **beside.outcome(),
        "adherence": beside.coded(mapping.adherence),
        "episode": pl.lit(mapping.episode) if mapping.episode else beside.coded(mapping.episode_column),
    }
    told["unread"] = pl.concat_list(beside.faults).list.drop_nulls() if beside.faults else pl.lit([])
    return [told.get(name, pl.lit(None)).cast(dtype).alias(name) for name, dtype in SCHEMA.items()]


class _Beside:
    """Reads the columns beside one treatment column and remembers which texts could not be read."""

    def __init__(self, reading: Reading, mapping: TreatmentMap) -> None:
        self._reading, self._mapping = reading, mapping
        self._actual = dict(reading.column.beside)
        self.faults: list[pl.Expr] = []

    def dose(self) -> dict[str, pl.Expr]:
        dose = self._mapping.dose
        if dose is None or dose.column is None:
            return {}
        text = self._text(dose.column)
        value = self._number(dose.column)
        if self._mapping.frequency is not None:
            value = value * self._intakes(self._mapping.frequency)
        unit = pl.lit(dose.unit)
        if dose.unit_column is not None:
            unit = self._text(dose.unit_column).replace(without_blanks(dose.unit_codes))
        if self._mapping.frequency is not None:
            unit = unit + "/day"  # the dose of an intake, times the intakes of a day
        return {"dose_reported": text, "dose_number": value, "dose_unit_reported": unit}

    def _intakes(self, frequency: TrialColumn) -> pl.Expr:
        codes = {code: float(Fraction(times)) for code, times in without_blanks(frequency.codes).items()}
        text = self._text(frequency.column)
        times = text.replace_strict(codes, default=None, return_dtype=pl.Float64)
        self._unless(times, frequency.column, text)
        return times

    def day(self, name: str, declared: TrialDay | None) -> dict[str, pl.Expr]:
        if declared is None:
            return {}
        text = self._text(declared.column)
        if name == "end" and declared.ongoing:
            text = pl.when(~self._goes_on(declared)).then(text)
        if declared.date is not None:
            found = day_of(text, declared.date, self._reading.decimal)
            self._unless(found, declared.column, text)
            return {name: found}
        value = number(text, self._reading.decimal)
        found = pl.when(value == value.round()).then(value.cast(pl.Int32, strict=False) + declared.offset)
        self._unless(found, declared.column, text)
        return {f"{name}_day": found}

    def ongoing(self) -> pl.Expr:
        end = self._mapping.end
        return self._goes_on(end) if end and end.ongoing else pl.lit(False)

    def _goes_on(self, end: TrialDay) -> pl.Expr:
        texts = [text.strip() for text in end.ongoing]
        return pl.col(self._actual[end.column]).fill_null("").str.strip_chars().is_in(texts)

    def duration(self) -> pl.Expr:
        duration = self._mapping.duration
        if duration is None:
            return pl.lit(None)
        value = self._number(duration.column)
        return pl.when(value >= 0).then(value * DAYS_IN[duration.unit])

    def outcome(self) -> dict[str, pl.Expr]:
        outcome = self._mapping.outcome
        if outcome is not None and outcome.unit is not None:
            return {"improvement": self._number(outcome.column)}
        return {"outcome": self.coded(outcome)}

    def coded(self, column: TrialColumn | None) -> pl.Expr:
        """Return the meaning of a code; one without a meaning could not be read."""
        if column is None:
            return pl.lit(None)
        text = self._text(column.column)
        meaning = text.replace_strict(without_blanks(column.codes), default=None, return_dtype=pl.String)
        self._unless(meaning, column.column, text)
        return meaning

    def _number(self, column: str) -> pl.Expr:
        text = self._text(column)
        value = number(text, self._reading.decimal, thousands=self._reading.thousands)
        value = pl.when(value >= 0).then(value) if column != self._outcome_column else value
        self._unless(value, column, text)
        return value

    @property
    def _outcome_column(self) -> str | None:
        return self._mapping.outcome.column if self._mapping.outcome else None

    def _text(self, column: str) -> pl.Expr:
        """Return what a cell says; null where it is empty or holds a code that means missing."""
        text = pl.col(self._actual[column]).str.strip_chars()
        codes = ["", *(code.strip() for code in self._reading.column.missing)]
        return pl.when(~text.is_in(codes)).then(text)

    def _unless(self, read: pl.Expr, column: str, text: pl.Expr) -> None:
        self.faults.append(pl.when(read.is_null() & text.is_not_null()).then(pl.lit(self._actual[column])))
