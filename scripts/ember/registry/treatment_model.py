"""How a site file maps treatments: names, and what stands beside them. The fields carry the names of the YAML keys."""

from __future__ import annotations

from dataclasses import dataclass, field

TRIAL = "{trial}"
"""In the names of columns: the number of the trial, where one row holds several."""


@dataclass(frozen=True)
class DoseConversion:
    """An exact factor that the site declares for a unit that the registry does not convert."""

    to: str
    numerator: int
    denominator: int
    reason: str
    decision: str | None = None


@dataclass(frozen=True)
class DoseMap:
    """Where the dose stands: in a `column`, or after the name (`in_name`). Either `unit` or `unit_column` is set."""

    column: str | None = None
    unit: str | None = None
    unit_column: str | None = None
    unit_codes: dict[str, str] = field(default_factory=dict)
    conversion: DoseConversion | None = None
    in_name: bool = False


@dataclass(frozen=True)
class TrialDay:
    """A column of dates (`date` is their order) or of study days (`date` is None).

    `ongoing` are the texts that say that the treatment goes on at the visit of the row; "" is an empty cell.
    """

    column: str
    date: str | None = None
    offset: int = 0
    ongoing: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrialDuration:
    """A column of durations in weeks or days."""

    column: str
    unit: str


@dataclass(frozen=True)
class TrialColumn:
    """A column of outcomes, adherence or episodes: its codes, or for an outcome the improvement in percent."""

    column: str
    codes: dict[str, str] = field(default_factory=dict)
    unit: str | None = None
    decision: str | None = None


@dataclass(frozen=True)
class CompleteList:
    """The kinds of treatment of which a table lists every one, so that what is not listed was not given.

    `without_rows` is "none" where somebody without a row had none of them, and "unknown" where nobody can say.
    """

    kinds: tuple[str, ...]
    reason: str
    without_rows: str = "unknown"
    decision: str | None = None


@dataclass(frozen=True)
class TreatmentMap:
    """A column of treatment names and what stands beside it.

    `episode` is "current" where every row of the table is of the current episode. With `trials` the names of columns
    hold `{trial}`, which these numbers replace one after the other.
    """

    name: str
    role: str
    split: str | None = None
    missing: tuple[str, ...] = ()
    dose: DoseMap | None = None
    frequency: TrialColumn | None = None
    start: TrialDay | None = None
    end: TrialDay | None = None
    duration: TrialDuration | None = None
    outcome: TrialColumn | None = None
    adherence: TrialColumn | None = None
    episode: str | None = None
    episode_column: TrialColumn | None = None
    complete: CompleteList | None = None
    trials: tuple[str, ...] = ()

    @property
    def tells_trials(self) -> bool:
        """Whether its rows are trials: treatments whose outcome is told."""
        return self.outcome is not None

    @property
    def beside(self) -> tuple[str, ...]:
        """The columns that stand beside the name, each once."""
        dose = (self.dose.column, self.dose.unit_column) if self.dose else ()
        others = (self.frequency, self.start, self.end, self.duration, self.outcome, self.adherence)
        named = [*dose, *(part.column for part in (*others, self.episode_column) if part)]
        return tuple(dict.fromkeys(column for column in named if column))

    def columns_of(self, trial: str | None) -> tuple[str, ...]:
        """Return the name and what stands beside it, of one trial of a row that holds several."""
        return tuple(of_trial(column, trial) for column in (self.name, *self.beside))


def of_trial(column: str, trial: str | None) -> str:
    """Return the column of one trial; None where a row holds one."""
    return column if trial is None else column.replace(TRIAL, trial)
